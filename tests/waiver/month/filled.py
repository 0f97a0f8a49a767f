"""A made-up town written into a hub's database: registers, decisions, usage of tablets and the carriers' bills."""

import random
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from hub.db import Connection
from hub.tablet import usage_store
from hub.told import Told
from hub.waiver import application_store, bill_layout, bill_look, bill_store, register_store, tariff_store
from hub.waiver.application import Application, Asks, Decision
from hub.waiver.bill_look import Asked
from hub.waiver.register import LineTariff, last_of
from hub.waiver.register import Use as LineUse
from hub.waiver.rules.profile import LineFee, Share, Tariff, WaiverRule
from hub.waiver.tariff_store import RuleVersion, TariffVersion
from tests.waiver.month import oracle
from tests.waiver.month.model import CARRIERS, CLAUSES, FIRST, FLAT, GB, PLANS, SHARES, Line, Use, Waiver
from wire.messages import Interface, Usage

NOW_MS = int(datetime(2026, 3, 20, tzinfo=UTC).timestamp() * 1000)


def registers(conn: Connection, town: Iterable[Line], order: int = 0) -> None:
    """Tariffs, rules, lines, residents, who uses which, and what was decided; in an order of `order`'s choice."""
    for plan in PLANS.values():
        tariff_store.put_tariff(conn, TariffVersion(plan.code, FIRST, "", _tariff(plan.code), "hanako", NOW_MS))
    for rule in (*SHARES, *FLAT):
        tariff_store.put_rule(conn, RuleVersion(rule, FIRST, "", rule, CLAUSES[rule], _rule(rule), "hanako", NOW_MS))
    every = list(town)
    dice = random.Random(order)
    if order:
        dice.shuffle(every)
    residents = {use.resident for line in every for use in line.uses}
    for number in sorted(residents, reverse=bool(order)):
        register_store.add_resident(conn, number, {}, NOW_MS)
    ids = {one.number: one.id for one in register_store.residents(conn)}
    acts: list[Callable[[], None]] = []
    for line in every:
        line_id = _add(conn, line)
        for use in line.uses:
            register_store.hand_over(
                conn, LineUse(0, line_id, ids[use.resident], None, None, use.first, use.last, 0, 0), NOW_MS
            )
            if use.waiver:
                acts.append(_deciding(conn, line_id, ids[use.resident], use, use.waiver))
    if order:
        dice.shuffle(acts)
    for act in acts:
        act()


def _tariff(code: str) -> Tariff:
    plan = PLANS[code]
    return Tariff(
        base_yen=plan.base_yen,
        included_bytes=plan.included_bytes,
        block_bytes=GB,
        block_yen=plan.block_yen,
        line_fees=(LineFee(name="universal", yen=2), LineFee(name="relay", yen=1)),
        title=code,
    )


def _rule(code: str) -> WaiverRule:
    if code in SHARES:
        return WaiverRule(share=Share(*SHARES[code]))
    return WaiverRule(amount="resident_flat", flat_yen=FLAT[code])


def _add(conn: Connection, line: Line) -> int:
    values = {
        "phone": line.phone,
        "iccid": line.iccid,
        "carrier": line.carrier,
        "budget_code": line.budget_code,
        "from_day": f"{FIRST}-01",
    }
    line_id = register_store.add_line(conn, values, NOW_MS)
    register_store.set_tariff(conn, line_id, LineTariff(FIRST, line.plan, None))
    return line_id


class _Of(NamedTuple):
    """Whose waiver of which line."""

    line_id: int
    resident_id: int
    waiver: Waiver


def _deciding(conn: Connection, line_id: int, resident_id: int, use: Use, waiver: Waiver) -> Callable[[], None]:
    """Applied for and granted; and what ends it, where something does."""

    def act() -> None:
        of = _Of(line_id, resident_id, waiver)
        root = _granted(conn, of, "grant", None, "", waiver.decision)
        if waiver.ended:
            _granted(conn, of, "end", root, waiver.ended, waiver.decision + "の2")
        if waiver.revoked_from:
            _granted(conn, of, "revoke", root, waiver.revoked_from, waiver.decision + "の3")

    return act


def _granted(conn: Connection, of: _Of, asks: Asks, of_id: int | None, from_day: str, decision: str) -> int:
    waiver = of.waiver
    number = f"申{of.resident_id}-{decision}"
    values = (waiver.rule, waiver.applied, "", from_day, "", "hanako", NOW_MS)
    made = application_store.enter(conn, Application(0, number, asks, of_id, of.resident_id, of.line_id, *values))
    day, clause = waiver.applied, CLAUSES.get(waiver.rule, "要綱第9条")
    application_store.decide(conn, made, Decision("granted", decision, day, clause, "", "", "taro", NOW_MS))
    return made


