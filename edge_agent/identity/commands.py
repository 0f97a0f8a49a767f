"""`machinaka-agent enrol`: gives this device its identity while a person stands by."""

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from edge_agent import settings as agent_settings


def add_to(commands: "argparse._SubParsersAction[Any]", serial_number: Callable[[Path], str]) -> None:
    """Adds the command to those of `machinaka-agent`; `serial_number` tells the machine's own."""
    command = commands.add_parser(
        "enrol",
        help="give this device its identity",
        description="Asks the hub for this device's certificate, with a code from the hub's page of new devices.",
    )
    command.add_argument("--settings", required=True, metavar="FILE")
    command.add_argument("--invitation", metavar="LINE", help="what the QR code says, instead of the three below")
    command.add_argument("--hub", default="", metavar="URL", help="the hub's address")
    command.add_argument(
        "--code", default="", metavar="CODE", help="without one, the town hall must expect this device"
    )
    command.add_argument("--root", default="", metavar="SHA256", help="the town's root, as it stands beside the code")
    command.add_argument("--serial", default="", metavar="S", help="this machine's serial number, where it tells none")
    command.set_defaults(run=partial(_run, serial_number))


def _run(serial_number: Callable[[Path], str], arguments: argparse.Namespace) -> int:
    from edge_agent.identity.ask import Away, Refused
    from edge_agent.identity.enrol import Me
    from edge_agent.identity.keys import NotOurs
    from wire.enrolment import BadInvitation, invite, read_invitation

    settings = agent_settings.load(Path(arguments.settings))
    me = Me(settings.device, settings.kind, arguments.serial or serial_number(Path("/")))
    try:
        given = arguments.invitation
        invitation = read_invitation(given) if given else invite(arguments.hub, arguments.code, arguments.root)
        return _enrol(settings, me, invitation)
    except BadInvitation as error:
        return _failed(str(error), 2)
    except (Away, Refused, NotOurs) as error:
        return _failed(str(error), 1)
    except OSError as error:
        return _failed(f"{error.filename}: {error.strerror}", 1)


def _enrol(settings: agent_settings.Settings, me: Any, invitation: Any) -> int:
    from edge_agent.identity import enrol
    from wire.enrolment import Waiting

    folder = Path(settings.state_dir) / "identity"
    while isinstance(done := enrol.enrol(folder, me, invitation), Waiting):
        print(f"{me.name}: waits for somebody at the town hall to approve it; compare: {done.compare}", flush=True)
        time.sleep(done.ask_again_s)
    print(f"{me.name}: enrolled; its identity lies in {folder}")
    here, there = settings.broker, f"{done.broker_host}:{done.broker_port}"
    if f"{here.host}:{here.port}" != there:
        print(f"The settings name the broker {here.host}:{here.port}, the hub says {there}.")
    return 0


def _failed(sentence: str, code: int) -> int:
    sys.stderr.write(f"machinaka-agent: {sentence}\n")
    return code
