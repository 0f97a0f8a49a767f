"""A day's bar on paper: told apart in black and white as well, at night slanted, with letters where they fit."""

from typing import Any, Literal

from reportlab.graphics.shapes import Drawing, Line, Rect, String
from reportlab.lib import colors
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.platypus import Flowable

from hub.attendance.bar import Bar
from hub.words import Language, word

_GREY, _LIGHT = colors.HexColor("#595959"), colors.HexColor("#e6e6e6")
_FILL = {
    "present": "#0066be",
    "ordered": "#006f83",
    "regular": "#767676",
    "break": "#ffffff",
    "leave": "#507500",
    "W": "#c74700",
    "H": "#aa00aa",
    "HOL": "#5c10be",
    "X": "#a90000",
    "SHIFT": "#197a4b",
    "PT": "#008299",
    "N": "#0017c1",
}
_NIGHT = ("W150", "H160", "HOL160", "X175", "PT125N", "N25")
_WIDE, _LEFT, _ROW, _FOOT = 268 * mm, 28 * mm, 9 * mm, 6 * mm


def large(bar: Bar, language: Language, font: str) -> Flowable:
    """The bar in full: four rows, nights in grey, hours below."""
    high = _ROW * len(bar.rows) + _FOOT
    drawing = Drawing(_WIDE, high)

    def x(minute: int) -> float:
        return float(_LEFT + (_WIDE - _LEFT) * minute / bar.minutes)

    for begin, end in bar.nights:
        drawing.add(_rect(x(begin), _FOOT, x(end) - x(begin), high - _FOOT, _LIGHT))
    for at, hour in bar.hours:
        drawing.add(Line(x(at), _FOOT, x(at), high, strokeColor=_GREY, strokeWidth=0.2))
        if hour % 3 == 0:
            drawing.add(_letters(font, x(at), 2 * mm, str(hour), "middle"))
    for place, row in enumerate(bar.rows):
        y = high - _ROW * (place + 1)
        drawing.add(_letters(font, 0, y + 3 * mm, word(language, f"bar_{row.name}"), "start"))
        for part in row.parts:
            if part.what:
                text = part.what if row.name == "paid" else word(language, f"letter_{part.what}")
                _part(drawing, font, part.what, text, (x(part.begin), y, x(part.end) - x(part.begin)))
    return drawing


def small(bar: Bar) -> Flowable:
    """The bar in a row of a table: presence, duty, pay."""
    wide, high = 36 * mm, 4 * mm
    drawing = Drawing(wide, high)
    for begin, end in bar.nights:
        drawing.add(_rect(wide * begin / bar.minutes, 0, wide * (end - begin) / bar.minutes, high, _LIGHT))
    for row, y, tall in ((bar.rows[0], 2.8, 1.2), (bar.rows[2], 1.5, 1.0), (bar.rows[3], 0.0, 1.3)):
        for part in row.parts:
            if part.what:
                x = wide * part.begin / bar.minutes
                drawing.add(_rect(x, y * mm, wide * part.width / bar.minutes, tall * mm, _colour(part.what)))
    return drawing


def _part(drawing: Any, font: str, what: str, text: str, place: tuple[float, float, float]) -> None:
    x, y, wide = place
    drawing.add(_rect(x, y + 1.2 * mm, wide, 6.6 * mm, _colour(what), edge=True))
    if what in _NIGHT:
        step = x + 1.5 * mm
        while step < x + wide:
            drawing.add(Line(step, y + 1.2 * mm, step - 1.5 * mm, y + 7.8 * mm, strokeColor=colors.white))
            step += 2 * mm
    needed = pdfmetrics.stringWidth(text, font, 7)
    if wide > needed + 4:
        middle = x + wide / 2
        drawing.add(_rect(middle - needed / 2 - 1.5, y + 2.6 * mm, needed + 3, 3.8 * mm, colors.white))
        drawing.add(_letters(font, middle, y + 3.6 * mm, text, "middle"))


def _letters(font: str, x: float, y: float, text: str, anchor: Literal["start", "middle"]) -> Any:
    return String(x, y, text, fontName=font, fontSize=7, textAnchor=anchor)


def _rect(x: float, y: float, wide: float, high: float, fill: Any, *, edge: bool = False) -> Any:
    found = Rect(x, y, wide, high, fillColor=fill)
    found.strokeColor, found.strokeWidth = _GREY if edge else None, 0.4
    return found


def _colour(what: str) -> Any:
    return colors.HexColor(_FILL.get(what) or _FILL[what.rstrip("0123456789N")])
