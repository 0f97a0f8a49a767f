"""`machinaka-hub verify-close`: for the town's auditor, beside a hub that runs."""

import argparse
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hub import settings as hub_settings

if TYPE_CHECKING:
    from hub.attendance.close_check import Checked
    from hub.db import Connection

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_to(commands: "Commands") -> None:
    """Adds the command."""
    command = commands.add_parser(
        "verify-close", help="say whether the closed months are as they were closed; 1 when they are not"
    )
    command.add_argument("--settings", required=True, metavar="FILE")
    command.add_argument("month", nargs="?", metavar="MONTH", help="YYYY-MM; else every closed month")
    command.set_defaults(run=_verify)


def _verify(arguments: argparse.Namespace) -> int:
    from hub.attendance import close_check
    from hub.db import Broken, Db

    settings = hub_settings.load(Path(arguments.settings))
    if arguments.month and not re.fullmatch(r"[12][0-9]{3}-(0[1-9]|1[0-2])", arguments.month):
        return _failed(f"{arguments.month}: no month; expected one as 2026-10")
    if not settings.database.exists():
        return _failed(f"{settings.database}: no database; the hub has not run with these settings")
    now_ms = time.time_ns() // 1_000_000

    def check(conn: "Connection") -> "list[Checked]":
        told = close_check.told(conn)
        chosen = [arguments.month] if arguments.month else sorted(told)
        return [close_check.check(conn, month, told.get(month, ()), now_ms) for month in chosen]

    db = Db(settings.database)
    try:
        found = db.read(check)
    except LookupError as error:
        return _failed(f"{error.args[0]}: this month is not closed")
    except Broken as error:
        return _failed(str(error))
    finally:
        db.close()
    for one in found:
        print(_told(one))
    if not found:
        print("No month is closed yet.")
    return 1 if any(one.faults for one in found) else 0


def _told(one: "Checked") -> str:
    if one.faults:
        return "\n".join(f"{one.month}: BROKEN: {fault}." for fault in one.faults)
    still = (
        "the facts still say the same"
        if not one.changed
        else f"people whose facts say otherwise by now (the difference is not booked yet): {one.changed}"
    )
    return f"{one.month}: version {one.version} is whole, people: {one.people}, hash {one.hash}; {still}."


def _failed(sentence: str) -> int:
    sys.stderr.write(f"machinaka-hub verify-close: {sentence}\n")
    return 2
