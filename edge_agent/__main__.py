"""`machinaka-agent`: one device.  What a person got wrong ends with one sentence and code 2."""

import argparse
import asyncio
import logging
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from edge_agent import settings as agent_settings
from edge_agent.attendance import roster
from edge_agent.attendance.readers import tap
from edge_agent.fleet.inventory import serial_number
from edge_agent.identity import commands as identity_commands
from wire.settings_file import BadSetting

log = logging.getLogger("edge_agent")


def main(words: Sequence[str] | None = None) -> int:
    """Runs one command (without words: the one that this process was started with); its exit code."""
    arguments = _parser().parse_args(words)
    try:
        code: int = arguments.run(arguments)
    except BadSetting as error:
        sys.stderr.write(f"machinaka-agent: {error}\n")
        return 2
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="machinaka-agent", description="One device of the town.")
    parser.add_argument("--version", action="version", version=metadata.version("machinaka"))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, about, run in (("run", "run the agent", _run), ("spool", "what waits on this disk", _spool)):
        command = commands.add_parser(name, help=about)
        command.add_argument("--settings", required=True, metavar="FILE")
        command.set_defaults(run=run)
    tap.add_commands(commands)
    roster.add_commands(commands)
    identity_commands.add_to(commands, serial_number)
    return parser


def _run(arguments: argparse.Namespace) -> int:
    from edge_agent import app, memory

    memory.one_arena()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = agent_settings.load(Path(arguments.settings))
    try:
        asyncio.run(app.run(settings, file=arguments.settings))
    except ExceptionGroup as group:
        # Supervisor starts the agent anew; what is on disk is safe.
        log.exception("the agent ends: %s", "; ".join(f"{type(e).__name__}: {e}" for e in group.exceptions))
        return 1
    except OSError as error:
        sys.stderr.write(f"machinaka-agent: {error.filename or settings.state_dir}: {error.strerror or error}\n")
        return 1
    return 0


def _spool(arguments: argparse.Namespace) -> int:
    import sqlite3

    from edge_agent import spool_file

    path = Path(agent_settings.load(Path(arguments.settings)).state_dir) / "spool.db"
    if not path.exists():
        sys.stderr.write(f"machinaka-agent: {path}: no spool yet\n")
        return 2
    try:
        spool, lanes = spool_file.read_figures(path)
    except sqlite3.Error as error:
        sys.stderr.write(f"machinaka-agent: {path}: this spool cannot be read ({error})\n")
        return 2
    print("spool", spool)
    for lane in lanes:
        print(f"{lane.name}: {lane.waiting} waiting, {lane.kept} kept, the hub has everything through {lane.acked}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
