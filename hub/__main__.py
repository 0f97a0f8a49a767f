"""`machinaka-hub`: the town hall.  What a person got wrong ends with one sentence and code 2."""

import argparse
import logging
import os
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from hub import settings as hub_settings
from hub import simulate
from wire.settings_file import BadSetting

if TYPE_CHECKING:
    from hub.db import Db


def main() -> int:
    """Runs one command; its exit code."""
    arguments = _parser().parse_args()
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
        ("backup", "write a copy of the database while the hub runs", _backup),
    ):
        command = commands.add_parser(name, help=about)
        command.add_argument("--settings", required=True, metavar="FILE")
        if name == "backup":
            command.add_argument("--to", required=True, metavar="FILE")
        command.set_defaults(run=run)
    simulate.add_to(commands)
    return parser


def _serve(arguments: argparse.Namespace) -> int:
    import uvicorn

    from hub import app

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    settings = hub_settings.load(Path(arguments.settings))
    os.umask(0o077)
    config = uvicorn.Config(
        app.make_app(settings),
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_config=None,
        server_header=False,
        # Pages that listen for changes stay open for ever: they are ended, not waited for.
        timeout_graceful_shutdown=1,
        limit_concurrency=1000,
    )
    server = uvicorn.Server(config)
    try:
        server.run()
    except SystemExit:
        # uvicorn has said which address it could not have.
        return 1
    return 0 if server.started else 1


def _database(arguments: argparse.Namespace) -> tuple[hub_settings.Settings, "Db"]:
    from hub.db import Db

    settings = hub_settings.load(Path(arguments.settings))
    db = Db(settings.database)
    db.open()
    return settings, db


def _admin_link(arguments: argparse.Namespace) -> int:
    from hub import login, pages

    settings, db = _database(arguments)
    try:
        link = db.write_now(lambda conn: login.first_administrator_link(conn, pages.now_ms(), settings.url))
    finally:
        db.close()
    print(link or f"There is an administrator already; sign in at {settings.url}/sign-in")
    return 0


def _backup(arguments: argparse.Namespace) -> int:
    _, db = _database(arguments)
    try:
        db.backup(Path(arguments.to))
    except OSError as error:
        sys.stderr.write(f"machinaka-hub: backup to {arguments.to}: {error.strerror}\n")
        return 2
    finally:
        db.close()
    print(f"{arguments.to}: {Path(arguments.to).stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
