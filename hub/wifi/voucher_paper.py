"""A sheet of vouchers: PDF, A4, ten to a page, to be cut along the lines.

1. A code is large, in two groups, in letters that are told apart when written by hand as well.
2. Each voucher says all that its guest needs, in Japanese and English: network, address (also as a QR code), minutes,
   devices, until when, and its number, which staff can find it by.
3. Nothing of the moment goes into it (`invariant`): the same vouchers give the same bytes.
"""

import io
import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import segno
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas

from hub.attendance.paper import FONTS
from hub.wifi.voucher import Printed, grouped

ACROSS, DOWN = 2, 5
A_PAGE = ACROSS * DOWN
_MARGIN_X, _MARGIN_Y = 12 * mm, 13 * mm
_WIDE, _HIGH = (A4[0] - 2 * _MARGIN_X) / ACROSS, (A4[1] - 2 * _MARGIN_Y) / DOWN
_PAD, _QR = 4 * mm, 23 * mm
# One of the fonts that every reader of PDF has; its 0 and O are not in a code.
_CODE_FONT, _CODE_SIZE = "Courier-Bold", 21
_ALONE = threading.Lock()


class Sheet(msgspec.Struct, frozen=True):
    """What stands on every voucher of a batch; `until` is a day as YYYY-MM-DD, `address` the portal's."""

    label: str
    network: str
    address: str
    minutes: int
    devices: int
    until: str


def sheet(about: Sheet, some: Sequence[Printed], fonts: Sequence[Path] = FONTS) -> bytes:
    """The sheet as a file."""
    file = io.BytesIO()
    # The library's fonts are shared: one sheet at a time.
    with _ALONE:
        font = _font(tuple(fonts))
        canvas = Canvas(file, pagesize=A4, invariant=1, lang="ja-JP")
        canvas.setTitle(f"Wi-Fi利用券 {about.label}")
        canvas.setAuthor("machinaka")
        pages = -(-len(some) // A_PAGE)
        for number in range(pages):
            for place, one in enumerate(some[number * A_PAGE : (number + 1) * A_PAGE]):
                row, column = divmod(place, ACROSS)
                _voucher(canvas, font, about, one, (_MARGIN_X + column * _WIDE, A4[1] - _MARGIN_Y - (row + 1) * _HIGH))
            canvas.setFont(font, 7)
            canvas.drawRightString(A4[0] - _MARGIN_X, 6 * mm, f"{about.label}  {number + 1} / {pages}")
            canvas.showPage()
        canvas.save()
    return file.getvalue()


def _voucher(canvas: Canvas, font: str, about: Sheet, one: Printed, corner: tuple[float, float]) -> None:
    x, y = corner
    canvas.setLineWidth(0.3)
    canvas.setDash(2, 2)
    canvas.rect(x, y, _WIDE, _HIGH)
    canvas.setDash()
    left, top = x + _PAD, y + _HIGH - _PAD
    _text(canvas, font, 11, left, top - 3.5 * mm, "Wi-Fi利用券  Wi-Fi voucher")
    _text(canvas, font, 7, x + _WIDE - _PAD, top - 3.2 * mm, f"No. {one.id}", right=True)
    canvas.setFont(_CODE_FONT, _CODE_SIZE)
    canvas.drawString(left, top - 13 * mm, grouped(one.code))
    words = _WIDE - 2 * _PAD - _QR - 2 * mm
    lines = (
        f"{_span(about.minutes)[0]}・{about.devices}台まで・{_day(about.until)}まで",
        f"{_span(about.minutes)[1]}, {_devices(about.devices)}, until {about.until}",
        "",
        f"1. Wi-Fi「{about.network}」につなぎます。",
        "2. 開いた画面で「利用券」を選びます。",
        "3. 上の番号を入力します。",
        'Join the network, choose "voucher" and type the code.',
        about.address,
    )
    line_y = top - 18 * mm
    for line in lines:
        size = _fitting(line, font, 7.5, words)
        _text(canvas, font, size, left, line_y, line)
        line_y -= 3.6 * mm if line else 1.2 * mm
    _qr(canvas, about.address, x + _WIDE - _PAD - _QR, y + _PAD)


def _text(canvas: Canvas, font: str, size: float, x: float, y: float, text: str, *, right: bool = False) -> None:
    canvas.setFont(font, size)
    (canvas.drawRightString if right else canvas.drawString)(x, y, text)


def _fitting(text: str, font: str, size: float, wide: float) -> float:
    """The size in which a line fits; a network's name may be long."""
    needed = pdfmetrics.stringWidth(text, font, size)
    return float(size if needed <= wide else size * wide / needed)


def _span(minutes: int) -> tuple[str, str]:
    if minutes % 1440 == 0:
        days = minutes // 1440
        return f"{days}日間", "1 day" if days == 1 else f"{days} days"
    if minutes % 60 == 0:
        hours = minutes // 60
        return f"{hours}時間", "1 hour" if hours == 1 else f"{hours} hours"
    return f"{minutes}分", f"{minutes} min"


def _devices(n: int) -> str:
    return "1 device" if n == 1 else f"{n} devices"


def _day(iso: str) -> str:
    year, month, day = (int(part) for part in iso.split("-"))
    return f"{year}年{month}月{day}日"


def _qr(canvas: Canvas, text: str, x: float, y: float) -> None:
    """Drawn as lines of a row each; dark on white with four modules of margin."""
    rows = [list(row) for row in segno.make(text, error="m", micro=False).matrix]
    margin = 4
    module = _QR / (len(rows) + 2 * margin)
    canvas.setFillGray(0)
    for down, row in enumerate(rows):
        begin: int | None = None
        for across in range(len(row) + 1):
            dark = across < len(row) and bool(row[across])
            if dark and begin is None:
                begin = across
            elif not dark and begin is not None:
                top = y + _QR - (margin + down + 1) * module
                canvas.rect(x + (margin + begin) * module, top, (across - begin) * module, module, stroke=0, fill=1)
                begin = None


@cache
def _font(fonts: tuple[Path, ...]) -> str:
    """The name under which letters are known to the PDF library."""
    known: Any = pdfmetrics.getRegisteredFontNames()
    for path in fonts:
        if path.is_file():
            if "IPAexGothic" in known:
                return "IPAexGothic"
            try:
                pdfmetrics.registerFont(TTFont("IPAexGothic", str(path)))
            except TTFError:
                continue
            return "IPAexGothic"
    pdfmetrics.registerFont(UnicodeCIDFont("HeiseiKakuGo-W5"))
    return "HeiseiKakuGo-W5"
