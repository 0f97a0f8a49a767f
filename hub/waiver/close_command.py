"""`machinaka-hub waiver-close`: a month of waivers is closed from the console, by two people who are named."""

import argparse
import re
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hub import settings as hub_settings

if TYPE_CHECKING:
    from hub.db import Connection
    from hub.waiver.ledger_store import Closing

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_to(commands: "Commands") -> None:
    """Adds the command."""
    command = commands.add_parser("waiver-close", help="close a month of waivers, whole or not at all")
    command.add_argument("--settings", required=True, metavar="FILE")
    command.add_argument("--asked-by", required=True, metavar="NAME", help="who asks for the closing")
    command.add_argument("--approved-by", required=True, metavar="NAME", help="another person, who approves")
    command.add_argument("--although", default="", metavar="REASON", help="why it is closed without a bill")
    command.add_argument("month", metavar="MONTH", help="YYYY-MM")
    command.set_defaults(run=_close)


def _close(arguments: argparse.Namespace) -> int:
    from hub.db import Broken, Db, Fault
    from hub.waiver.ledger import NotPosted

    settings = hub_settings.load(Path(arguments.settings))
    if not re.fullmatch(r"[12][0-9]{3}-(0[1-9]|1[0-2])", arguments.month):
        return _failed(f"{arguments.month}: no month; expected one as 2026-10")
    if not settings.database.exists():
        return _failed(f"{settings.database}: no database; the hub has not run with these settings")
    db = Db(settings.database)
    try:
        done = db.write_now(lambda conn: _both(conn, arguments))
    except _NotClosed as error:
        return _failed(f"{arguments.month}: not closed: {WHY[error.why]}")
    except (Broken, Fault, NotPosted) as error:
        return _failed(str(error))
    finally:
        db.close()
    print(f"{done.month}: closed, hash {done.content_hash}, chain {done.chain_hash}.")
    return 0


class _NotClosed(Exception):
    """Why it was not closed; raised so that the request is not left behind either."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def _both(conn: "Connection", arguments: argparse.Namespace) -> "Closing":
    """Asked for and approved in one transaction. Raises _NotClosed, NotPosted."""
    from hub.waiver import closing, outlook

    month, now_ms = arguments.month, time.time_ns() // 1_000_000
    found = outlook.look(conn, month, now_ms)
    if not found.is_asked:
        asked = closing.ask(conn, month, found.fingerprint, arguments.although, arguments.asked_by, now_ms)
        if isinstance(asked, str):
            raise _NotClosed(asked)
    done = closing.approve(conn, month, arguments.approved_by, now_ms)
    if isinstance(done, str):
        raise _NotClosed(done)
    return done


WHY = {
    "not_over": "the month is not over yet",
    "gap": "an earlier month has to be closed first",
    "before": "it lies before what is closed already",
    "no_lines": "no line was in use in this month",
    "problems": "some lines cannot be assessed; the month's page names them",
    "cannot": "it cannot be assessed; the month's page says why",
    "stale": "a bill was compared before something changed; compare it again on its page",
    "no_bill": "a carrier's bill is missing",
    "closed": "it is closed already",
    "moved": "something has changed meanwhile",
    "not_asked": "nobody has asked for it",
    "same_person": "who asks cannot approve; expected another person",
    "no_reason": "a carrier's bill is missing; expected --although with the reason",
}


def _failed(sentence: str) -> int:
    sys.stderr.write(f"machinaka-hub waiver-close: {sentence}\n")
    return 2
