"""The parts of a paper: words, tables and rows, in one language and one font."""

from collections.abc import Sequence
from datetime import date
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, KeepTogether, Paragraph, Spacer, Table, TableStyle

from hub import shown
from hub.attendance import bar as bars
from hub.attendance import paper_bar, told
from hub.attendance.explain import Day, Heard, Step, Unit, entries
from hub.attendance.request import Request
from hub.attendance.rules.clause import CLAUSES
from hub.attendance.rules.result import DayResult, Piece
from hub.attendance.timesheet import Line, Timesheet
from hub.words import Language, known_word, word

_GREY, _LIGHT = colors.HexColor("#595959"), colors.HexColor("#e6e6e6")
Cell = str | Flowable


class Writer:
    """Turns values into the parts of a paper, in one language and one font."""

    def __init__(self, language: Language, font: str) -> None:
        self.language, self.font = language, font
        self._small = ParagraphStyle("small", fontName=font, fontSize=8, leading=11, wordWrap="CJK")
        self._text = ParagraphStyle("text", parent=self._small, fontSize=9, leading=13)
        self._head = ParagraphStyle("head", parent=self._small, fontSize=15, leading=20, spaceAfter=2 * mm)
        self._part = ParagraphStyle("part", parent=self._small, fontSize=11, leading=15, spaceBefore=2 * mm)

    # ---- words

    def t(self, key: str, **values: object) -> str:
        return word(self.language, key, **values)

    def span(self, minutes: int | None) -> str:
        return shown.hours_minutes(self.language, minutes)

    def yen(self, yen: int) -> str:
        return shown.money(self.language, yen)

    def month(self, month: str) -> str:
        return self.t("close_month", y=int(month[:4]), m=int(month[5:]))

    def day(self, day: date) -> str:
        return shown.day(self.language, day.isoformat())

    def clock(self, at_ms: int | None, day: date) -> str:
        if at_ms is None:
            return "—"
        at = shown.moment(at_ms)
        return f"{at.hour}:{at:%M}" + (f" {self.t('next_day')}" if at.date() > day else "")

    def state(self, one: DayResult) -> str:
        parts = [self.t(f"day_status_{one.status}"), *(self.t(f"flag_{flag}") for flag in one.flags)]
        return " / ".join([*parts, *(self.t(f"note_{note}") for note in one.notes)])

    # ---- parts

    def title(self, text: str) -> Flowable:
        return Paragraph(escape(text), self._head)

    def text(self, text: str) -> Flowable:
        return Paragraph(escape(text), self._text)

    def part(self, text: str) -> Flowable:
        return Paragraph(escape(text), self._part)

    def small(self, text: str) -> Flowable:
        return Paragraph(escape(text), self._small)

    def table(
        self,
        head: Sequence[str],
        rows: Sequence[Sequence[Cell]],
        widths: Sequence[float] | None,
        right: int | None = None,
    ) -> Flowable:
        style: list[Any] = [
            ("FONT", (0, 0), (-1, -1), self.font, 8),
            ("BACKGROUND", (0, 0), (-1, 0), _LIGHT),
            ("LINEBELOW", (0, 0), (-1, -1), 0.4, _GREY),
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("TOPPADDING", (0, 0), (-1, -1), 2),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
        ]
        if right is not None:
            style.append(("ALIGN", (right, 0), (-1, -1), "RIGHT"))
        found = Table([list(head), *(list(row) for row in rows)], colWidths=widths, repeatRows=1, hAlign="LEFT")
        found.setStyle(TableStyle(style))
        return found

    def closed(self, sheet: Timesheet) -> list[Flowable]:
        if sheet.close is None:
            return [self.text(self.t("paper_open"))]
        version = self.t("month_closed", n=sheet.close.version)
        parts = [self.text(f"{version}  {self.t('month_hash')}: {sheet.close.hash}")]
        return [*parts, self.text(self.t("month_changed"))] if sheet.changed else parts

    def sums_of(self, sheet: Timesheet) -> tuple[list[str], list[list[str]]]:
        head = [self.t(key) for key in ("presence", "regular", "overtime", "allowance_yen")]
        sums, result = sheet.sums, sheet.result
        return head, [
            [self.span(sums.presence), self.span(sums.regular), self.span(result.overtime_min), self.yen(result.yen)]
        ]

    def days(self, sheet: Timesheet) -> Flowable:
        keys = ("day", "state", "clock_in", "clock_out", "presence", "regular", "ordered", "paid", "the_day")
        rows = [self._day_row(line) for line in sheet.lines]
        widths = [30 * mm, 62 * mm, 17 * mm, 19 * mm, 22 * mm, 22 * mm, 20 * mm, 36 * mm, 40 * mm]
        return self.table([self.t(key) for key in keys], rows, widths)

    def _day_row(self, line: Line) -> list[Cell]:
        one = line.result
        name = f"{self.t('month_day', m=one.day.month, d=one.day.day)} ({shown.weekday(self.language, one.day)})"
        quiet = one.status == "off"
        state = self.t(f"kind_{one.kind}") if quiet and one.kind != "work" else self.state(one)
        leaves = [self.t(f"request_leave_{leave.kind}") for leave in line.leaves]
        moved = [self.t(f"moved_{moved}") for moved in line.moved]
        first = [self.small(f"{name} {line.holiday}".strip()), self.small(" / ".join([state, *leaves, *moved]))]
        if quiet and not one.pieces:
            return [*first, *[""] * 7]
        figures = [self.span(one.presence_min), self.span(one.regular_min)]
        ordered = self.span(line.ordered_min) if line.ordered_min else ""
        paid = "\n".join(f"{cls} {self.span(minutes)}" for cls, minutes in line.paid)
        drawn = paper_bar.small(line.bar)
        return [*first, self.clock(one.in_ms, one.day), self.clock(one.out_ms, one.day), *figures, ordered, paid, drawn]

    def unit(self, sheet: Timesheet, unit: Unit) -> list[Flowable]:
        head = [self.t(key) for key in ("pay_class", "minutes_sum", "hours_paid", "yen_hour", "close_yen")]
        rows: list[list[Cell]] = [self._step_row(step) for step in unit.steps]
        rows.append([self.t("close_total"), "", "", "", self.yen(unit.yen)])
        how = [self.text(told.formula(self.language, sheet, unit))]
        how += [self.small(f"{step.cls}: {told.step(self.language, unit, step)}") for step in unit.steps]
        counted, line = self.span(sheet.result.counts_to_60h_min), self.span(sheet.profile.sixty_hours_min)
        how.append(self.small(self.t("sixty_month", counted=counted, line=line)))
        sums = self.table(head, rows, [90 * mm, 44 * mm, 44 * mm, 44 * mm, 46 * mm], right=1)
        name = self.part(self.t("unit_from", day=self.day(unit.since)))
        return [KeepTogether([self.part(self.t("month_sums")), sums]), Spacer(1, 2 * mm), KeepTogether([name, *how])]

    def _step_row(self, step: Step) -> list[Cell]:
        hours = "—" if step.hours is None else self.t("close_hours_n", n=f"{step.hours:,}")
        name = f"{step.cls} {self.t(f'class_{step.cls}')} {step.rate}/100"
        return [self.small(name), self.span(step.minutes), hours, self.yen(step.an_hour), self.yen(step.yen)]

    def adjustments(self, sheet: Timesheet) -> list[Flowable]:
        if not sheet.adjustments:
            return []
        head = [self.t(key) for key in ("close_target", "pay_class", "minutes_sum", "hours_paid", "close_yen")]
        rows = [
            [
                self.month(one.target_month),
                one.cls,
                self.span(one.minutes),
                self.t("close_hours_n", n=one.hours),
                self.yen(one.yen),
            ]
            for one in sheet.adjustments
        ]
        widths = [60 * mm, 40 * mm, 50 * mm, 50 * mm, 68 * mm]
        return [self.part(self.t("close_booked_here")), self.table(head, rows, widths, right=2)]

    # ---- a day

    def facts(self, line: Line) -> tuple[list[str], list[list[str]]]:
        one = line.result
        pairs = [
            (self.t("clock_in"), self.clock(one.in_ms, one.day)),
            (self.t("clock_out"), self.clock(one.out_ms, one.day)),
            (self.t("presence"), self.span(one.presence_min)),
            (self.t("regular"), self.span(one.regular_min)),
            (self.t("ordered"), self.span(line.ordered_min)),
            *((cls, self.span(minutes)) for cls, minutes in line.paid),
            (self.t("unordered_before"), self.span(one.unordered_before_min)),
            (self.t("unordered_after"), self.span(one.unordered_after_min)),
            (self.t("rest_before"), self.span(one.rest_before_min)),
        ]
        return [name for name, _ in pairs], [[value for _, value in pairs]]

    def pieces(self, sheet: Timesheet, one: DayResult, behind: Day) -> Flowable:
        head = [self.t(key) for key in ("from_to", "minutes", "present_ordered", "pay_class", "rule", "entries")]
        rows = [self._piece_row(sheet, one, piece, behind) for piece in one.pieces]
        return self.table(head, rows, [36 * mm, 18 * mm, 40 * mm, 30 * mm, 108 * mm, 36 * mm])

    def _piece_row(self, sheet: Timesheet, one: DayResult, piece: Piece, behind: Day) -> list[Cell]:
        clause = CLAUSES.get(piece.rule)
        rule = f"{clause.says(self.language)} ({clause.law(self.language)})" if clause else piece.rule
        there = self.t("letter_present" if piece.present else "not_present")
        what = [there, *([self.t("letter_ordered")] if piece.ordered else [])]
        what += [self.t(f"letter_{piece.duty}")] if piece.duty else []
        pay = f"{piece.pay} {sheet.profile.rates.get(piece.pay, 0)}/100" if piece.pay else "—"
        asked = [self.t("request_no", n=each.id) for each in entries(piece, behind.requests)]
        shown_span = f"{self._minute(piece.span.begin, one.day)}–{self._minute(piece.span.end, one.day)}"
        minutes = self.t("n_minutes", n=piece.span.end - piece.span.begin)
        behind_it = " ".join(asked) or (self.t("tap_word") if piece.present else "—")
        return [shown_span, minutes, self.small("・".join(what)), pay, self.small(rule), self.small(behind_it)]

    def _minute(self, minute: int, day: date) -> str:
        text, later = bars.minute_text(minute, day)
        return f"{text} {self.t('next_day')}" if later > 0 else text

    def taps(self, heard: Sequence[Heard]) -> list[Flowable]:
        if not heard:
            return [self.text(self.t("day_no_taps"))]
        keys = ("true_time", "raw_clock", "clock_off", "kind_terminal", "direction", "tap_used")
        rows = [self._tap_row(one) for one in heard]
        widths = [58 * mm, 58 * mm, 34 * mm, 34 * mm, 34 * mm, 50 * mm]
        return [self.part(self.t("taps")), self.table([self.t(key) for key in keys], rows, widths)]

    def _tap_row(self, one: Heard) -> list[Cell]:
        raw = "—" if one.raw_ms is None else shown.exact(self.language, one.raw_ms)
        chosen = self.t(one.tap.direction) if one.tap.direction else self.t("by_time")
        used = "tap_suppressed" if not one.kept else f"tap_is_{one.end}" if one.end else "tap_between"
        late = f" / {self.t('note_LATE_UPLOAD')}" if one.tap.late else ""
        exact = shown.exact(self.language, one.tap.at_ms)
        return [exact, raw, told.clock(self.language, one), one.tap.terminal, chosen, self.small(self.t(used) + late)]

    def requests(self, behind: Day) -> list[Flowable]:
        if not behind.requests:
            return []
        head = [self.t(key) for key in ("request_col", "reason", "entered", "decided")]
        rows = [self._request_row(one) for one in behind.requests.values()]
        table = self.table(head, rows, [50 * mm, 70 * mm, 70 * mm, 78 * mm])
        return [KeepTogether([self.part(self.t("day_requests")), table])]

    def _request_row(self, one: Request) -> list[Cell]:
        name = f"{self.t(f'request_kind_{one.kind}')} {self.t('request_no', n=one.id)}"
        entered = f"{one.entered_by} {shown.exact(self.language, one.entered_ms)}"
        decided = [
            f"{self._decision(each.decision)} {each.who} {shown.exact(self.language, each.at_ms)} {each.note}"
            for each in one.decided
        ]
        return [name, self.small(one.reason), self.small(entered), self.small(" / ".join(decided))]

    def _decision(self, decision: str) -> str:
        return known_word(self.language, f"request_state_{'waiting' if decision == 'entered_again' else decision}")

    def sixty(self, behind: Day) -> str:
        one = behind.sixty
        text = self.t("sixty_day", before=self.span(one.before), here=self.span(one.here), after=self.span(one.after))
        if one.line is None:
            return text
        if one.after > one.line:
            return f"{text} {self.t('sixty_passed', line=self.span(one.line))}"
        return f"{text} {self.t('sixty_left', line=self.span(one.line), left=self.span(one.line - one.after))}"
