"""`machinaka-hub wifi-purge`: takes out what is overdue of the Wi-Fi, says what would be, or checks the proofs."""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from hub import settings as hub_settings
from hub import shown
from hub.db import Broken, Connection, Db
from hub.wifi import keys, purge_store, purge_task, retention
from wire.settings_file import BadSetting


def add_to(commands: "argparse._SubParsersAction[Any]") -> None:
    """Adds the command to those of `machinaka-hub`."""
    command = commands.add_parser("wifi-purge", help="take out what is overdue of the Wi-Fi's personal fields")
    command.add_argument("--settings", required=True, metavar="FILE")
    which = command.add_mutually_exclusive_group()
    which.add_argument("--dry-run", action="store_true", help="say what is overdue, and change nothing")
    which.add_argument("--verify", action="store_true", help="check the chain of proofs, and that nothing is overdue")
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = hub_settings.load(Path(arguments.settings))
    if not settings.database.exists():
        sys.stderr.write(
            f"machinaka-hub: wifi-purge: {settings.database}: no database; the hub has not run with these settings\n"
        )
        return 2
    db = Db(settings.database)
    try:
        db.open()
        if arguments.verify:
            return db.read(_verify)
        if arguments.dry_run:
            return db.read(_dry_run)
        return _purge(db, keys.folder_of(Path(settings.state_dir)))
    except (OSError, Broken) as error:
        expected = "a folder the hub may write, with its own database"
        raise BadSetting(settings.database, "state_dir", str(error), expected) from error
    finally:
        db.close()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _dry_run(conn: Connection) -> int:
    keep_days = purge_store.setting(conn).keep_days
    cut = retention.cut(_now_ms(), keep_days)
    print(f"kept for {keep_days} days; overdue is what is from before {shown.exact('en', cut.before_ms)}")
    for what, n in purge_store.due(conn, cut).items():
        print(f"{what}: {n}")
    return 0


def _purge(db: Db, folder: Path) -> int:
    proof = purge_task.purge(db, folder, _now_ms())
    assert proof is not None  # noqa: S101 (always wanted)
    for what, n in proof.counts.items():
        print(f"{what}: {n}")
    print(f"left over: {proof.left_over}\nproof {proof.id}: {proof.hash}")
    return 0 if not proof.left_over else 1


def _verify(conn: Connection) -> int:
    proofs = purge_store.proofs(conn)[::-1]
    cut = retention.cut(_now_ms(), purge_store.setting(conn).keep_days)
    broken, overdue = retention.first_broken(proofs), sum(purge_store.due(conn, cut).values())
    if broken is not None:
        print(f"The proofs of deletion are broken at number {broken}.")
    else:
        print(f"The proofs of deletion are whole: {len(proofs)}.")
    print(f"Overdue now: {overdue}.")
    return 1 if overdue or broken is not None else 0
