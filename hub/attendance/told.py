"""How a month's money came about, in sentences (rule): for pages and papers alike."""

from hub import shown
from hub.attendance.explain import Heard, Step, Unit
from hub.attendance.timesheet import Timesheet
from hub.words import Language, word


def formula(language: Language, sheet: Timesheet, unit: Unit) -> str:
    """The unit's formula with its numbers, as a sentence."""
    told, unit_text = f"unit_{unit.formula}", shown.money(language, unit.unit_yen)
    if unit.formula not in ("prefectural", "national"):
        return word(language, told, unit=unit_text)
    return word(
        language,
        told,
        base=f"{unit.base_yen:,}",
        week=hundredths(sheet.profile.week_min),
        day=hundredths(sheet.profile.full_day_min),
        n=unit.weekday_holidays,
        year=hundredths(unit.year_min),
        exact=_exact(unit.exact),
        unit=unit_text,
    )


def step(language: Language, unit: Unit, one: Step) -> str:
    """From the unit and a class's minutes to its yen, as sentences."""
    an_hour, yen = shown.money(language, one.an_hour), shown.money(language, one.yen)
    unit_text, minutes = shown.money(language, unit.unit_yen), f"{one.minutes:,}"
    first = word(language, "step_hour", unit=unit_text, rate=one.rate, exact=_exact(one.exact), an_hour=an_hour)
    if one.hours is None:
        return f"{first} {word(language, 'step_minutes', minutes=minutes, an_hour=an_hour, yen=yen)}"
    rest, hours, time = one.minutes % 60, f"{one.hours:,}", shown.hours_minutes(language, one.minutes)
    key = "step_round_none" if not rest else "step_round_up" if rest >= 30 else "step_round_down"
    rounded = word(language, key, minutes=minutes, time=time, rest=rest, hours=hours)
    return f"{first} {rounded} {word(language, 'step_yen', hours=hours, an_hour=an_hour, yen=yen)}"


def _exact(hundredths_of_yen: int) -> str:
    return f"{hundredths_of_yen // 100:,}.{hundredths_of_yen % 100:02d}"


def hundredths(minutes: int) -> str:
    """Minutes in hours with up to two decimals: 38.75."""
    found = minutes * 100 // 60
    return f"{found // 100:,}" + (f".{found % 100:02d}".rstrip("0") if found % 100 else "")


def clock(language: Language, one: Heard) -> str:
    """How far a terminal's clock was off at a tap."""
    skew_s = one.tap.skew_s
    if not one.tap.trusted:
        return word(language, "clock_unknown")
    if not skew_s:
        return word(language, "clock_right")
    return word(language, "clock_fast" if skew_s > 0 else "clock_slow", n=abs(skew_s))
