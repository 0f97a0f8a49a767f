"""What a file for a payroll looks like: a small TOML file, strictly read (rule).  docs/payroll-layouts.md
tells all keys.

1. A key or field that is not known, a unit that does not fit its field, a width too small for what goes in: one
   sentence with file, place and what was expected.  Nothing is guessed.
2. A column is a field, or a constant; figures of pay classes are named by `classes` and added up.
3. A file has one row a person, one a person, class and unit, or one a person and day.
"""

import re
import tomllib
from collections.abc import Mapping
from typing import get_args

from hub.attendance.rules.kinds import PAY_CLASSES, PayClass
from hub.payroll.form import (
    FIELDS,
    FIGURES,
    LEAST,
    UNITS,
    Column,
    Format,
    Layout,
    Quoting,
    Rows,
    Trailer,
    file_name,
)
from hub.payroll.part import BadLayout, Part
from hub.writable import ENCODINGS, cannot_write, unwritable

__all__ = ["BadLayout", "Layout", "cannot_write", "read"]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_FILE_NAME = re.compile(r"[A-Za-z0-9._-]{1,80}")
_BETWEEN = {"comma": ",", "tab": "\t", "semicolon": ";"}
_NEWLINES = {"crlf": "\r\n", "lf": "\n"}
_FORMULA = re.compile("'*[=+\\-@＝＋－＠]")
LENGTH = 20_000
_COLUMNS = 200
_WIDTH = 400


def read(text: str, file: str) -> Layout:
    """The layout in a TOML text; `file` is what its sentences call it. Raises BadLayout."""
    if len(text) > LENGTH:
        raise BadLayout(file, "", len(text), "length", n=LENGTH)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadLayout(file, "", str(error), "toml") from error
    except RecursionError as error:
        raise BadLayout(file, "", "[[[…", "toml") from error
    return _Reading(file).layout(values)


_KEYS = ("name", "title", "target", "format", "rows", "file_name", "encoding", "newline", "quoting", "delimiter")
# What a file and a column may say.
TOP = (*_KEYS, "header", "column", "codes", "trailer")
COLUMN = ("heading", "field", "constant", "classes", "unit", "width", "align", "fill", "zero")
_LIMITS: dict[Format, tuple[str, ...]] = {
    "delimited": (),
    "fixed": ("quoting", "delimiter"),
    "xlsx": ("encoding", "newline", "quoting", "delimiter", "trailer"),
}


