"""SQL of tariffs and rules of waiver, dated by month of use, and of what letters say of the town."""

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from hub.db import Connection
from hub.waiver.rules.profile import Tariff, WaiverRule, read_rule, read_tariff, rule_body, tariff_body


class TariffVersion(msgspec.Struct, frozen=True):
    """A tariff from a month of use on; an empty `to_month` is open."""

    code: str
    from_month: str
    to_month: str
    tariff: Tariff
    entered_by: str
    entered_ms: int


class RuleVersion(msgspec.Struct, frozen=True):
    """A rule of waiver from a month of use on; an empty `to_month` is open."""

    code: str
    from_month: str
    to_month: str
    name: str
    clause: str
    rule: WaiverRule
    entered_by: str
    entered_ms: int


_Version = TypeVar("_Version", TariffVersion, RuleVersion)


def tariffs(conn: Connection) -> list[TariffVersion]:
    """Every version, by code, newest first."""
    return [
        TariffVersion(code, first, last, read_tariff(msgspec.json.decode(body), f"tariff {code}"), by, at_ms)
        for code, first, last, body, by, at_ms in conn.execute(
            "SELECT code, from_month, to_month, body, entered_by, entered_ms FROM tariff ORDER BY code, from_month DESC"
        )
    ]


def rules(conn: Connection) -> list[RuleVersion]:
    """Every version, by code, newest first; its clause is its rule's too."""
    rows = conn.execute(
        "SELECT code, from_month, to_month, name, clause, body, entered_by, entered_ms FROM waiver_rule "
        "ORDER BY code, from_month DESC"
    )
    found = []
    for code, first, last, name, clause, body, by, at_ms in rows:
        rule = read_rule(msgspec.json.decode(body), f"rule {code}")
        rule = msgspec.structs.replace(rule, clause=clause)
        found.append(RuleVersion(code, first, last, name, clause, rule, by, at_ms))
    return found


def tariffs_in(conn: Connection, month: str) -> dict[str, Tariff]:
    """The tariffs of a month of use, by code: of each the newest version that has begun, unless it has ended."""
    return {code: one.tariff for code, one in _in(tariffs(conn), month).items()}


def rules_in(conn: Connection, month: str) -> dict[str, WaiverRule]:
    """The rules of a month of use, by code."""
    return {code: one.rule for code, one in _in(rules(conn), month).items()}


def _in(versions: Iterable[_Version], month: str) -> dict[str, _Version]:
    """Versions come newest first."""
    begun: dict[str, _Version] = {}
    for one in versions:
        if one.from_month <= month:
            begun.setdefault(one.code, one)
    return {code: one for code, one in begun.items() if not one.to_month or month <= one.to_month}


def put_tariff(conn: Connection, one: TariffVersion) -> None:
    """Keeps a version; one that began with the same month gives way (not one that a closed month went by)."""
    conn.execute(
        "INSERT INTO tariff (code, from_month, to_month, body, entered_by, entered_ms) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (code, from_month) DO UPDATE SET to_month = excluded.to_month, body = excluded.body, "
        "entered_by = excluded.entered_by, entered_ms = excluded.entered_ms",
        (
            one.code,
            one.from_month,
            one.to_month,
            msgspec.json.encode(tariff_body(one.tariff)).decode(),
            one.entered_by,
            one.entered_ms,
        ),
    )


def put_rule(conn: Connection, one: RuleVersion) -> None:
    """Keeps a version; one that began with the same month gives way (not one that a closed month went by)."""
    conn.execute(
        "INSERT INTO waiver_rule (code, from_month, to_month, name, clause, body, entered_by, entered_ms) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (code, from_month) DO UPDATE SET to_month = excluded.to_month, "
        "name = excluded.name, clause = excluded.clause, body = excluded.body, entered_by = excluded.entered_by, "
        "entered_ms = excluded.entered_ms",
        (
            one.code,
            one.from_month,
            one.to_month,
            one.name,
            one.clause,
            msgspec.json.encode(rule_body(one.rule)).decode(),
            one.entered_by,
            one.entered_ms,
        ),
    )


def closed_through(conn: Connection) -> str:
    """The last month of lines that is closed; empty for none."""
    row = conn.execute("SELECT coalesce(max(month), '') FROM ledger_close WHERE area = 'line'").fetchone()
    return str(row[0])


def letter(conn: Connection) -> dict[str, str]:
    """What letters of decision say of the town; empty until somebody has entered it."""
    row = conn.execute("SELECT body FROM waiver_letter WHERE id = 1").fetchone()
    return msgspec.json.decode(row[0], type=dict[str, str]) if row else {}


def put_letter(conn: Connection, values: dict[str, str], who: str, now_ms: int) -> None:
    """Keeps that."""
    conn.execute(
        "INSERT INTO waiver_letter VALUES (1, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body, "
        "changed_by = excluded.changed_by, changed_ms = excluded.changed_ms",
        (msgspec.json.encode(values).decode(), who, now_ms),
    )
