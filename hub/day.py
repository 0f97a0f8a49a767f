"""Days as people in Japan write them (rule): 2026-04-01, 2026/4/1, 2026年4月1日, 令和8年4月1日, R8.4.1, 令和元年."""

import re
import unicodedata
from datetime import date

# First and last day of each era (改元の政令); the last of the present one is not known.
_ERAS: dict[str, tuple[date, date]] = {
    "令和": (date(2019, 5, 1), date.max),
    "平成": (date(1989, 1, 8), date(2019, 4, 30)),
    "昭和": (date(1926, 12, 25), date(1989, 1, 7)),
}
_LETTERS = {"R": "令和", "H": "平成", "S": "昭和", "令": "令和", "平": "平成", "昭": "昭和"}
_WESTERN = re.compile(r"(\d{4})(?:[-/.](\d{1,2})[-/.](\d{1,2})|年(\d{1,2})月(\d{1,2})日)(?: 0{1,2}:00(?::00)?)?")
_ERA = re.compile(
    r"(令和|平成|昭和|[RHS令平昭])\s*(\d{1,2}|元)(?:[-/.](\d{1,2})[-/.](\d{1,2})|年(\d{1,2})月(\d{1,2})日)"
)


def parse(text: str) -> str:
    """The day as YYYY-MM-DD. Raises ValueError for what is no day, or a day that its era did not have."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if found := _WESTERN.fullmatch(plain):
        year, *rest = found.groups()
        return _day(int(year), rest).isoformat()
    if found := _ERA.fullmatch(plain.upper()):
        name, of_era, *rest = found.groups()
        begin, end = _ERAS[_LETTERS.get(name, name)]
        day = _day(begin.year - 1 + (1 if of_era == "元" else int(of_era)), rest)
        if begin <= day <= end:
            return day.isoformat()
    raise ValueError(f"{text!r} is no day")


def in_era(iso: str) -> str:
    """The same day with the name of its era, as official letters have it; older days as they are."""
    day = date.fromisoformat(iso)
    for name, (begin, end) in _ERAS.items():
        if begin <= day <= end:
            year = day.year - begin.year + 1
            return f"{name}{'元' if year == 1 else year}年{day.month}月{day.day}日"
    return iso


def _day(year: int, month_and_day: list[str | None]) -> date:
    month, day = (int(part) for part in month_and_day if part is not None)
    return date(year, month, day)