class _Reading:
    """Reads one file."""

    def __init__(self, file: str) -> None:
        self._file = file

    def layout(self, values: Mapping[str, object]) -> Layout:
        part = Part(self._file, "", values)
        kind: Format = part.choice("format", get_args(Format), "delimited")
        part.only(_LIMITS[kind], f"not_in_{kind}")
        name = part.text("name")
        if not _NAME.fullmatch(name):
            raise part.wrong("name", name, "name")
        rows: Rows = part.choice("rows", get_args(Rows), "person")
        found = Layout(
            name=name,
            title=part.text("title"),
            target=part.text("target", "", most=400),
            format=kind,
            rows=rows,
            file_name=self._file_name(part, kind),
            encoding=part.choice("encoding", ENCODINGS, "utf-8-sig"),
            newline=_NEWLINES[part.choice("newline", tuple(_NEWLINES), "crlf")],
            quoting=part.choice("quoting", get_args(Quoting), "minimal"),
            delimiter=_BETWEEN[part.choice("delimiter", tuple(_BETWEEN), "comma")],
            header=part.flag("header", default=True),
            columns=self._columns(part, rows, kind),
            codes=self._codes(part),
            trailer=self._trailer(part),
        )
        part.done(TOP)
        self._writes(found)
        self._fits(found)
        return found

    def _file_name(self, part: Part, kind: Format) -> str:
        pattern = part.text("file_name")
        made = file_name(pattern, "2026-11", 1)
        if not _FILE_NAME.fullmatch(made) or made.startswith(".") or (kind == "xlsx") != made.lower().endswith(".xlsx"):
            raise part.wrong("file_name", pattern, "file_name_xlsx" if kind == "xlsx" else "file_name")
        return pattern

    def _columns(self, part: Part, rows: Rows, kind: Format) -> tuple[Column, ...]:
        values = part.take("column")
        if not isinstance(values, list) or not 1 <= len(values) <= _COLUMNS:
            raise part.wrong("column", "", "columns", n=_COLUMNS)
        return tuple(self._column(n, one, rows, kind) for n, one in enumerate(values, 1))

    def _column(self, n: int, values: object, rows: Rows, kind: Format) -> Column:
        part = Part(self._file, f"column {n}", values)
        if part.has("field") == part.has("constant"):
            raise part.wrong("field", "", "field_or_constant")
        constant, field = "", ""
        classes: tuple[PayClass, ...] = ()
        if part.has("constant"):
            part.only(("classes", "unit", "zero"), "not_in_constant")
            constant = self._harmless(part, "constant", part.text("constant"))
        else:
            known = [name for name, one in FIELDS.items() if rows in one.rows]
            field = part.choice("field", known)
            classes = self._classes(part, field, rows)
        units = UNITS[FIELDS[field].quantity] if field else ("text",)
        unit = part.choice("unit", units, units[0])
        figure = bool(field) and FIELDS[field].quantity in FIGURES
        width = part.number("width", _WIDTH)
        if kind == "fixed" and not width:
            raise part.wrong("width", "", "width_fixed")
        least = max(LEAST.get(unit, 0), len(constant), 64 if field == "close_hash" else 1)
        if width and width < least:
            raise part.wrong("width", width, "width", n=least)
        if not width:
            part.only(("align", "fill"), "needs_width")
        found = Column(
            heading=self._harmless(part, "heading", part.text("heading", "")),
            field=field,
            constant=constant,
            classes=classes,
            unit=unit,
            width=width,
            align=part.choice("align", ("left", "right"), "right" if figure else "left"),
            fill=part.choice("fill", (" ", "0"), " "),
            empty_zero=part.choice("zero", ("0", "empty"), "0") == "empty",
        )
        if found.fill == "0" and found.align != "right":
            raise part.wrong("fill", "0", "fill_right")
        part.done(COLUMN)
        return found

    def _classes(self, part: Part, field: str, rows: Rows) -> tuple[PayClass, ...]:
        if rows not in FIELDS[field].classed:
            part.only(("classes",), "not_classed")
            return ()
        if not part.has("classes"):
            return PAY_CLASSES
        values = part.take("classes")
        if not isinstance(values, list) or not values:
            raise part.wrong("classes", values, "classes", known=", ".join(PAY_CLASSES))
        for one in values:
            if one not in PAY_CLASSES:
                raise part.wrong("classes", one, "classes", known=", ".join(PAY_CLASSES))
        if len(set(values)) < len(values):
            raise part.wrong("classes", ", ".join(values), "once")
        return tuple(values)

    def _codes(self, part: Part) -> dict[str, str]:
        inside = Part(self._file, "codes", part.take("codes", {}))
        known = (*PAY_CLASSES, "full_time", "part_time")
        found: dict[str, str] = {key: inside.text(key) for key in known if inside.has(key)}
        for code, text in found.items():
            self._harmless(inside, code, text)
        inside.done(known)
        return found

    def _trailer(self, part: Part) -> Trailer:
        inside = Part(self._file, "trailer", part.take("trailer", {}))
        found = {key: self._harmless(inside, key, inside.text(key, "")) for key in ("sums", "rows", "sha256")}
        inside.done(tuple(found))
        return Trailer(**found)

    def _harmless(self, part: Part, key: str, text: str) -> str:
        if _FORMULA.match(text):
            raise part.wrong(key, text, "no_formula")
        return text

    def _writes(self, found: Layout) -> None:
        """Whether the encoding can write the layout's own texts."""
        if found.format == "xlsx":
            return
        own = [(f"column {n}", text) for n, one in enumerate(found.columns, 1) for text in (one.heading, one.constant)]
        own += [("codes", text) for text in found.codes.values()]
        own += [("trailer", text) for text in (found.trailer.sums, found.trailer.rows, found.trailer.sha256)]
        for place, text in own:
            letters = unwritable(text, found.encoding)
            if letters:
                raise BadLayout(self._file, place, text, "writable", letters=letters, encoding=found.encoding)

    def _fits(self, found: Layout) -> None:
        """Whether headings and sums have room."""
        if found.trailer.sums and found.columns[0].figure:
            raise BadLayout(self._file, "trailer.sums", found.trailer.sums, "sums_place")
        if found.format != "fixed":
            return
        for n, one in enumerate(found.columns, 1):
            least = max(found.size(one.constant), found.size(one.heading) if found.header else 0)
            if one.width < least:
                raise BadLayout(self._file, f"column {n}.width", one.width, "width", n=least)
        whole = sum(one.width for one in found.columns)
        tails = (("rows", found.trailer.rows, 8), ("sha256", found.trailer.sha256, 65), ("sums", found.trailer.sums, 0))
        for key, text, room in tails:
            most = found.columns[0].width if key == "sums" else whole - room
            if text and found.size(text) > most:
                raise BadLayout(self._file, f"trailer.{key}", text, "tail_place", n=most)
