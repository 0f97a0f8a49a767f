"""A person's month, and a day with the reasons of its figures, as papers: PDF, A4, the same bytes for the same facts.

1. A paper says what the page says, from the same values; it carries the staff number, and a name where they are kept.
2. Nothing of the moment goes into it: no date of printing, no random number (`invariant`), so a paper that was kept can
   be compared with one that is made anew.
3. Letters come from the IPAex Gothic of the system, put into the file; where it is missing from a font that every
   reader of Japanese PDF has (HeiseiKakuGo-W5).
"""

import io
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.platypus import Flowable, SimpleDocTemplate, Spacer

from hub import shown
from hub.attendance import bar, paper_bar
from hub.attendance.explain import Day, Unit
from hub.attendance.paper_parts import Writer
from hub.attendance.timesheet import Line, Timesheet
from hub.words import Language

FONTS = (
    Path("/usr/share/fonts/opentype/ipaexfont-gothic/ipaexg.ttf"),
    Path("/usr/share/fonts/truetype/ipaexfont-gothic/ipaexg.ttf"),
    Path("/usr/share/fonts/ipaexfont-gothic/ipaexg.ttf"),
)
_MARGIN = 14 * mm
_GREY = colors.HexColor("#595959")
_ALONE = threading.Lock()


def month_paper(sheet: Timesheet, units: Sequence[Unit], language: Language, fonts: Sequence[Path] = FONTS) -> bytes:
    """The month of somebody."""
    write = Writer(language, _font(tuple(fonts)))
    title = f"{write.month(sheet.month)} {write.t('timesheet')}"
    body: list[Flowable] = [write.title(f"{title}  {_who(sheet)}")]
    body += write.closed(sheet)
    body.append(write.table(*write.sums_of(sheet), widths=[67 * mm] * 4))
    body += [Spacer(1, 4 * mm), write.days(sheet), Spacer(1, 4 * mm)]
    for unit in units:
        body += write.unit(sheet, unit)
    body += write.adjustments(sheet)
    return _made(body, f"{title} {sheet.member.number}", write, landscape(A4))


def day_paper(sheet: Timesheet, line: Line, behind: Day, language: Language, fonts: Sequence[Path] = FONTS) -> bytes:
    """A day of somebody, with the reasons."""
    write = Writer(language, _font(tuple(fonts)))
    one = line.result
    title = f"{write.day(one.day)} ({shown.weekday(language, one.day)})"
    kind = line.holiday or write.t(f"kind_{one.kind}")
    body: list[Flowable] = [write.title(f"{title}  {_who(sheet)}"), write.text(f"{kind}  {write.state(one)}")]
    body += write.closed(sheet)
    body += [write.table(*write.facts(line), widths=None), Spacer(1, 4 * mm)]
    if one.pieces:
        drawn = paper_bar.large(bar.bar(one, sheet.profile.night), language, write.font)
        body += [drawn, Spacer(1, 3 * mm), write.pieces(sheet, one, behind)]
    body += [Spacer(1, 4 * mm), *write.taps(behind.heard), *write.requests(behind)]
    body.append(write.text(write.sixty(behind)))
    body.append(write.text(write.t("then_month")))
    return _made(body, f"{title} {sheet.member.number}", write, landscape(A4))


def _who(sheet: Timesheet) -> str:
    return f"{sheet.member.number} {sheet.member.name}".strip()


@cache
def _font(fonts: tuple[Path, ...]) -> str:
    """The name under which letters are known to the PDF library."""
    for path in fonts:
        if path.is_file():
            try:
                pdfmetrics.registerFont(TTFont("IPAexGothic", str(path)))
            except TTFError:
                continue
            return "IPAexGothic"
    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiKakuGo-W5"))
    return "HeiseiKakuGo-W5"


def _made(body: list[Flowable], title: str, write: Writer, size: tuple[float, float]) -> bytes:
    file = io.BytesIO()

    def foot(canvas: Any, document: Any) -> None:
        canvas.saveState()
        canvas.setFont(write.font, 8)
        canvas.setFillColor(_GREY)
        canvas.drawString(_MARGIN, 7 * mm, title)
        canvas.drawRightString(size[0] - _MARGIN, 7 * mm, write.t("paper_page", n=document.page))
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
        lang="ja-JP" if write.language == "ja" else "en-GB",
        invariant=1,
    )
    # The library's fonts are shared: one paper at a time.
    with _ALONE:
        document.build(body, onFirstPage=foot, onLaterPages=foot)
    return file.getvalue()
