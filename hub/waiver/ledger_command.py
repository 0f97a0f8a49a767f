"""`machinaka-hub ledger verify|export|rebuild`: for the town's auditor, beside a hub that runs."""

import argparse
import csv
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from hub import settings as hub_settings

if TYPE_CHECKING:
    from hub.db import Connection, Db
    from hub.waiver.ledger import Booked

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

_HASH = re.compile(r"(line|benefit):([12][0-9]{3}-(?:0[1-9]|1[0-2]))=([0-9a-f]{64})")
_CHUNK = 1000


def add_to(commands: "Commands") -> None:
    """Adds the command."""
    group = commands.add_parser("ledger", help="verify, export or rebuild the ledger of fees and waivers")
    inside = group.add_subparsers(required=True, metavar="DO")
    verify = inside.add_parser("verify", help="say whether the ledger is as it was written; 1 when it is not")
    verify.add_argument(
        "--hash",
        action="append",
        default=[],
        metavar="AREA:MONTH=HEX",
        help="a closed month's chain hash as it was printed, such as line:2026-10=…; may be given several times",
    )
    verify.set_defaults(run=_verify)
    export = inside.add_parser("export", help="write the ledger to standard output")
    export.add_argument("--form", choices=("beancount", "csv"), default="beancount")
    export.set_defaults(run=_export)
    rebuild = inside.add_parser("rebuild", help="make the sums that pages show anew from the entries")
    rebuild.set_defaults(run=_rebuild)
    for command in (verify, export, rebuild):
        command.add_argument("--settings", required=True, metavar="FILE")


def _verify(arguments: argparse.Namespace) -> int:
    from hub.db import Broken
    from hub.waiver import ledger_check

    expected = {}
    for text in arguments.hash:
        found = _HASH.fullmatch(text)
        if found is None:
            return _failed(f"verify: {text[:80]}: expected area:month=hash, as line:2026-10= and 64 figures of hex")
        expected[f"{found[1]} {found[2]}"] = found[3]
    db = _database(arguments)
    if isinstance(db, str):
        return _failed(db)
    try:
        checked = db.read(lambda conn: ledger_check.check(conn, expected))
    except Broken as error:
        return _failed(f"verify: {error}")
    finally:
        db.close()
    print("\n".join(ledger_check.told(checked)))
    return 0 if checked.whole else 1


def _export(arguments: argparse.Namespace) -> int:
    from hub.db import Broken
    from hub.waiver import ledger_export

    db = _database(arguments)
    if isinstance(db, str):
        return _failed(db)
    out = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="", write_through=False)

    def write(conn: "Connection") -> None:
        if arguments.form == "csv":
            writer = csv.writer(out)
            writer.writerow(ledger_export.HEAD)
            writer.writerows([_cell(cell) for cell in row] for row in ledger_export.rows(_all(conn)))
            return
        for line in ledger_export.beancount(_all(conn)):
            out.write(f"{line}\n")

    try:
        db.read(write)
        out.flush()
    except (OSError, Broken) as error:
        return _failed(f"export: {error}")
    finally:
        out.detach()
        db.close()
    return 0


def _rebuild(arguments: argparse.Namespace) -> int:
    from hub.db import Broken
    from hub.waiver import ledger_sums

    db = _database(arguments)
    if isinstance(db, str):
        return _failed(db)
    try:
        db.write_now(ledger_sums.rebuild)
    except Broken as error:
        return _failed(f"rebuild: {error}")
    finally:
        db.close()
    print("The sums are what the entries come to.")
    return 0


def _cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula; a sum below 0 stays a number."""
    from hub import sheet

    return text if re.fullmatch(r"-?[0-9]+", text) else sheet.guarded(text)


def _all(conn: "Connection") -> "Iterator[Booked]":
    from hub.waiver import ledger_store

    seq = 0
    while found := ledger_store.after(conn, seq, _CHUNK):
        yield from found
        seq = found[-1].seq


def _database(arguments: argparse.Namespace) -> "Db | str":
    """The database as it lies there: one that is in doubt is not brought up to date."""
    from hub.db import Db

    settings = hub_settings.load(Path(arguments.settings))
    if not settings.database.exists():
        return f"{settings.database}: no database; the hub has not run with these settings"
    return Db(settings.database)


def _failed(sentence: str) -> int:
    sys.stderr.write(f"machinaka-hub ledger: {sentence}\n")
    return 2
