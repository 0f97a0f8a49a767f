"""`machinaka-hub evaluate attendance|limits FILE`: the rules' answer to one case, for anyone who wants to check one."""

import argparse
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_MOST_BYTES = 16 * 1024 * 1024


def add_to(commands: "Commands") -> None:
    """Adds the command."""
    group = commands.add_parser("evaluate", help="work one case out by the rules, without settings or a database")
    inside = group.add_subparsers(required=True, metavar="KIND")
    for kind, about in (
        ("attendance", "a person's month: days, minutes by class, yen"),
        ("limits", "the upper limits of overtime"),
    ):
        command = inside.add_parser(kind, help=about)
        command.add_argument("file", metavar="FILE", help="the case as JSON; - is standard input")
        command.set_defaults(run=_run, kind=kind)


def _run(arguments: argparse.Namespace) -> int:
    from hub.attendance.rules import evaluate
    from hub.attendance.rules.reading import BadCase

    answers = {"attendance": evaluate.attendance, "limits": evaluate.limits}
    try:
        answer = answers[arguments.kind](_read(arguments.file))
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
    from hub.attendance.rules.reading import BadCase

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
