"""Punches in another clock's file: which column is what, what each row comes to, what is wrong with it (rule).

1. A person is named by the staff number, else by what is printed on the card.  The time is one timestamp, or a day and
   a time, or a day with a time of coming and one of going; 26:10 is ten past two the next morning.  Without an offset
   it is Japan's.
2. A direction is taken where the file has one; a clock that writes none is as good (the rules find it out).
3. A row that is there already, in the hub or higher up in the file, changes nothing.
4. A time that no such clock can have shown (2000, 2063: its battery was empty) is wrong, not left out.
5. All rows or none: one that is wrong holds up the rest, and of every such row it is told why.  Rows of numbers that
   nobody has here may be left out, when somebody says so.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Container, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Literal, NamedTuple

import msgspec

from hub import day as days
from hub.cells import Cells, letters
from hub.shown import JST, moment

Column = Literal["number", "card", "stamp", "date", "time", "clock_in", "clock_out", "direction"]
COLUMNS: tuple[Column, ...] = ("number", "card", "stamp", "date", "time", "clock_in", "clock_out", "direction")
Direction = Literal["clock_in", "clock_out", ""]
# Milliseconds of a text; raises ValueError.
Reader = Callable[[str], int]
Fate = Literal["new", "closed", "there", "left_out"]
_PROBLEMS = 500
# Longer than any record of hours has to be kept (LSA 109: five years).
_OLDEST = timedelta(days=5 * 366)
_AHEAD_MS = 60_000
_DAY_LINE_MS = 3 * 3_600_000
_HEADINGS: dict[Column, tuple[str, ...]] = {
    "number": (
        "職員番号", "社員番号", "従業員番号", "従業員コード", "社員コード", "職員コード", "個人番号コード", "番号",
        "staffnumber", "employeeid", "employeecode", "employeenumber", "staffid", "userid", "user", "uid", "id", "no",
        "number", "enno", "acno", "pin",
    ),
    "card": ("カード番号", "カード", "カードid", "icカード番号", "cardnumber", "card", "cardno", "cardlabel"),
    "stamp": ("打刻日時", "日時", "打刻時間日時", "timestamp", "datetime", "punchtime", "checktime", "date/time"),
    "date": ("打刻日", "日付", "年月日", "勤務日", "打刻所属日", "date", "day", "workdate"),
    "time": ("打刻時間", "打刻時刻", "時刻", "時間", "time", "clocktime"),
    "clock_in": ("出勤時刻", "出勤時間", "出勤", "始業時刻", "clockin", "checkin", "in", "timein"),
    "clock_out": ("退勤時刻", "退勤時間", "退勤", "終業時刻", "clockout", "checkout", "out", "timeout"),
    "direction": (
        "打刻種別", "種別", "区分", "打刻区分", "出退勤", "出退勤区分", "方向", "direction", "type", "status", "state",
        "punch", "inout", "in/out",
    ),
}  # fmt: skip
_IN = ("出勤", "出", "入", "始業", "in", "i", "clockin", "checkin", "c/in", "0", "出社")
_OUT = ("退勤", "退", "終業", "out", "o", "clockout", "checkout", "c/out", "1", "退社")
# None at all, and what other clocks know besides: going out, coming back, overtime.
_NONE = ("", "none", "-", "なし", "255", "外出", "戻り", "戻", "休憩開始", "休憩終了", "2", "3", "4", "5")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d{1,6})?)?|(\d{1,2})時(\d{1,2})分(?:(\d{1,2})秒)?")
_DIGITS = re.compile(r"(\d{1,2})(\d{2})(\d{2})?")
_OFFSET = re.compile(r"(Z|[+-]\d{2}:?\d{2})")
_STAMP = re.compile(r"(\S+?)(?:\s+|T)(\d{1,2}[:時]\S*?)\s*(Z|[+-]\d{2}:?\d{2})?", re.IGNORECASE)
_PLAIN_STAMP = re.compile(r"(\d{8})(\d{4}|\d{6})")
_PLAIN_DAY = re.compile(r"(\d{4})(\d{2})(\d{2})")


class Problem(NamedTuple):
    """What is wrong: row and column as a spreadsheet names them, what stands there, and why (`punch_wrong_…`)."""

    row: int
    column: str
    found: str
    why: str


class Found(msgspec.Struct, frozen=True):
    """A punch in a row, and what becomes of it."""

    row: int
    staff_id: int
    number: str
    at_ms: int
    direction: Direction
    fate: Fate


class Plan(msgspec.Struct, frozen=True):
    """What a file comes to; nothing is done while there are problems, or when a column is not known."""

    rows: int
    punches: list[Found]
    problems: list[Problem]
    needs: str = ""

    def count(self, fate: Fate) -> int:
        """How many punches have this fate."""
        return sum(one.fate == fate for one in self.punches)

    @property
    def new(self) -> list[Found]:
        """What is to be taken in."""
        return [one for one in self.punches if one.fate in ("new", "closed")]

    @property
    def digest(self) -> str:
        """Tells whether a later plan is the same: what was looked at is what is done."""
        return hashlib.sha256(msgspec.json.encode(self.new)).hexdigest()


class Somebody(NamedTuple):
    """Who may have punched."""

    staff_id: int
    number: str
    since: date
    left: date | None


class Held(NamedTuple):
    """A card in somebody's hands from a moment to before another."""

    staff_id: int
    from_ms: int
    until_ms: int | None


