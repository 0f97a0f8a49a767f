"""How figures are shown: time as people say it, bytes, spans.  Asia/Tokyo; integers only (rule)."""

from datetime import UTC, date, datetime, timedelta, timezone

from hub.words import Language, word

JST = timezone(timedelta(hours=9), "JST")
_WEEKDAYS = ("月火水木金土日", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))
_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def moment(at_ms: int) -> datetime:
    """A time in Japan. Figures outside the calendar show as its ends."""
    try:
        return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(JST)
    except (OverflowError, ValueError, OSError):
        return datetime.max.replace(tzinfo=JST) if at_ms > 0 else datetime.min.replace(tzinfo=JST)


def day_of(at_ms: int) -> str:
    """The day in Japan, as YYYY-MM-DD."""
    return moment(at_ms).date().isoformat()


def day_start_ms(day: date) -> int:
    """When a day begins in Japan, in milliseconds of UTC."""
    return int(datetime(day.year, day.month, day.day, tzinfo=JST).timestamp()) * 1000


def exact(language: Language, at_ms: int) -> str:
    """Date, weekday and time to the second."""
    when = moment(at_ms)
    if language == "ja":
        return f"{when.year}年{when.month}月{when.day}日({_WEEKDAYS[0][when.weekday()]}) {when:%H:%M:%S}"
    return f"{_WEEKDAYS[1][when.weekday()]} {when:%Y-%m-%d %H:%M:%S}"


def day(language: Language, iso: str) -> str:
    """A day (YYYY-MM-DD) as people write it; what is none as it is."""
    try:
        when = date.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{when.year}年{when.month}月{when.day}日" if language == "ja" else iso


def hours_minutes(language: Language, minutes: int | None) -> str:
    """A number of minutes in hours and minutes, however many hours; a dash for none known."""
    if minutes is None:
        return "—"
    hours, rest = divmod(abs(minutes), 60)
    return ("−" if minutes < 0 else "") + word(language, "span_hours", h=f"{hours:,}", m=f"{rest:02d}")


def money(language: Language, yen: int) -> str:
    """Yen."""
    sign = "−" if yen < 0 else ""
    return f"{sign}{abs(yen):,}円" if language == "ja" else f"{sign}¥{abs(yen):,}"


def weekday(language: Language, when: date) -> str:
    """The day of the week, short."""
    return _WEEKDAYS[0 if language == "ja" else 1][when.weekday()]


def said(language: Language, at_ms: int, now_ms: int) -> str:
    """As people say it: just now, minutes, hours, today, yesterday, or the date."""
    minutes = (now_ms - at_ms) // 60_000
    if 0 <= minutes < 1:
        return word(language, "just_now")
    if 0 < minutes < 60:
        return word(language, "minutes_ago", n=minutes)
    when, now = moment(at_ms), moment(now_ms)
    clock = f"{when.hour}:{when:%M}"
    if when.date() == now.date():
        return word(language, "day_today", time=clock)
    if when.date() == now.date() - timedelta(days=1):
        return word(language, "day_yesterday", time=clock)
    return f"{when:%Y-%m-%d} {clock}"


def clock_time(at_ms: int) -> str:
    """Hours, minutes and seconds."""
    return f"{moment(at_ms):%H:%M:%S}"


def span(language: Language, seconds: int) -> str:
    """A duration in its two largest units."""
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if days:
        return word(language, "span_days", d=days, h=hours % 24)
    if hours:
        return word(language, "span_hours", h=hours, m=minutes % 60)
    return word(language, "span_minutes", m=minutes)


def data(count: int) -> str:
    """Bytes with one decimal, in thousands (as carriers bill)."""
    unit, scale = 0, 1
    while count >= scale * 1000 and unit < len(_UNITS) - 1:
        unit, scale = unit + 1, scale * 1000
    if unit == 0:
        return f"{count} B"
    tenths = count * 10 // scale
    return f"{tenths // 10}.{tenths % 10} {_UNITS[unit]}"


def count(number: int) -> str:
    """A number with commas between thousands."""
    return f"{number:,}"


def permille(figure: int) -> str:
    """Tenths of a percent as percent."""
    return f"{figure // 10}.{figure % 10} %"


def celsius(milli: int | None) -> str:
    """Thousandths of a degree as degrees with one decimal."""
    if milli is None:
        return "—"
    tenths = abs(milli) // 100
    return f"{'-' if milli < 0 and tenths else ''}{tenths // 10}.{tenths % 10} °C"
