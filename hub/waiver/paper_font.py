"""The letters of this domain's papers: the system's IPAex Gothic, put into the file; else a font that every reader of
Japanese PDF has.  The library keeps one list of fonts for all: who makes a paper holds `ALONE`."""

import threading
from functools import cache

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from hub.attendance.paper import FONTS

ALONE = threading.Lock()
_NAME, _INSTEAD = "IPAexGothic", "HeiseiKakuGo-W5"


@cache
def font() -> str:
    """The name under which letters are known to the PDF library."""
    if _NAME in pdfmetrics.getRegisteredFontNames():
        return _NAME
    for path in FONTS:
        if path.is_file():
            try:
                pdfmetrics.registerFont(TTFont(_NAME, str(path)))
            except TTFError:
                continue
            return _NAME
    pdfmetrics.registerFont(UnicodeCIDFont(_INSTEAD))
    return _INSTEAD
