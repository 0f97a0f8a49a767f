"""`machinaka-provision`: makes devices and towns."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from provisioning import ca, enrol
from wire.settings_file import BadSetting


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; the exit code is 2 for what a person got wrong."""
    given = _parser().parse_args(argv)
    from provisioning import layout, ports, town

    if given.command == "ca":
        return ca.run(given)
    if given.command == "enrol":
        return enrol.run(given)
    commands = {"run": town.run, "status": town.status, "stop": town.stop}
    try:
        return commands[given.action](given.var.resolve())
    except (BadSetting, layout.CannotLayOut, ports.NoFreePort) as sentence:
        sys.stderr.write(f"{sentence}\n")
    except PermissionError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}; it belongs to another user\n")
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="machinaka-provision", description="Makes devices and towns.")
    commands = parser.add_subparsers(dest="command", required=True)
    town = commands.add_parser("town", help="a whole town on this machine, to try and to develop")
    town.add_argument("action", choices=["run", "status", "stop"])
    town.add_argument("--var", type=Path, default=Path("var"), help="the folder with its data (default: var)")
    ca.add_commands(commands)
    enrol.add_commands(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
