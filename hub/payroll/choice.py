"""Layouts by name, read; what of a month they cannot write."""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from hub.attendance.close_web import Check
from hub.db import Connection
from hub.payroll import layout, store
from hub.payroll.form import Layout
from hub.payroll.part import BadLayout
from hub.staff import store as staff
from hub.words import Language, word
from hub.writable import cannot_write

_FIRST = "generic"


class Choice(NamedTuple):
    """A layout that can be chosen; `bad` when its text cannot be read (any more)."""

    form: store.Form
    layout: Layout | None
    bad: BadLayout | None = None


@lru_cache(maxsize=64)
def read(form: store.Form) -> Choice:
    """A layout out of its text; read once."""
    try:
        return Choice(form, layout.read(form.text, f"{form.name}.toml"))
    except BadLayout as error:
        return Choice(form, None, error)


def choices(conn: Connection) -> dict[str, Choice]:
    """All layouts by name."""
    return {name: read(form) for name, form in store.forms(conn).items()}


def chosen(found: dict[str, Choice], name: str, used: Iterable[str] = ()) -> str:
    """The layout to show: the one asked for, one that was used, the first."""
    return next((one for one in (name, *sorted(used)) if one in found and found[one].layout), _FIRST)


def said(language: Language, bad: BadLayout) -> str:
    """One sentence about a layout that cannot be read: file, place, what was expected."""
    expected = word(language, f"layout_expect_{bad.expected}", **bad.values)
    where = f"{bad.file} [{bad.place}]" if bad.place else bad.file
    key = "layout_wrong" if bad.found else "layout_wrong_nothing"
    return word(language, key, where=where, found=bad.found, expected=expected)


def close_check(conn: Connection, month: str, language: Language) -> list[Check]:
    """Before a month is closed: how many people's names the payroll's files cannot write."""
    found, used = choices(conn), store.layouts_used(conn)
    used |= {name for name, one in found.items() if one.form.own}
    layouts = [one.layout for name, one in found.items() if one.layout and (name in used or not used)]
    letters = store.letters(conn)
    names = [
        (member.number, letters.name(member.number, member.name)) for member in staff.members(conn, month).values()
    ]
    wrong = {
        one.number
        for encoding in {layout.encoding for layout in layouts if layout.format != "xlsx"}
        for one in cannot_write(names, encoding)
    }
    if not wrong:
        return []
    numbers = ", ".join(sorted(wrong)[:10]) + (" …" if len(wrong) > 10 else "")
    return [Check(word(language, "payroll_check_names", n=len(wrong), numbers=numbers), "/payroll/letters")]
