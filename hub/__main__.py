"""`machinaka-hub`: the town hall.  What a person got wrong ends with one sentence and code 2."""

import argparse
import gc
import logging
import os
import signal
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from hub import audit_command, evaluate, simulate
from hub import settings as hub_settings
from hub.attendance import close_command
from hub.attendance import evaluate_command as attendance_cases
from hub.identity import commands as identity_commands
from hub.payroll import name_file
from hub.staff import key_command
from hub.tablet import evaluate_command as tablet_cases
from hub.tablet import usage_command
from hub.waiver import close_command as waiver_close_command
from hub.waiver import evaluate_command as waiver_cases
from hub.waiver import ledger_command
from hub.wifi import certificate_command, detail_command, purge_command
from wire.settings_file import BadSetting

if TYPE_CHECKING:
    from collections.abc import Callable

    from hub.db import Connection, Db

# Each waits for five seconds.
_TRIES = 12


def main() -> int:
    """Runs one command; its exit code."""
    arguments = _parser().parse_args()
    # The database holds password hashes, the state folder the key of the cookies: the hub's user alone reads them.
    os.umask(0o077)
    try:
        code: int = arguments.run(arguments)
    except BadSetting as error:
        sys.stderr.write(f"machinaka-hub: {error}\n")
        return 2
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="machinaka-hub", description="The town hall's hub.")
    parser.add_argument("--version", action="version", version=metadata.version("machinaka"))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, about, run in (
        ("serve", "take records in and serve the pages", _serve),
        ("admin-link", "print the link that makes the first administrator, once", _admin_link),
        ("reset-code", "take a lost second factor away from somebody, when no other administrator can", _reset_code),
        ("backup", "write a copy of the database while the hub runs", _backup),
    ):
        command = commands.add_parser(name, help=about)
        command.add_argument("--settings", required=True, metavar="FILE")
        if name == "reset-code":
            command.add_argument("name", metavar="NAME", help="the person's sign-in name")
        if name == "backup":
            command.add_argument("--to", required=True, metavar="FILE")
        command.set_defaults(run=run)
    identity_commands.add_to(commands)
    audit_command.add_to(commands)
    key_command.add_to(commands)
    certificate_command.add_to(commands)
    simulate.add_to(commands)
    name_file.add_to(commands)
    evaluate.add_to(commands, (*attendance_cases.KINDS, *waiver_cases.KINDS, *tablet_cases.KINDS))
    close_command.add_to(commands)
    waiver_close_command.add_to(commands)
    ledger_command.add_to(commands)
    usage_command.add_to(commands)
    purge_command.add_to(commands)
    detail_command.add_to(commands)
    return parser


def _serve(arguments: argparse.Namespace) -> int:
    import uvicorn

    from hub import app, serving

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = hub_settings.load(Path(arguments.settings))
    # All of this before anything is begun: a second hub must not take over the first one's place at the broker.
    try:
        listening = serving.listen(settings.host, settings.port)
    except OSError as error:
        # Python adds a sentence of its own to the system's.
        return _failed(f"{settings.host}:{settings.port}: {(error.strerror or '').partition(' (')[0]}", 1)
    # uvicorn sends itself again, at its end, the signal that it was stopped by; this end is in good order.
    signal.signal(signal.SIGTERM, lambda *_: None)
    with listening:
        _open(settings).close()
        hub = app.make_app(settings)
        # What is loaded by now stays: the collector need not walk over it again while somebody waits for a page.
        gc.collect()
        gc.freeze()
        server = uvicorn.Server(serving.config(hub, settings))
        server.run(sockets=[listening])
    return 0 if server.started and not hub.state.work_failed else 1


def _open(settings: hub_settings.Settings) -> "Db":
    """The database, made or brought up to date. Raises BadSetting when it cannot be."""
    from hub.db import Broken, Db

    db = Db(settings.database)
    try:
        db.open()
    except (OSError, Broken) as error:
        raise BadSetting(
            settings.database, "state_dir", str(error), "a folder the hub may write, with its own database"
        ) from error
    return db


def _admin_link(arguments: argparse.Namespace) -> int:
    from hub import pages, welcome

    settings = hub_settings.load(Path(arguments.settings))
    db = _open(settings)
    try:
        link = db.write_now(lambda conn: welcome.first_administrator_link(conn, pages.now_ms(), settings.url))
    finally:
        db.close()
    print(link or f"There is an administrator already; sign in at {settings.url}/sign-in")
    return 0


def _reset_code(arguments: argparse.Namespace) -> int:
    from hub import audit, factors, pages, people
    from hub.db import Connection

    settings = hub_settings.load(Path(arguments.settings))
    if not settings.database.exists():
        return _failed(f"{settings.database}: no database; the hub has not run with these settings", 2)

    def reset(conn: Connection) -> bool:
        person = people.by_name(conn, arguments.name)
        if person is None:
            return False
        factors.remove(conn, person.id)
        people.end_sessions(conn, person.id)
        audit.note(conn, pages.now_ms(), audit.SYSTEM, "reset_code", person.name)
        return True

    db = _open(settings)
    try:
        done = db.write_now(reset)
    finally:
        db.close()
    if not done:
        return _failed(f"{arguments.name}: nobody has this sign-in name", 2)
    print(f"{arguments.name} signs in with the password, and sets a second factor up anew.")
    return 0


def _write_patiently(db: "Db", write: "Callable[[Connection], None]") -> None:
    """Writes beside a hub that is busy, far more patient than a page would be. Raises Fault."""
    from hub.db import Fault

    for left in reversed(range(_TRIES)):
        try:
            return db.write_now(write)
        except Fault:
            if not left:
                raise
    return None


def _backup(arguments: argparse.Namespace) -> int:
    from hub import pages
    from hub.alerts.store import note_backup
    from hub.db import Broken

    settings, to = hub_settings.load(Path(arguments.settings)), Path(arguments.to)
    if not settings.database.exists():
        return _failed(f"{settings.database}: no database; the hub has not run with these settings", 2)
    db = _open(settings)
    try:
        db.backup(to)
        size = to.stat().st_size
        _write_patiently(db, lambda conn: note_backup(conn, pages.now_ms(), size))
    except (OSError, Broken) as error:
        return _failed(f"backup to {to}: {getattr(error, 'strerror', None) or error}", 2)
    finally:
        db.close()
    print(f"{to}: {size} bytes")
    return 0


def _failed(sentence: str, code: int) -> int:
    sys.stderr.write(f"machinaka-hub: {sentence}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
