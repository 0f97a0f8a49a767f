"""`machinaka-hub join-names`: names into a payroll file, on the payroll's side, without a hub; they are not kept.

1. The export keeps its encoding, line ends and quotes; nothing but its column of names changes.
2. An export that carries its SHA-256 is checked before, and carries a new one after.
3. A number without a name is told, and nothing is written unless `--leave-empty` says that this is as it should be.
"""

import argparse
import csv
import hashlib
import io
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from hub.sheet import guarded
from hub.writable import Encoding, unwritable

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_NUMBERS = (
    "職員番号", "従業員番号", "従業員コード", "社員番号", "社員コード", "staff number", "employee number",
)  # fmt: skip
_NAMES = ("氏名", "名前", "従業員名", "社員名", "name")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_LARGEST_BYTES = 20_000_000
_TOLD = 20


class CannotJoin(Exception):
    """One sentence: file, place, what was expected."""


class Joined(NamedTuple):
    """The file with names, whose numbers have none, and how many have one."""

    content: bytes
    without: list[str]
    named: int


class _Text(NamedTuple):
    rows: list[list[str]]
    encoding: Encoding
    newline: str
    quoted: bool
    delimiter: str


def add_to(commands: "Commands") -> None:
    """Adds the command."""
    command = commands.add_parser("join-names", help="put names into a payroll file, on the payroll's side")
    for name, about in (
        ("file", "the payroll file, as the hub gave it"),
        ("names", "a CSV of staff number and name"),
        ("out", "the file to write; it must not be there yet"),
    ):
        command.add_argument(f"--{name}", required=True, type=Path, metavar=name.upper(), help=about)
    command.add_argument("--number-column", default="", metavar="HEADING", help="heading of the staff numbers")
    command.add_argument("--name-column", default="", metavar="HEADING", help="heading of the names")
    command.add_argument("--leave-empty", action="store_true", help="write the file though some numbers have no name")
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    try:
        found = _join_files(arguments)
    except CannotJoin as error:
        sys.stderr.write(f"machinaka-hub: {error}\n")
        return 2
    print(f"{arguments.out}: {found.named} names, {len(found.without)} numbers without one")
    return 0


def _join_files(arguments: argparse.Namespace) -> Joined:
    names = read_names(arguments.names.name, _content(arguments.names))
    headings = (arguments.number_column, arguments.name_column)
    found = join(arguments.file.name, _content(arguments.file), names, *headings)
    for number in found.without[:_TOLD]:
        sys.stderr.write(f"{arguments.names}: no name for staff number {number}\n")
    if len(found.without) > _TOLD:
        sys.stderr.write(f"{arguments.names}: no name for {len(found.without) - _TOLD} more\n")
    if found.without and not arguments.leave_empty:
        raise CannotJoin(f"{arguments.out}: not written; expected a name for each number, or --leave-empty")
    _write(arguments.out, found.content)
    return found


def read_names(name: str, content: bytes) -> dict[str, str]:
    """Names by staff number. Raises CannotJoin."""
    text = _read(name, content)
    numbers, names = _column(name, text.rows[0], _NUMBERS, ""), _column(name, text.rows[0], _NAMES, "")
    found: dict[str, str] = {}
    for line, row in enumerate(text.rows[1:], 2):
        if not any(cell.strip() for cell in row):
            continue
        number, shown = (row[place].strip() if place < len(row) else "" for place in (numbers, names))
        if not number or not shown:
            raise CannotJoin(f"{name}, row {line}: expected a staff number and a name")
        if found.setdefault(number, shown) != shown:
            raise CannotJoin(f"{name}, row {line}: staff number {number} has two names; expected one")
    return found


