"""A report as a paper: PDF, A4 across, with the hash of each closed month that it rests on; the same bytes for the
same figures."""

import io
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

from hub.waiver.paper_font import ALONE, font
from hub.words import Language, word

_MARGIN = 12 * mm
_GREY, _LIGHT = colors.HexColor("#595959"), colors.HexColor("#e6e6e6")


def paper(
    title: str,
    head: Sequence[tuple[str, bool]],
    rows: Sequence[Sequence[str]],
    foot: Sequence[str],
    language: Language,
) -> bytes:
    """The file: `head` are headings and whether figures stand below, `foot` are lines under the table."""
    file = io.BytesIO()
    size = landscape(A4)
    with ALONE:
        name = font()
        text = ParagraphStyle("text", fontName=name, fontSize=8, leading=11, wordWrap="CJK")
        right = ParagraphStyle("right", parent=text, alignment=TA_RIGHT)
        large = ParagraphStyle("large", parent=text, fontSize=15, leading=21)
        styles = [right if figure else text for _, figure in head]
        cells: list[list[Flowable]] = [[_of(one, text) for one, _ in head]]
        cells += [[_of(cell, style) for cell, style in zip(row, styles, strict=True)] for row in rows]
        width = (size[0] - 2 * _MARGIN) / len(head)
        table = LongTable(cells, colWidths=[width] * len(head), repeatRows=1)
        table.setStyle(
            TableStyle(
                [
                    ("LINEBELOW", (0, 0), (-1, -1), 0.3, _GREY),
                    ("BACKGROUND", (0, 0), (-1, 0), _LIGHT),
                    ("VALIGN", (0, 0), (-1, -1), "TOP"),
                ]
            )
        )
        body: list[Flowable] = [_of(title, large), Spacer(1, 3 * mm), table, Spacer(1, 4 * mm)]
        body += [_of(line, text) for line in foot]

        def page(canvas: Any, document: Any) -> None:
            canvas.saveState()
            canvas.setFont(name, 8)
            canvas.setFillColor(_GREY)
            canvas.drawString(_MARGIN, 6 * mm, title)
            canvas.drawRightString(size[0] - _MARGIN, 6 * mm, word(language, "paper_page", n=document.page))
            canvas.restoreState()

        document = SimpleDocTemplate(
            file,
            pagesize=size,
            leftMargin=_MARGIN,
            rightMargin=_MARGIN,
            topMargin=_MARGIN,
            bottomMargin=_MARGIN,
            title=title,
            author="machinaka",
            lang="ja-JP" if language == "ja" else "en-GB",
            invariant=1,
        )
        document.build(body, onFirstPage=page, onLaterPages=page)
    return file.getvalue()


def _of(text: str, style: ParagraphStyle) -> Flowable:
    return Paragraph(escape(text), style)
