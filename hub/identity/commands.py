"""`machinaka-hub enrol-code`: an invitation for one device, for whoever sits at the hub's machine."""

import argparse
import sys
from pathlib import Path
from typing import Any, get_args

from hub import settings as hub_settings
from hub.settings import Settings
from wire import enrolment, topics
from wire.settings_file import BadSetting


def add_to(commands: "argparse._SubParsersAction[Any]") -> None:
    """Adds the command to those of `machinaka-hub`."""
    command = commands.add_parser(
        "enrol-code",
        help="print an invitation for one device, good for 30 minutes",
        description="Prints one line for the device's file enrol-code, or for a QR code; what to type goes to stderr.",
    )
    command.add_argument("--settings", required=True, metavar="FILE")
    command.add_argument("--device", required=True, metavar="NAME", help="the device's name")
    command.add_argument("--kind", required=True, choices=get_args(enrolment.Kind))
    command.add_argument("--serial", default="", metavar="S", help="only for the device with this serial number")
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    from hub.db import Broken, Db
    from hub.identity import inviting
    from hub.identity.authority import Authority, BadFolder

    settings = hub_settings.load(Path(arguments.settings))
    if not topics.is_device(arguments.device):
        return _failed(f"--device: found {arguments.device!r}, expected a name of a-z, 0-9 and - (at most 63)")
    try:
        root = Authority(settings.ca).root_fingerprint
    except BadFolder as error:
        return _failed(f"{error}; `machinaka-provision ca issue` makes it")
    db = Db(settings.database)
    try:
        db.open()
        made = db.write_now(
            lambda conn: inviting.make_code(conn, arguments.device, arguments.kind, arguments.serial, "system")
        )
    except (OSError, Broken) as error:
        expected = "a folder the hub may write, with its own database"
        raise BadSetting(settings.database, "state_dir", str(error), expected) from error
    finally:
        db.close()
    if isinstance(made, str):
        return _failed(made)
    _say(settings, arguments.device, made.code, root)
    return 0


def _say(settings: Settings, device: str, code: str, root: str) -> None:
    sys.stderr.write(f"{device}: type the code {code} within 30 minutes\n")
    print(enrolment.invite(settings.url, code, root).text)


def _failed(sentence: str) -> int:
    sys.stderr.write(f"machinaka-hub: {sentence}\n")
    return 2
