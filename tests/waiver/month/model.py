"""A town that was made up by a seed, as plain values: what the hub is told of, and what the slow oracle works from."""

import random
from typing import NamedTuple

CARRIERS = ("山海モバイル", "北斗通信")
BUDGETS = ("02-01-11-000", "10-04-11-000")
FIRST = "2026-04"
GB = 1_000_000_000


class Plan(NamedTuple):
    """A tariff, before tax: what is included, and what each started gigabyte beyond it costs."""

    code: str
    base_yen: int
    included_bytes: int
    block_yen: int
    fee_yen: int = 3


PLANS = {one.code: one for one in (Plan("s3", 1480, 3 * GB, 500), Plan("s10", 2755, 10 * GB, 330))}
# A share of base and fees that is waived, or what the resident pays at most a month.
SHARES = {"full": (1, 1), "half": (1, 2), "third": (1, 3)}
FLAT = {"flat": 1000}
CLAUSES = {"full": "要綱第3条第1号", "half": "要綱第3条第2号", "third": "要綱第3条第3号", "flat": "要綱第4条"}


class Waiver(NamedTuple):
    """A waiver of a resident on a line, from the month of the application on."""

    rule: str
    applied: str
    decision: str
    ended: str = ""
    revoked_from: str = ""


class Use(NamedTuple):
    """Who had the line from when to when (the last day counts)."""

    resident: str
    first: str
    last: str = ""
    waiver: Waiver | None = None


class Line(NamedTuple):
    """A line with all that happens on it."""

    phone: str
    iccid: str
    carrier: str
    plan: str
    budget_code: str
    uses: tuple[Use, ...]
    used: dict[str, int]


def months_from(first: str, count: int) -> list[str]:
    """So many months."""
    year, number = int(first[:4]), int(first[5:])
    return [f"{year + (number - 1 + n) // 12:04}-{(number - 1 + n) % 12 + 1:02}" for n in range(count)]


def town(lines: int, seed: int = 1, months: int = 12) -> list[Line]:
    """A town of so many lines, the same for the same seed."""
    dice = random.Random(seed)
    return [_line(dice, n, months_from(FIRST, months)) for n in range(lines)]


def _line(dice: random.Random, n: int, months: list[str]) -> Line:
    plan = dice.choice(list(PLANS))
    included = PLANS[plan].included_bytes
    uses = _uses(dice, n, months)
    used = {month: dice.choice((0, 0, included, included + 1, dice.randrange(2 * included))) for month in months}
    return Line(
        phone=f"080{n:08}",
        iccid=f"89811000{n:011}",
        carrier=CARRIERS[n % 2],
        plan=plan,
        budget_code=dice.choice(BUDGETS),
        uses=uses,
        # A tablet that nobody has lies in the cupboard.
        used={month: much if any(use.first[:7] <= month for use in uses) else 0 for month, much in used.items()},
    )


def _uses(dice: random.Random, n: int, months: list[str]) -> tuple[Use, ...]:
    chance = dice.random()
    if chance < 0.05:
        return ()
    begin = f"{FIRST}-01" if chance < 0.8 else f"{dice.choice(months)}-{dice.randrange(1, 29):02}"
    if chance < 0.95:
        return (Use(f"R{n:05}", begin, "", _waiver(dice, n, months, "")),)
    change = dice.choice(months[1:])
    return (
        Use(f"R{n:05}", f"{FIRST}-01", f"{change}-10", _waiver(dice, n, months, "a")),
        Use(f"S{n:05}", f"{change}-11", "", _waiver(dice, n, months, "b")),
    )


def _waiver(dice: random.Random, n: int, months: list[str], sign: str) -> Waiver | None:
    if dice.random() < 0.25:
        return None
    applied = f"{dice.choice(('2026-03', *months))}-{dice.randrange(1, 29):02}"
    chance = dice.random()
    later = [month for month in months if month > applied[:7]]
    ended = f"{dice.choice(later)}-{dice.randrange(1, 29):02}" if later and chance < 0.2 else ""
    revoked = f"{dice.choice(later)}-01" if later and 0.2 <= chance < 0.3 else ""
    rule = dice.choice([*SHARES, *FLAT])
    return Waiver(rule, applied, f"町決第{n}{sign}号", ended, revoked)
