"""`machinaka-agent`: one device.  What a person got wrong ends with one sentence and code 2."""

import argparse
import asyncio
import logging
import sys
from importlib import metadata
from pathlib import Path

from edge_agent import settings as agent_settings
from edge_agent.attendance import roster
from edge_agent.attendance.readers import tap
from wire.settings_file import BadSetting

log = logging.getLogger("edge_agent")


def main() -> int:
    """Runs one command; its exit code."""
    arguments = _parser().parse_args()
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
    return parser


def _run(arguments: argparse.Namespace) -> int:
    from edge_agent import app

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = agent_settings.load(Path(arguments.settings))
    try:
        asyncio.run(app.run(settings, file=arguments.settings))
    except ExceptionGroup as group:
        # Supervisor starts the agent anew; what is on disk is safe.
        log.exception("the agent ends: %s", "; ".join(f"{type(e).__name__}: {e}" for e in group.exceptions))
        return 1
    except OSError as error:
        sys.stderr.write(f"machinaka-agent: {settings.state_dir}: {error.strerror or error}\n")
        return 1
    return 0


def _spool(arguments: argparse.Namespace) -> int:
    import sqlite3

    settings = agent_settings.load(Path(arguments.settings))
    path = Path(settings.state_dir) / "spool.db"
    if not path.exists():
        sys.stderr.write(f"machinaka-agent: {path}: no spool yet\n")
        return 2
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    print("spool", db.execute("SELECT spool FROM identity").fetchone()[0])
    for lane, name in enumerate(("urgent", "bulk")):
        kept, waiting, acked = db.execute(
            "SELECT count(*), count(CASE WHEN seq > acked THEN 1 END), acked FROM lane LEFT JOIN record USING (lane) "
            "WHERE lane = ?",
            (lane,),
        ).fetchone()
        print(f"{name}: {waiting} waiting, {kept} kept, the hub has everything through {acked}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