class Known(NamedTuple):
    """What the hub knows: people by number and id, cards by what is printed on them, punches, closed months."""

    people: Mapping[str, Somebody]
    cards: Mapping[str, Sequence[Held]]
    there: Container[tuple[int, int, str]]
    closed: frozenset[str]
    now_ms: int

    def of_card(self, label: str, at_ms: int) -> Somebody | None:
        """Who held a card at a moment."""
        for held in self.cards.get(label, ()):
            if held.from_ms <= at_ms and (held.until_ms is None or at_ms < held.until_ms):
                return next((one for one in self.people.values() if one.staff_id == held.staff_id), None)
        return None


class Given(NamedTuple):
    """A file's table: its headings (or the letters of its columns) and its rows."""

    headings: tuple[str, ...]
    rows: list[Cells]


def given(headings: Sequence[str], rows: Sequence[Cells]) -> Given:
    """The table; a first row that holds a punch is no heading."""
    if any(_is_time(text) for text in headings):
        width = max([len(headings), *(len(cells.texts) for cells in rows)])
        return Given(tuple(letters(place) for place in range(width)), [Cells(1, list(headings)), *rows])
    return Given(tuple(headings), list(rows))


def _is_time(text: str) -> bool:
    return _reads(_stamp, text) or _reads(_day, text)


def guess(table: Given) -> dict[Column, int]:
    """Which column is what, by its heading, else by what stands below."""
    places: dict[Column, int] = {}
    plain = [re.sub(r"[\s_\-()]", "", unicodedata.normalize("NFKC", text)).lower() for text in table.headings]
    for column, names in _HEADINGS.items():
        found = [plain.index(name) for name in names if name in plain]
        if found:
            places[column] = found[0]
    if not places and table.rows:
        places = _guess_bare(table.rows[0].texts)
    if "stamp" in places:
        places = {column: place for column, place in places.items() if column not in ("date", "time")}
    return places


def _guess_bare(texts: Sequence[str]) -> dict[Column, int]:
    """A file without headings: a number in front, then the time."""
    places: dict[Column, int] = {}
    for place, text in enumerate(texts):
        kind: Column | None = None
        if _reads(_stamp, text):
            kind = "stamp"
        elif _reads(_day, text):
            kind = "date"
        elif ":" in text and _reads(_time, text):
            kind = "time"
        elif text.strip().isascii() and text.strip().isalnum():
            kind = "number"
        if kind and kind not in places:
            places[kind] = place
    return places


def _reads(read: Reader, text: str) -> bool:
    try:
        read(_plain(text))
    except ValueError:
        return False
    return True


def plan(table: Given, places: Mapping[Column, int], known: Known, *, leave_unknown: bool = False) -> Plan:
    """What these rows come to."""
    needs = _needs(places)
    if needs:
        return Plan(len(table.rows), [], [], needs)
    intake = _Intake(places, known, leave_unknown=leave_unknown)
    for cells in table.rows:
        intake.row(cells)
    return Plan(len(table.rows), [] if intake.problems else intake.punches, intake.problems[:_PROBLEMS])


def _needs(places: Mapping[Column, int]) -> str:
    """Which column is missing (`punch_needs_…`)."""
    if "number" not in places and "card" not in places:
        return "who"
    whole = "stamp" in places
    parts = "date" in places and ("time" in places or "clock_in" in places or "clock_out" in places)
    return "" if whole or parts else "when"


class _Wrong(Exception):
    """Raised inside a row."""

    def __init__(self, column: Column, found: str, why: str) -> None:
        super().__init__(column, found, why)
        self.column, self.found, self.why = column, found, why


