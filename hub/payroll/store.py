"""SQL of layouts, letters and files that left the house; the layouts that come with the hub.

1. A layout that came with the hub is never changed; the town keeps copies under names of their own.
2. Each file is remembered by what it was made from and its digest; its bytes are made again from these.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from hub.db import Connection
from hub.payroll.cell import Letters

_FOLDER = Path(__file__).parent / "layouts"
LetterKind = Literal["letter", "number"]


class Form(NamedTuple):
    """A layout's text; `own` when the town made it."""

    name: str
    text: str
    own: bool
    changed_ms: int = 0
    who: str = ""


class Letter(NamedTuple):
    """What is written instead of a letter, or of the name of a staff number."""

    kind: LetterKind
    what: str
    written: str
    changed_ms: int
    who: str


class Left(NamedTuple):
    """A file that left the house."""

    id: int
    month: str
    version: int
    layout: str
    sha256: str
    rows: int
    made_ms: int
    who: str


@cache
def shipped() -> dict[str, Form]:
    """The layouts that came with the hub, by name."""
    files = sorted(_FOLDER.glob("*.toml"), key=lambda file: (not file.stem.startswith("generic"), file.stem))
    return {file.stem: Form(file.stem, file.read_text(encoding="utf-8"), own=False) for file in files}


def forms(conn: Connection) -> dict[str, Form]:
    """All layouts: those that came with the hub, then the town's own."""
    rows = conn.execute("SELECT name, body, changed_ms, who FROM payroll_layout ORDER BY name")
    own = {name: Form(name, body, own=True, changed_ms=changed_ms, who=who) for name, body, changed_ms, who in rows}
    return shipped() | {name: one for name, one in own.items() if name not in shipped()}


def keep_form(conn: Connection, name: str, text: str, now_ms: int, who: str) -> None:
    """Keeps a layout of the town's, new or changed. Raises ValueError for a name of one that came with the hub."""
    if name in shipped():
        raise ValueError(name)
    conn.execute(
        "INSERT INTO payroll_layout VALUES (?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET body = excluded.body, "
        "changed_ms = excluded.changed_ms, who = excluded.who",
        (name, text, now_ms, who),
    )


def drop_form(conn: Connection, name: str) -> bool:
    """Forgets a layout of the town's; whether there was one."""
    return conn.execute("DELETE FROM payroll_layout WHERE name = ?", (name,)).rowcount > 0


# ---- letters


def letter_list(conn: Connection) -> list[Letter]:
    """All, letters first."""
    rows = conn.execute("SELECT kind, what, written, changed_ms, who FROM payroll_letter ORDER BY kind, what")
    return [Letter(*row) for row in rows]


def letters(conn: Connection) -> Letters:
    """What is written instead."""
    found = letter_list(conn)
    return Letters(
        everywhere={one.what: one.written for one in found if one.kind == "letter"},
        names={one.what: one.written for one in found if one.kind == "number"},
    )


def keep_letter(conn: Connection, kind: LetterKind, what: str, written: str, now_ms: int, who: str) -> None:
    """Writes this instead from now on; nothing: as it is."""
    if not written:
        conn.execute("DELETE FROM payroll_letter WHERE kind = ? AND what = ?", (kind, what))
        return
    conn.execute(
        "INSERT INTO payroll_letter VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, what) DO UPDATE SET "
        "written = excluded.written, changed_ms = excluded.changed_ms, who = excluded.who",
        (kind, what, written, now_ms, who),
    )


# ---- files that left the house

_LEFT = "id, month, version, layout, sha256, rows, made_ms, who"


def record(conn: Connection, left: Left) -> int:
    """Remembers a file; its number (that of `left` does not count)."""
    cursor = conn.execute(
        "INSERT INTO payroll_export (month, version, layout, sha256, rows, made_ms, who) VALUES (?, ?, ?, ?, ?, ?, ?)",
        left[1:],
    )
    return int(cursor.lastrowid or 0)


def left(conn: Connection, limit: int = 50) -> list[Left]:
    """Files, newest first."""
    rows: Iterable[tuple[int, str, int, str, str, int, int, str]] = conn.execute(
        f"SELECT {_LEFT} FROM payroll_export ORDER BY id DESC LIMIT ?",  # noqa: S608 (our own names)
        (limit,),
    )
    return [Left(*row) for row in rows]


def one_left(conn: Connection, number: int) -> Left | None:
    """One file, or None."""
    row = conn.execute(f"SELECT {_LEFT} FROM payroll_export WHERE id = ?", (number,)).fetchone()  # noqa: S608
    return Left(*row) if row else None


def layouts_used(conn: Connection) -> set[str]:
    """Names of layouts of which a file left the house."""
    return {name for (name,) in conn.execute("SELECT DISTINCT layout FROM payroll_export")}
