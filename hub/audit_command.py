"""`machinaka-hub audit verify|export|anchor`: for the town's auditor, beside a hub that runs."""

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hub import anchors, audit, chain
from hub import settings as hub_settings
from hub.chain import Unreadable
from hub.db import Broken, Db
from hub.signing import Signing

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_to(commands: "Commands") -> None:
    """Adds the command."""
    group = commands.add_parser("audit", help="verify, export or anchor the audit log")
    inside = group.add_subparsers(required=True, metavar="DO")
    verify = inside.add_parser("verify", help="say whether the audit log is whole; 1 when it is not")
    verify.add_argument("--anchors", type=Path, metavar="DIR", help="anchors kept elsewhere (else the hub's own)")
    verify.add_argument("--export", type=Path, metavar="FILE", help="verify this exported file, not the database")
    verify.set_defaults(run=_verify)
    export = inside.add_parser("export", help="write the audit log to standard output, a line of JSON an entry")
    export.set_defaults(run=_export)
    anchor = inside.add_parser("anchor", help="print the newest entry's hash, signed: to print, mail or file elsewhere")
    anchor.set_defaults(run=_anchor)
    for command in (export, anchor):
        command.add_argument("--settings", required=True, metavar="FILE")
    verify.add_argument("--settings", metavar="FILE", help="the hub's; not needed with --export")


def _verify(arguments: argparse.Namespace) -> int:
    if not arguments.settings and not arguments.export:
        return _failed("audit verify: expected --settings FILE or --export FILE")
    settings = hub_settings.load(Path(arguments.settings)) if arguments.settings else None
    if arguments.anchors and not arguments.anchors.exists():
        return _failed(f"{arguments.anchors}: no such file or folder; expected anchors")
    try:
        if arguments.export:
            place = arguments.anchors
            found = chain.read_anchors(place) if place else []
            held, broken = chain.check(chain.read_export(arguments.export), found)
            looked_at = len(found)
        else:
            assert settings is not None  # noqa: S101 (one of the two is given)
            state_dir = Path(settings.state_dir)
            place = arguments.anchors or anchors.folder_of(state_dir)
            held, broken, looked_at = _database(settings).read(
                lambda conn: anchors.check(conn, place, Signing(state_dir).public)
            )
    except (OSError, Unreadable, Broken) as error:
        return _failed(f"audit verify: {error}")
    print(chain.told(held, broken, looked_at))
    return 1 if broken else 0


def _export(arguments: argparse.Namespace) -> int:
    settings = hub_settings.load(Path(arguments.settings))
    try:
        for link in _database(settings).read(lambda conn: list(audit.links(conn))):
            sys.stdout.buffer.write(chain.line_of(link))
    except (OSError, Broken) as error:
        return _failed(f"audit export: {error}")
    return 0


def _anchor(arguments: argparse.Namespace) -> int:
    settings = hub_settings.load(Path(arguments.settings))
    try:
        db, now_ms = _database(settings), time.time_ns() // 1_000_000
        signing = Signing(Path(settings.state_dir))
        anchor = db.read(lambda conn: anchors.make(conn, signing, now_ms))
    except (OSError, Broken) as error:
        return _failed(f"audit anchor: {error}")
    if anchor is None:
        return _failed("audit anchor: nothing has been written into the audit log yet")
    print(chain.anchor_line(anchor))
    return 0


def _database(settings: hub_settings.Settings) -> Db:
    # Not opened as the hub opens it: a log that is in doubt is looked at as it lies there.
    if not settings.database.exists():
        raise FileNotFoundError(f"{settings.database}: no database; the hub has not run with these settings")
    return Db(settings.database)


def _failed(sentence: str) -> int:
    sys.stderr.write(f"machinaka-hub: {sentence}\n")
    return 2