def revoke(conn: Connection, line: Line, from_day: str, decision: str) -> None:
    """Revokes the waiver of a line's last user, as it turns out later."""
    use = line.uses[-1]
    assert use.waiver
    register = register_store.line_by_phone(conn, line.phone)
    resident = register_store.resident_by_number(conn, use.resident)
    assert register
    assert resident
    (root,) = (
        one
        for one in application_store.of_resident(conn, resident.id)
        if one.asks == "grant" and one.line_id == register.id
    )
    _granted(conn, _Of(register.id, resident.id, use.waiver), "revoke", root.id, from_day, decision)


def change(conn: Connection, line: Line, from_day: str) -> None:
    """The waiver of a line's last user holds from another day on: revoked from its beginning, granted anew."""
    use = line.uses[-1]
    assert use.waiver
    revoke(conn, line, use.waiver.applied[:7] + "-01", use.waiver.decision + "の取消")
    register = register_store.line_by_phone(conn, line.phone)
    resident = register_store.resident_by_number(conn, use.resident)
    assert register
    assert resident
    anew = use.waiver._replace(applied=from_day, decision=use.waiver.decision + "の後")
    _granted(conn, _Of(register.id, resident.id, anew), "grant", None, "", anew.decision)


# ---- usage


def usage(town: Iterable[Line], months: Iterable[str]) -> list[Told]:
    """What the tablets of the second carrier tell: their counters on the last day of each month."""
    found = []
    every = list(months)
    for device, line in enumerate(one for one in town if one.carrier == CARRIERS[1]):
        began_ms = at_ms(f"{FIRST}-01", 0) - 86_400_000
        total, seq = 0, 1
        found.append(_told(device, seq, began_ms, began_ms, line.iccid, total))
        for month in every:
            for hour, more in ((10, 0), (20, line.used[month])):
                total, seq = total + more, seq + 1
                found.append(_told(device, seq, at_ms(last_of(month), hour), began_ms, line.iccid, total))
    return found


def at_ms(day: str, hour: int) -> int:
    """An hour of a day in Japan."""
    return int(datetime.fromisoformat(f"{day}T{hour:02}:00:00+09:00").timestamp() * 1000)


def _told(device: int, seq: int, at_ms: int, began_ms: int, iccid: str, total: int) -> Told:
    body = Usage(interfaces=(Interface("wwan0", total, 0, "mobile", iccid),))
    return Told(
        device + 1,
        f"tablet-{device}",
        seq,
        at_ms,
        at_ms,
        body,
        f"boot-{device}",
        device + 1,
        device + 1,
        at_ms - began_ms,
    )


def hear(conn: Connection, told: list[Told]) -> None:
    """Takes usage in."""
    usage_store.take(conn, told)


# ---- bills


def bill(
    conn: Connection,
    town: Iterable[Line],
    month: str,
    carrier: str,
    extra: Mapping[str, int] | None = None,
    *,
    early: bool = False,
) -> int:
    """The carrier's bill of a month as a file that is imported: as the tariff has it, and `extra` yen by phone number.

    The first carrier tells the data used, the other does not.  `early`: before what the tablets counted.
    """
    content = _file(oracle.contract(town, month, carrier), month, extra or {}, tells=carrier == CARRIERS[0])
    asked = Asked(month, carrier, "csv-line")
    file_hash = bill_look.hash_of(content)
    form = bill_store.shipped()["csv-line"]
    found = bill_look.look(conn, bill_look.read(content, bill_layout.read(form.body, form.code), asked), file_hash)
    assert not found.against, found.against
    wrong = [one for one in found.lines if (one.verdict != "OK") != (one.phone in (extra or {}))]
    assert early or not wrong, wrong[:3]
    made = bill_look.as_bill(found, asked, f"{month}.csv", file_hash, "hanako", NOW_MS)
    return bill_store.keep(conn, made, found.lines, content)


def _file(rows: Iterable[tuple[Line, int, int, int]], month: str, extra: Mapping[str, int], *, tells: bool) -> bytes:
    head = (
        "利用年月,請求書番号,支払期限,電話番号,ICCID,基本料,ユニバーサルサービス料,電話リレーサービス料,超過通信料,"
        "国際ローミング,小計（税抜）,通信量（バイト）"
    )
    lines = [head]
    for line, ex_tax, _, used in rows:
        base = PLANS[line.plan].base_yen + extra.get(line.phone, 0)
        over = ex_tax - PLANS[line.plan].base_yen - PLANS[line.plan].fee_yen
        charges = f"{base},2,1,{over},0,{base + 3 + over}"
        lines.append(f"{month.replace('-', '')},B-{month},,{line.phone},{line.iccid},{charges},{used if tells else ''}")
    return "".join(f"{line}\r\n" for line in lines).encode("cp932")
