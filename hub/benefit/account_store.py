"""SQL of what is left of accounts, and of what devices may therefore take on their own.

1. Whoever changes what somebody may take calls `follow` in that transaction: allowances follow at once, and their
   papers (`purse.py`) a moment later.  What changes with the day or with ordered settings is found by `due` over
   everybody.
2. A limit that falls goes on binding the hub (`bound_units`) until the device has said that it goes by the new one
   (`use_store.take_reports`).
"""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from hub import shown
from hub.benefit import allowance
from hub.benefit.allowance import Held
from hub.benefit.benefit import Account, Grant, Kind, Use, account
from hub.db import Among, Connection, among
from hub.papers import store as papers
from hub.policy import store as policy
from wire import purse

# A resident's number and a benefit's code.
Key = tuple[int, str]


class AllowanceRow(msgspec.Struct, frozen=True):
    """What a device was given of an account."""

    id: str
    device_id: int
    device: str
    benefit: str
    resident_id: int
    resident: str
    limit: int
    until_ms: int
    used: int
    bound: int
    balance: int
    heard_ms: int

    @property
    def held(self) -> Held:
        """The same for the rule."""
        return Held(self.limit, self.until_ms, self.used, self.bound, self.balance)

    @property
    def exposure(self) -> int:
        """Units that may be taken here without the hub knowing."""
        return allowance.exposure(self.held)


def kinds(conn: Connection) -> dict[str, Kind]:
    """Every kind, by code."""
    rows = conn.execute(
        "SELECT code, name_ja, name_en, unit_ja, unit_en, unit_yen, budget_code, offline_units, offline_days, "
        "from_day, to_day FROM benefit ORDER BY code"
    )
    return {row[0]: Kind(*row) for row in rows}


def say_over(conn: Connection, residents: Iterable[int]) -> None:
    """Uses that no grant covers are for people to look at; which ones is the fold's to say, and may change again."""
    found = accounts(conn, sorted(residents))
    for (resident_id, benefit), one in found.items():
        over = [name for name, units in one.over.items() if units]
        conn.executemany(
            "UPDATE benefit_use SET trouble = 'over' WHERE device_id = ? AND use = ? AND trouble = ''", over
        )
        known = conn.execute(
            "SELECT device_id, use FROM benefit_use WHERE resident_id = ? AND benefit = ? AND trouble = 'over'",
            (resident_id, benefit),
        ).fetchall()
        conn.executemany(
            "UPDATE benefit_use SET trouble = '' WHERE device_id = ? AND use = ?",
            [name for name in known if name not in one.over],
        )


_GRANTS_OF = Among(
    "SELECT g.resident_id, g.benefit, g.id, g.units, g.day, CASE WHEN g.ended_day <> '' AND (g.until_day = '' OR "
    "g.ended_day < g.until_day) THEN g.ended_day ELSE g.until_day END FROM",
    1,
    "JOIN benefit_grant g ON g.resident_id = k.column1 AND g.result = 'approved'",
)
_USES_OF = Among(
    "SELECT u.resident_id, u.benefit, u.device_id, u.use, u.units, u.at_ms FROM",
    1,
    "JOIN benefit_use u ON u.resident_id = k.column1 AND u.takes_back = '' "
    "WHERE NOT EXISTS (SELECT 1 FROM benefit_use o WHERE o.device_id = u.device_id AND o.takes_back = u.use "
    "AND o.takes_back <> '') AND NOT EXISTS (SELECT 1 FROM benefit_take_back b WHERE b.device_id = u.device_id "
    "AND b.use = u.use)",
)
_ALLOWANCE = (
    "SELECT a.id, a.device_id, coalesce(d.name, ''), a.benefit, a.resident_id, coalesce(r.number, ''), a.limit_units, "
    "a.until_ms, a.used_units, a.bound_units, a.balance_units, coalesce(p.at_ms, 0)"
)
_ALLOWANCE_JOINS = (
    "LEFT JOIN device d ON d.id = a.device_id LEFT JOIN resident r ON r.id = a.resident_id "
    "LEFT JOIN paper_report p ON p.device_id = a.device_id AND p.kind = 'purse'"
)
_ALLOWANCES_OF = Among(
    f"{_ALLOWANCE} FROM", 1, f"JOIN benefit_allowance a ON a.resident_id = k.column1 {_ALLOWANCE_JOINS}"
)


def everybody(conn: Connection) -> list[int]:
    """Residents who were ever granted or given anything."""
    rows = conn.execute(
        "SELECT resident_id FROM benefit_grant WHERE result = 'approved' "
        "UNION SELECT resident_id FROM benefit_allowance"
    )
    return [id_ for (id_,) in rows]


def accounts(conn: Connection, residents: Sequence[int]) -> dict[Key, Account]:
    """The accounts of residents, by resident and benefit; one for each that had a grant or a use."""
    granted: dict[Key, list[Grant]] = defaultdict(list)
    taken: dict[Key, list[Use]] = defaultdict(list)
    for resident_id, benefit, *grant_ in among(conn, _GRANTS_OF, residents):
        granted[resident_id, benefit].append(Grant(*grant_))
    for resident_id, benefit, device_id, name, units, at_ms in among(conn, _USES_OF, residents):
        taken[resident_id, benefit].append(Use((device_id, name), units, shown.day_of(at_ms), at_ms))
    return {key: account(granted[key], taken[key]) for key in sorted({*granted, *taken})}