def join(
    name: str, content: bytes, names: Mapping[str, str], number_heading: str = "", name_heading: str = ""
) -> Joined:
    """The file with names in it. Raises CannotJoin."""
    text = _read(name, content)
    _check_digest(name, content, text)
    numbers = _column(name, text.rows[0], _NUMBERS, number_heading)
    place = _column(name, text.rows[0], _NAMES, name_heading)
    without, named, rows = [], 0, [list(text.rows[0])]
    for line, row in enumerate(text.rows[1:], 2):
        cells = list(row)
        # The lines below the rows have no staff number, or nothing but a text and a figure.
        if len(cells) == len(rows[0]) and (number := cells[numbers].strip()) and not _sums(cells, numbers):
            found = names.get(number, "")
            letters = unwritable(found, text.encoding)
            if letters:
                raise CannotJoin(
                    f"{name}, row {line}: the name of staff number {number} has {letters}, "
                    f"which {text.encoding} cannot write; expected letters that it can"
                )
            cells[place] = guarded(found)
            named += bool(found)
            if not found:
                without.append(number)
        rows.append(cells)
    return Joined(_with_digest(text, rows), without, named)


def _sums(cells: Sequence[str], numbers: int) -> bool:
    """Whether this is the line of sums, its text standing where the numbers do."""
    return cells[numbers].strip() in ("合計", "計")


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise CannotJoin(f"{path}: {error.strerror}; expected a file that can be read") from error
    if len(content) > _LARGEST_BYTES:
        raise CannotJoin(f"{path}: {len(content)} bytes; expected at most {_LARGEST_BYTES}")
    return content


def _read(name: str, content: bytes) -> _Text:
    if content[:4] == b"PK\x03\x04":
        raise CannotJoin(f"{name}: a spreadsheet's own file; expected CSV")
    encoding: Encoding = "utf-8"
    if content.startswith(b"\xef\xbb\xbf"):
        encoding = "utf-8-sig"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        encoding = "cp932"
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError as error:
            raise CannotJoin(f"{name}, byte {error.start}: expected UTF-8 or Shift_JIS") from error
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise CannotJoin(f"{name}: {error}; expected CSV") from error
    if len(rows) < 2:
        raise CannotJoin(f"{name}: {len(rows)} rows; expected headings and rows below them")
    return _Text(rows, encoding, "\r\n" if "\r\n" in text else "\n", first.startswith('"'), delimiter)


def _column(name: str, headings: Sequence[str], known: Sequence[str], chosen: str) -> int:
    plain = [one.strip().lower() for one in headings]
    for one in (chosen.strip().lower(),) if chosen else known:
        if plain.count(one) == 1:
            return plain.index(one)
    expected = f"one column {chosen}" if chosen else f"a column called one of: {', '.join(known)}"
    raise CannotJoin(f"{name}, row 1: {', '.join(headings)[:200]}; expected {expected}")


def _is_digest(row: Sequence[str]) -> bool:
    return len(row) == 2 and bool(_DIGEST.fullmatch(row[1]))


def _check_digest(name: str, content: bytes, text: _Text) -> None:
    """Whether the file is as the hub gave it, where it says so itself."""
    if not _is_digest(text.rows[-1]):
        return
    lines = content.splitlines(keepends=True)
    if hashlib.sha256(b"".join(lines[:-1])).hexdigest() != text.rows[-1][1]:
        raise CannotJoin(
            f"{name}: changed since the hub gave it (its SHA-256 is another); expected the file as it came"
        )


def _with_digest(text: _Text, rows: Sequence[Sequence[str]]) -> bytes:
    if not _is_digest(rows[-1]):
        return _written(text, rows).encode(text.encoding)
    content = _written(text, rows[:-1]).encode(text.encoding)
    last = _written(text, [[rows[-1][0], hashlib.sha256(content).hexdigest()]])
    return content + last.encode("utf-8" if text.encoding == "utf-8-sig" else text.encoding)


def _written(text: _Text, rows: Sequence[Sequence[str]]) -> str:
    made = io.StringIO(newline="")
    csv.writer(
        made,
        delimiter=text.delimiter,
        quoting=csv.QUOTE_ALL if text.quoted else csv.QUOTE_MINIMAL,
        lineterminator=text.newline,
    ).writerows(rows)
    return made.getvalue()


def _write(path: Path, content: bytes) -> None:
    """For its owner alone, whole or not at all."""
    if path.exists():
        raise CannotJoin(f"{path}: there already; expected a name that is free")
    unfinished = path.with_name(path.name + ".unfinished")
    try:
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    except OSError as error:
        raise CannotJoin(f"{path}: {error.strerror}; expected a folder that can be written") from error
