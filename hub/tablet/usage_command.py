"""`machinaka-hub usage-recompute`: folds what tablets counted anew from their samples, beside a hub that runs."""

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hub import settings as hub_settings

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_to(commands: "Commands") -> None:
    """Adds the command."""
    command = commands.add_parser(
        "usage-recompute",
        help="fold the months of lent tablets anew from their samples; 1 when a sum was not the fold's",
    )
    command.add_argument("--settings", required=True, metavar="FILE")
    command.set_defaults(run=_recompute)


def _recompute(arguments: argparse.Namespace) -> int:
    from hub.db import Broken, Db
    from hub.tablet import usage_store

    settings = hub_settings.load(Path(arguments.settings))
    if not settings.database.exists():
        return _failed(f"{settings.database}: no database; the hub has not run with these settings")
    db = Db(settings.database)
    try:
        db.open()
        # A device at a time: what tablets send meanwhile waits for one device's fold, never for all.
        devices = db.read(usage_store.devices)
        wrong = [one for one in devices if db.write_now(partial(usage_store.fold_device, device_id=one))]
    except (OSError, Broken) as error:
        return _failed(str(error))
    finally:
        db.close()
    print(f"devices folded: {len(devices)}; sums that were not the fold's: {len(wrong)}")
    return 1 if wrong else 0


def _failed(sentence: str) -> int:
    sys.stderr.write(f"machinaka-hub usage-recompute: {sentence}\n")
    return 2
