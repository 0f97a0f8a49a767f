"""`machinaka-hub evaluate KIND FILE`: the rules' answer to one case, for anyone who wants to check one.

A domain tells its kinds (`Kind`); the answer comes from the same functions that its pages and closings use.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from hub.case_fields import BadCase

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_MOST_BYTES = 16 * 1024 * 1024


class Kind(NamedTuple):
    """A kind of case: its name, what it is about, and what answers it (raises BadCase)."""

    name: str
    about: str
    answer: Callable[[object], dict[str, Any]]


def add_to(commands: "Commands", kinds: Iterable[Kind]) -> None:
    """Adds the command with these kinds."""
    group = commands.add_parser("evaluate", help="work one case out by the rules, without settings or a database")
    inside = group.add_subparsers(required=True, metavar="KIND")
    for kind in kinds:
        command = inside.add_parser(kind.name, help=kind.about)
        command.add_argument("file", metavar="FILE", help="the case as JSON; - is standard input")
        command.set_defaults(run=_run, answer=kind.answer)


def _run(arguments: argparse.Namespace) -> int:
    try:
        answer = arguments.answer(_read(arguments.file))
    except BadCase as error:
        sys.stderr.write(f"machinaka-hub: {arguments.file}: {error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"machinaka-hub: {arguments.file}: {error.strerror or error}; expected a file with a case\n")
        return 2
    sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=False, sort_keys=True, indent=2).encode() + b"\n")
    return 0


def _read(name: str) -> object:
    """The case. Raises OSError, BadCase."""
    if name == "-":
        found = sys.stdin.buffer.read(_MOST_BYTES + 1)
    else:
        with Path(name).open("rb") as file:
            found = file.read(_MOST_BYTES + 1)
    if len(found) > _MOST_BYTES:
        raise BadCase("the file", "at most 16 MB")
    try:
        value = json.loads(found.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, ArithmeticError, RecursionError) as error:
        # What Python says of a place in the text helps; a recursion or a decimal has no place.
        place = f" ({error})" if isinstance(error, json.JSONDecodeError) else ""
        raise BadCase("the file", f"JSON in UTF-8{place}") from None
    # A whole entry of a case file is as good as its `given`.
    if isinstance(value, dict) and isinstance(value.get("given"), dict) and "month" not in value:
        return value["given"]
    return value


def _no_number(text: str) -> NoReturn:
    raise ValueError(text)
