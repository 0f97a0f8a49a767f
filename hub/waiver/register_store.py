"""SQL of residents, lines, which tariff each has, and who uses which."""

from hub.db import Connection
from hub.waiver.register import Line, LineTariff, Resident, Use

_RESIDENT = "id, number, name, district, note, from_day, to_day"
_LINE = "id, phone, iccid, carrier, budget_code, from_day, to_day, note"
_USES = "SELECT id, line_id, resident_id, item_id, loan_id, from_day, to_day, from_ms, to_ms FROM line_use"


# ---- residents


def residents(conn: Connection) -> list[Resident]:
    """Everybody, by number."""
    return [Resident(*row) for row in conn.execute(f"SELECT {_RESIDENT} FROM resident ORDER BY number")]  # noqa: S608


def resident(conn: Connection, resident_id: int) -> Resident | None:
    """One, or None."""
    row = conn.execute(f"SELECT {_RESIDENT} FROM resident WHERE id = ?", (resident_id,)).fetchone()  # noqa: S608
    return Resident(*row) if row else None


def resident_by_number(conn: Connection, number: str) -> Resident | None:
    """The one of this number, or None."""
    row = conn.execute(f"SELECT {_RESIDENT} FROM resident WHERE number = ?", (number,)).fetchone()  # noqa: S608
    return Resident(*row) if row else None


def resident_numbers(conn: Connection) -> dict[int, str]:
    """Everybody's number, by id."""
    return dict(conn.execute("SELECT id, number FROM resident"))


def add_resident(conn: Connection, number: str, values: dict[str, str], now_ms: int) -> int:
    """Somebody new; their id. Raises db.Refused for a number that is there."""
    cursor = conn.execute(
        "INSERT INTO resident (number, name, district, note, from_day, to_day, changed_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (number, *(values.get(field, "") for field in ("name", "district", "note", "from_day", "to_day")), now_ms),
    )
    return int(cursor.lastrowid or 0)


def change_resident(conn: Connection, one: Resident, now_ms: int) -> None:
    """Keeps them as they are given. Raises db.Refused for a number that another has."""
    conn.execute(
        "UPDATE resident SET number = ?, name = ?, district = ?, note = ?, from_day = ?, to_day = ?, changed_ms = ? "
        "WHERE id = ?",
        (one.number, one.name, one.district, one.note, one.from_day, one.to_day, now_ms, one.id),
    )


# ---- lines


def lines(conn: Connection) -> list[Line]:
    """Every line, by phone number."""
    return [Line(*row) for row in conn.execute(f"SELECT {_LINE} FROM line ORDER BY phone")]  # noqa: S608


def line(conn: Connection, line_id: int) -> Line | None:
    """One, or None."""
    row = conn.execute(f"SELECT {_LINE} FROM line WHERE id = ?", (line_id,)).fetchone()  # noqa: S608
    return Line(*row) if row else None


def line_by_phone(conn: Connection, phone: str) -> Line | None:
    """The one of this number, or None."""
    row = conn.execute(f"SELECT {_LINE} FROM line WHERE phone = ?", (phone,)).fetchone()  # noqa: S608
    return Line(*row) if row else None


def add_line(conn: Connection, values: dict[str, str], now_ms: int) -> int:
    """A new line; its id. Raises db.Refused for a phone number that is there."""
    fields = ("phone", "iccid", "carrier", "budget_code", "from_day", "to_day", "note")
    cursor = conn.execute(
        "INSERT INTO line (phone, iccid, carrier, budget_code, from_day, to_day, note, changed_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (*(values.get(field, "") for field in fields), now_ms),
    )
    return int(cursor.lastrowid or 0)


def change_line(conn: Connection, one: Line, now_ms: int) -> None:
    """Keeps it as it is given. Raises db.Refused for a phone number that another has."""
    conn.execute(
        "UPDATE line SET phone = ?, iccid = ?, carrier = ?, budget_code = ?, from_day = ?, to_day = ?, note = ?, "
        "changed_ms = ? WHERE id = ?",
        (one.phone, one.iccid, one.carrier, one.budget_code, one.from_day, one.to_day, one.note, now_ms, one.id),
    )


# ---- which tariff a line has


def line_tariffs(conn: Connection, line_id: int) -> list[LineTariff]:
    """From which month on which tariff, oldest first."""
    return [
        LineTariff(*row)
        for row in conn.execute(
            "SELECT from_month, code, list_price_yen FROM line_tariff WHERE line_id = ? ORDER BY from_month", (line_id,)
        )
    ]


def tariffs_in(conn: Connection, month: str) -> dict[int, LineTariff]:
    """The tariff of every line in a month of use: the newest that does not begin after it."""
    return {
        line_id: LineTariff(*rest)
        for line_id, *rest in conn.execute(
            "SELECT line_id, from_month, code, list_price_yen FROM line_tariff WHERE (line_id, from_month) IN "
            "(SELECT line_id, max(from_month) FROM line_tariff WHERE from_month <= ? GROUP BY line_id)",
            (month,),
        )
    }


def set_tariff(conn: Connection, line_id: int, tariff: LineTariff) -> None:
    """From this month on this tariff; what began with the same month gives way."""
    conn.execute(
        "INSERT INTO line_tariff (line_id, from_month, code, list_price_yen) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (line_id, from_month) DO UPDATE SET code = excluded.code, "
        "list_price_yen = excluded.list_price_yen",
        (line_id, tariff.from_month, tariff.code, tariff.list_price_yen),
    )


# ---- who uses which


def uses(conn: Connection) -> list[Use]:
    """All that ever was, by line and first day."""
    return [Use(*row) for row in conn.execute(f"{_USES} ORDER BY line_id, from_day, id")]


def uses_in(conn: Connection, first_day: str, last_day: str) -> list[Use]:
    """What overlaps these days, by line and first day."""
    rows = conn.execute(
        f"{_USES} WHERE from_day <= ? AND (to_day = '' OR to_day >= ?) ORDER BY line_id, from_day, id",
        (last_day, first_day),
    )
    return [Use(*row) for row in rows]


def uses_of_line(conn: Connection, line_id: int) -> list[Use]:
    """Who had a line, oldest first."""
    return [Use(*row) for row in conn.execute(f"{_USES} WHERE line_id = ? ORDER BY from_day, id", (line_id,))]


def uses_of_resident(conn: Connection, resident_id: int) -> list[Use]:
    """Which lines somebody had, oldest first."""
    return [Use(*row) for row in conn.execute(f"{_USES} WHERE resident_id = ? ORDER BY from_day, id", (resident_id,))]


def hand_over(conn: Connection, one: Use, now_ms: int) -> int:
    """A line becomes somebody's (`register.cannot_use` was asked before); the id of the use."""
    cursor = conn.execute(
        "INSERT INTO line_use (line_id, resident_id, item_id, loan_id, from_day, to_day, from_ms, to_ms, changed_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            one.line_id,
            one.resident_id,
            one.item_id,
            one.loan_id,
            one.from_day,
            one.to_day,
            one.from_ms,
            one.to_ms,
            now_ms,
        ),
    )
    return int(cursor.lastrowid or 0)


def give_back(conn: Connection, use_id: int, last_day: str, to_ms: int, now_ms: int) -> None:
    """The last day of a use, and the moment where it is known."""
    conn.execute(
        "UPDATE line_use SET to_day = ?, to_ms = ?, changed_ms = ? WHERE id = ?", (last_day, to_ms, now_ms, use_id)
    )