def allowances(conn: Connection, residents: Sequence[int]) -> list[AllowanceRow]:
    """What devices were given of these residents' accounts."""
    return [AllowanceRow(*row) for row in among(conn, _ALLOWANCES_OF, residents)]


def exposed(conn: Connection) -> list[AllowanceRow]:
    """What devices may take without the hub knowing, those first that were not heard of for longest."""
    rows = conn.execute(
        f"{_ALLOWANCE} FROM benefit_allowance a {_ALLOWANCE_JOINS} WHERE a.bound_units > a.used_units "
        "ORDER BY coalesce(p.at_ms, 0), d.name, r.number"
    )
    return [AllowanceRow(*row) for row in rows]


def places(conn: Connection) -> dict[int, str]:
    """Terminals that take benefits: those whose ordered settings say so, and that are not on hold; their names."""
    rows = conn.execute(
        "SELECT d.id, d.name FROM device d LEFT JOIN hold h ON h.device_id = d.id "
        "WHERE d.kind = 'terminal' AND h.device_id IS NULL ORDER BY d.name"
    ).fetchall()
    ordered = policy.ordered(conn, [id_ for id_, _ in rows]) if rows else {}
    return {id_: name for id_, name in rows if id_ in ordered and _takes(ordered[id_].document)}


def _takes(document: dict[str, object]) -> bool:
    table = document.get("terminal")
    return isinstance(table, dict) and table.get("benefits") is True


def follow(conn: Connection, now_ms: int, residents: set[int]) -> None:
    """What is left of some residents' accounts has changed: what devices may take follows, and what was over."""
    give(conn, now_ms, residents)
    say_over(conn, residents)


def give(conn: Connection, now_ms: int, residents: Iterable[int] | None = None) -> int:
    """Brings what devices may take in line with what is left (everybody's, unless said); how many changed."""
    return len(_write(conn, now_ms, due(conn, now_ms, residents)))


class Due(msgspec.Struct, frozen=True):
    """An allowance that is to change; `id` is empty for a new one."""

    id: str
    device_id: int
    benefit: str
    resident_id: int
    held: Held


def due(conn: Connection, now_ms: int, residents: Iterable[int] | None = None) -> list[Due]:
    """Allowances that are not as they are to be."""
    whose = everybody(conn) if residents is None else sorted(set(residents))
    today, known, serving = shown.day_of(now_ms), kinds(conn), places(conn)
    with_card = {id_ for (id_,) in conn.execute("SELECT resident_id FROM benefit_card WHERE taken_back_ms IS NULL")}
    rows = {(one.resident_id, one.benefit, one.device_id): one for one in allowances(conn, whose)}
    found = accounts(conn, whose)
    asked = {(*key, device_id) for key in found for device_id in serving} | set(rows)
    changes = []
    for resident_id, benefit, device_id in sorted(asked):
        if benefit not in known:
            continue
        row = rows.get((resident_id, benefit, device_id))
        held = row.held if row else Held(0, 0, 0, 0)
        serves = device_id in serving and resident_id in with_card
        of = found.get((resident_id, benefit)) or account((), ())
        now = allowance.following(held, allowance.wanted(known[benefit], of, held, today, serves=serves))
        if now is not None and (row or now.limit):
            changes.append(Due(row.id if row else "", device_id, benefit, resident_id, now))
    return changes


def _write(conn: Connection, now_ms: int, changes: Sequence[Due]) -> Sequence[Due]:
    if not changes:
        return changes
    papers.touch(conn, purse.KIND)
    mark = conn.execute("SELECT touched FROM paper_state WHERE kind = ?", (purse.KIND,)).fetchone()[0]
    conn.executemany(
        "INSERT INTO benefit_allowance (id, device_id, benefit, resident_id, limit_units, until_ms, used_units, "
        "bound_units, mark, balance_units, changed_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET limit_units = excluded.limit_units, until_ms = excluded.until_ms, "
        "bound_units = excluded.bound_units, mark = excluded.mark, balance_units = excluded.balance_units, "
        "changed_ms = excluded.changed_ms",
        [_row(one, mark, now_ms) for one in changes],
    )
    return changes


def _row(one: Due, mark: int, now_ms: int) -> tuple[object, ...]:
    # The benefit stands in the name: a hub that was put back from a copy can tell what was used (`use_store`).
    id_, held = one.id or f"{one.benefit}.{secrets.token_hex(5)}", one.held
    whose = (id_, one.device_id, one.benefit, one.resident_id)
    return (*whose, held.limit, held.until_ms, held.used, held.bound, mark, held.balance, now_ms)


def give_up(conn: Connection, device_id: int, now_ms: int) -> int:
    """Nothing more is expected of a device that does not come back: what it was given and whose time is over bounds
    nothing any more.  Uses that it tells after all still count.  How many allowances that were."""
    return conn.execute(
        "UPDATE benefit_allowance SET bound_units = used_units WHERE device_id = ? AND until_ms <= ? "
        "AND limit_units <= used_units AND bound_units > used_units",
        (device_id, now_ms),
    ).rowcount