class _Intake:
    """Goes through the rows of one file, and remembers what earlier ones brought."""

    def __init__(self, places: Mapping[Column, int], known: Known, *, leave_unknown: bool) -> None:
        self._places, self._known, self._leave_unknown = places, known, leave_unknown
        self._seen: set[tuple[int, int, str]] = set()
        self.punches: list[Found] = []
        self.problems: list[Problem] = []

    def row(self, cells: Cells) -> None:
        """Takes a row in."""
        try:
            for at_ms, direction in self._times(cells):
                self._punch(cells, at_ms, direction)
        except _Wrong as wrong:
            place = self._places.get(wrong.column)
            column = "" if place is None else letters(place)
            self.problems.append(Problem(cells.number, column, wrong.found[:60], wrong.why))

    def _text(self, cells: Cells, column: Column) -> str:
        place = self._places.get(column)
        return _plain(cells.texts[place]) if place is not None and place < len(cells.texts) else ""

    def _times(self, cells: Cells) -> list[tuple[int, Direction]]:
        if "stamp" in self._places:
            text = self._text(cells, "stamp")
            return [(self._read(_stamp, "stamp", text), self._direction(cells))]
        day = self._read(_day, "date", self._text(cells, "date"))
        found: list[tuple[int, Direction]] = []
        if "time" in self._places:
            found.append((_at(day, self._read(_time, "time", self._text(cells, "time"))), self._direction(cells)))
        ends: tuple[tuple[Column, Direction], ...] = (("clock_in", "clock_in"), ("clock_out", "clock_out"))
        for column, direction in ends if not found else ():
            text = self._text(cells, column)
            if text not in ("", "-"):
                found.append((_at(day, self._read(_time, column, text)), direction))
        if len(found) == 2 and found[1][0] < found[0][0]:
            raise _Wrong("clock_out", self._text(cells, "clock_out"), "before_in")
        return found

    @staticmethod
    def _read(read: Reader, column: Column, text: str) -> int:
        if not text:
            raise _Wrong(column, "", "needed")
        try:
            return read(text)
        except ValueError as error:
            raise _Wrong(column, text, "day" if column == "date" else "time") from error

    def _direction(self, cells: Cells) -> Direction:
        text = self._text(cells, "direction")
        plain = re.sub(r"[\s_\-]", "", text).lower() if text != "-" else text
        if plain in _IN:
            return "clock_in"
        if plain in _OUT:
            return "clock_out"
        if plain in _NONE:
            return ""
        raise _Wrong("direction", text, "direction")

    def _punch(self, cells: Cells, at_ms: int, direction: Direction) -> None:
        when: Column = "stamp" if "stamp" in self._places else "date"
        shown = f"{moment(at_ms):%Y-%m-%d %H:%M:%S}"
        if at_ms > self._known.now_ms + _AHEAD_MS:
            raise _Wrong(when, shown, "future")
        if moment(self._known.now_ms) - moment(at_ms) > _OLDEST:
            raise _Wrong(when, shown, "too_old")
        one = self._who(cells, at_ms, direction)
        if one is None:
            return
        duty = moment(at_ms - _DAY_LINE_MS).date()
        if not one.since <= duty or (one.left is not None and one.left < duty):
            raise _Wrong(when, shown, "not_employed")
        key = (one.staff_id, at_ms, direction)
        fate: Fate = "new"
        if key in self._known.there or key in self._seen:
            fate = "there"
        elif f"{duty:%Y-%m}" in self._known.closed:
            fate = "closed"
        self._seen.add(key)
        self.punches.append(Found(cells.number, one.staff_id, one.number, at_ms, direction, fate))

    def _who(self, cells: Cells, at_ms: int, direction: Direction) -> Somebody | None:
        number, card = self._text(cells, "number"), self._text(cells, "card")
        if not number and not card:
            raise _Wrong("number" if "number" in self._places else "card", "", "needed")
        one = self._known.people.get(number) if number else self._known.of_card(card, at_ms)
        if one is None and not self._leave_unknown:
            raise _Wrong("number" if number else "card", number or card, "unknown_number" if number else "unknown_card")
        if one is None:
            self.punches.append(Found(cells.number, 0, (number or card)[:60], at_ms, direction, "left_out"))
        return one


# ---- days and times


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def _day(text: str) -> int:
    """Milliseconds of a day's 00:00 in Japan. Raises ValueError."""
    plain = _PLAIN_DAY.fullmatch(text)
    found = date(*(int(part) for part in plain.groups())) if plain else date.fromisoformat(days.parse(text))
    return int(datetime(found.year, found.month, found.day, tzinfo=JST).timestamp()) * 1000


def _time(text: str) -> int:
    """Milliseconds since 00:00; up to 29:59. Raises ValueError."""
    found = _TIME.fullmatch(text)
    if found:
        hour, minute, second = (int(part or 0) for part in (found.groups()[:3] if found[1] else found.groups()[3:]))
    else:
        bare = _DIGITS.fullmatch(text)
        if not bare:
            raise ValueError(text)
        hour, minute, second = (int(part or 0) for part in bare.groups())
    if hour > 29 or minute > 59 or second > 59:
        raise ValueError(text)
    return (hour * 3600 + minute * 60 + second) * 1000


def _at(day_ms: int, time_ms: int) -> int:
    return day_ms + time_ms


def _stamp(text: str) -> int:
    """Milliseconds of UTC of a day and a time in one. Raises ValueError."""
    bare = _PLAIN_STAMP.fullmatch(text)
    if bare:
        return _at(_day(bare[1]), _time(bare[2]))
    found = _STAMP.fullmatch(text)
    if not found:
        raise ValueError(text)
    at_ms = _at(_day(found[1]), _time(found[2]))
    return at_ms if not found[3] else at_ms + _ahead_ms(found[3])


def _ahead_ms(offset: str) -> int:
    """How much later than in Japan it is the same time there."""
    zone = UTC
    if offset.upper() != "Z":
        hours, minutes = int(offset[1:3]), int(offset[-2:])
        size = timedelta(hours=hours, minutes=minutes)
        zone = timezone(-size if offset[0] == "-" else size)
    there = zone.utcoffset(None)
    return (timedelta(hours=9) - there) // timedelta(milliseconds=1)
