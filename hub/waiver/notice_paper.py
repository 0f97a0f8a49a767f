"""A notice of decision as a paper: PDF, A4, in Japanese; the same bytes for the same facts.

Nothing of the moment goes into it (`invariant`), so a notice that was sent can be compared with one that is made anew.
"""

import io
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.enums import TA_CENTER, TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from hub.waiver.notice_letter import Notice
from hub.waiver.paper_font import ALONE, font

_MARGIN = 22 * mm


def paper(notice: Notice) -> bytes:
    """The letter."""
    with ALONE:
        return _made(notice, font())


def _made(notice: Notice, letters: str) -> bytes:
    text = ParagraphStyle("text", fontName=letters, fontSize=10.5, leading=17, wordWrap="CJK")
    small = ParagraphStyle("small", parent=text, fontSize=9, leading=14)
    right = ParagraphStyle("right", parent=text, alignment=TA_RIGHT)
    centre = ParagraphStyle("centre", parent=text, alignment=TA_CENTER)
    title = ParagraphStyle("title", parent=centre, fontSize=15, leading=24, spaceBefore=8 * mm, spaceAfter=6 * mm)
    body: list[Flowable] = [
        Paragraph(escape(notice.form), small),
        Paragraph(escape(notice.number), right),
        Paragraph(escape(notice.day), right),
        Spacer(1, 6 * mm),
        Paragraph(escape(notice.to), text),
        Spacer(1, 4 * mm),
        Paragraph(f"{escape(notice.sender)}　　印", right),
        Paragraph(escape(notice.title), title),
        Paragraph(f"　{escape(notice.says)}", text),
        Spacer(1, 4 * mm),
        Paragraph("記", centre),
        Spacer(1, 3 * mm),
        _table(notice, text),
        Spacer(1, 7 * mm),
        *(Paragraph(f"{n}　{escape(line)}", small) for n, line in enumerate(notice.appeal, 1) if line),
        Spacer(1, 6 * mm),
        Paragraph(escape(f"お問い合わせ　{notice.office}"), right) if notice.office else Spacer(1, 1),
    ]
    file = io.BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=18 * mm,
        bottomMargin=18 * mm,
        title=f"{notice.title} {notice.number}",
        author=notice.town,
        lang="ja-JP",
        invariant=1,
    )
    document.build(body)
    return file.getvalue()


def _table(notice: Notice, text: ParagraphStyle) -> Flowable:
    wide = A4[0] - 2 * _MARGIN
    rows = [[Paragraph(escape(name), text), Paragraph(escape(value), text)] for name, value in notice.rows]
    lines = TableStyle(
        [
            ("GRID", (0, 0), (-1, -1), 0.6, colors.black),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("TOPPADDING", (0, 0), (-1, -1), 5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 5),
        ]
    )
    return Table(rows, colWidths=[42 * mm, wide - 42 * mm], style=lines)
