"""A resident's statement as a paper: PDF, A4 across, in Japanese; the same bytes for the same facts (`invariant`)."""

import io
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from hub import shown
from hub.waiver.paper_font import ALONE, font
from hub.waiver.register_form import shown_phone
from hub.waiver.statement import Row, Statement
from hub.words import word

_MARGIN = 16 * mm
_WIDTHS = [24 * mm, 36 * mm, 28 * mm, 28 * mm, 65 * mm, 28 * mm, 28 * mm, 28 * mm]


def paper(number: str, name: str, account: Statement) -> bytes:
    """The statement of a resident of this number (and name, where names are kept)."""
    file = io.BytesIO()
    title = f"{word('ja', 'statement_title')} {number}"
    # The library's fonts are shared: one paper at a time.
    with ALONE:
        letters = font()
        document = SimpleDocTemplate(
            file,
            pagesize=landscape(A4),
            leftMargin=_MARGIN,
            rightMargin=_MARGIN,
            topMargin=_MARGIN,
            bottomMargin=_MARGIN,
            title=title,
            author="machinaka",
            lang="ja-JP",
            invariant=1,
        )
        document.build(_body(letters, f"{title}　{name}".strip("　"), account))
    return file.getvalue()


def _body(letters: str, title: str, account: Statement) -> list[Flowable]:
    text = ParagraphStyle("text", fontName=letters, fontSize=9, leading=13, wordWrap="CJK")
    head = ParagraphStyle("head", parent=text, fontSize=15, leading=22)
    sums = [("statement_open", account.open)]
    if account.overpaid:
        sums.append(("statement_overpaid", account.overpaid))
    line = "　".join(f"{word('ja', key)} {shown.money('ja', yen)}" for key, yen in sums)
    names = ("month", "phone", "assessed", "waived", "why", "share", "received", "open")
    keys = [f"ledger_{one}" if one in ("phone", "why") else f"statement_{one}" for one in names]
    rows: list[list[Any]] = [[word("ja", key) for key in keys]]
    rows += [_row(one, text) for one in account.rows]
    table = Table(rows, colWidths=_WIDTHS, repeatRows=1, hAlign="LEFT")
    table.setStyle(
        TableStyle(
            [
                ("FONT", (0, 0), (-1, -1), letters, 9),
                ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#e6e6e6")),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, colors.HexColor("#595959")),
                ("ALIGN", (2, 0), (3, -1), "RIGHT"),
                ("ALIGN", (5, 0), (7, -1), "RIGHT"),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ]
        )
    )
    return [Paragraph(escape(title), head), Paragraph(escape(line), text), Spacer(1, 4 * mm), table]


def _row(one: Row, text: ParagraphStyle) -> list[Any]:
    why = "、".join(
        f"{ground.ground} {word('ja', 'ledger_decision', number=ground.decision)}" if ground.decision else ground.ground
        for ground in one.grounds
    )
    sums = [shown.money("ja", yen) for yen in (one.assessed, one.waived, one.share, one.received, one.open)]
    return [one.of_month, shown_phone(one.phone), *sums[:2], Paragraph(escape(why), text), *sums[2:]]
