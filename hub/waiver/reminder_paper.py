"""Letters that remind (督促状): PDF, A4, one page a resident, the same bytes for the same letters.

1. In Japanese only: they go to residents.  A name stands on them where the town keeps names, else the number.
2. The days and the sender are what somebody entered; no moment of ours goes into it (`invariant`).
"""

import io
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

import msgspec
from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from hub import shown
from hub.day import in_era
from hub.waiver.paper_font import ALONE, font
from hub.waiver.register_form import shown_phone
from hub.waiver.reminder import Letter

_MARGIN = 25 * mm


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """What stands on every letter: days as YYYY-MM-DD, who sends it, where to ask."""

    day: str
    pay_by_day: str
    sender: str
    contact: str = ""


def letters(about: Sheet, some: Sequence[Letter]) -> bytes:
    """The letters as a file."""
    file = io.BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=f"督促状 {about.day}",
        author="machinaka",
        lang="ja-JP",
        invariant=1,
    )
    # The library's fonts are shared: one paper at a time.
    with ALONE:
        write = _Writer(font())
        body: list[Flowable] = []
        for letter in some:
            body += [*write.letter(about, letter), PageBreak()]
        document.build(body[:-1])
    return file.getvalue()


class _Writer:
    def __init__(self, name: str) -> None:
        self._font = name
        self._text = ParagraphStyle("text", fontName=name, fontSize=11, leading=19, wordWrap="CJK")
        self._right = ParagraphStyle("right", parent=self._text, alignment=TA_RIGHT)
        self._title = ParagraphStyle("title", parent=self._text, fontSize=18, leading=26, alignment=TA_CENTER)

    def letter(self, about: Sheet, one: Letter) -> list[Flowable]:
        """One resident's page."""
        to = f"{one.name} 様" if one.name else f"利用者番号 {one.number} 様"
        found: list[Flowable] = [self._of(in_era(about.day), self._right), self._of(to)]
        if one.name:
            found.append(self._of(f"(利用者番号 {one.number})"))
        found += [self._of(about.sender, self._right), Spacer(1, 8 * mm), self._of("督促状", self._title)]
        found += [Spacer(1, 6 * mm), self._of(_SAYS.format(day=in_era(about.pay_by_day))), Spacer(1, 5 * mm)]
        found += [self._table(one), Spacer(1, 6 * mm)]
        found += [self._of(f"納付期限  {in_era(about.pay_by_day)}"), Spacer(1, 3 * mm)]
        found.append(self._of("この督促状と行き違いに納付いただいたときは、ご容赦ください。"))
        if about.contact:
            found.append(self._of(f"お問い合わせ  {about.contact}"))
        return found

    def _of(self, text: str, style: ParagraphStyle | None = None) -> Flowable:
        return Paragraph(escape(text), style or self._text)

    def _table(self, one: Letter) -> Flowable:
        rows = [
            [_month(month.of_month), shown_phone(month.phone), shown.money("ja", month.yen)] for month in one.months
        ]
        rows = [["利用月", "回線", "未納額"], *rows, ["合計", "", shown.money("ja", one.yen)]]
        style: list[Any] = [
            ("FONT", (0, 0), (-1, -1), self._font, 10),
            ("GRID", (0, 0), (-1, -1), 0.5, colors.black),
            ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#e6e6e6")),
            ("ALIGN", (2, 0), (2, -1), "RIGHT"),
        ]
        table = Table(rows, colWidths=[50 * mm, 60 * mm, 50 * mm], repeatRows=1)
        table.setStyle(TableStyle(style))
        return table


_SAYS = (
    "下記の貸出タブレットの通信使用料が、納期限を過ぎてもまだ納付されていません。"
    "{day}までに納付してください。免除の事由に変わりがあったときや、納付が難しいときは、下記へご相談ください。"
)


def _month(month: str) -> str:
    """A month of use with its era."""
    return in_era(f"{month}-01").removesuffix("1日")
