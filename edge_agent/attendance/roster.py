"""The terminal's own files about cards: its key, and who is who (optional).

`roster.toml` holds card tokens and names: [names] <token> = "…".  Without the file every card is taken, without a name.
"""

import argparse
import contextlib
import os
import secrets
import sys
import tomllib
from pathlib import Path

from edge_agent import settings as agent_settings
from edge_agent.attendance import card
from wire import settings_file
from wire.settings_file import BadSetting

_ABOUT = "Cards that this terminal knows: token = name. `machinaka-agent roster` writes this file."


class Roster:
    """Names by card token, read again when the file has changed."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "roster.toml"
        self._read_ns: int | None = None
        self._names: dict[str, str] | None = None

    def known(self, token: str) -> bool:
        """Whether a card may punch; everyone may while there is no roster."""
        names = self._current()
        return names is None or token in names

    def name(self, token: str) -> str:
        """The name to show, or an empty text."""
        return (self._current() or {}).get(token, "")

    def _current(self) -> dict[str, str] | None:
        try:
            changed_ns = self._path.stat().st_mtime_ns
        except OSError:
            self._names, self._read_ns = None, None
            return None
        if changed_ns != self._read_ns:
            # A file that somebody is in the middle of writing: the names as they were go on until it is whole.
            with contextlib.suppress(BadSetting):
                self._names = read_names(self._path)
                self._read_ns = changed_ns
        return self._names


def read_names(path: Path) -> dict[str, str]:
    """The names in a roster file. Raises BadSetting."""
    try:
        names = tomllib.loads(path.read_text(encoding="utf-8")).get("names", {})
    except OSError as error:
        raise BadSetting(path, "(file)", error.strerror or "no file", "a roster file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(path, "(file)", str(error), "a TOML file in UTF-8") from error
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise BadSetting(path, "names", repr(names)[:80], "a table of card tokens and names")
    return names


def card_key(folder: Path) -> bytes:
    """The terminal's key, made at first use (32 random bytes, readable by the agent alone)."""
    path = folder / "card.key"
    if not path.exists():
        temporary = path.with_suffix(".new")
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(card.KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    return path.read_bytes()


def roster_main(arguments: argparse.Namespace) -> int:
    """`machinaka-agent roster list|add|remove`."""
    folder = Path(agent_settings.load(Path(arguments.settings)).state_dir)
    path = folder / "roster.toml"
    names = read_names(path) if path.exists() else {}
    if arguments.do == "list":
        print("\n".join(f"{token}  {name}" for token, name in sorted(names.items())) or "The roster is empty.")
        return 0
    try:
        token = card.token(card_key(folder), bytes.fromhex(arguments.card))
    except ValueError:
        sys.stderr.write(f"machinaka-agent roster: --card {arguments.card}: expected the card's number in hex\n")
        return 2
    if arguments.do == "add":
        names[token] = arguments.name
    elif names.pop(token, None) is None:
        sys.stderr.write("machinaka-agent roster: this card is not in the roster\n")
        return 2
    temporary = path.with_suffix(".new")
    settings_file.write(temporary, {"names": names}, about=_ABOUT)
    temporary.replace(path)
    print(f"{len(names)} cards in the roster")
    return 0


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `roster` to the agent's command line."""
    parser = commands.add_parser("roster", help="who is who at this terminal")
    does = parser.add_subparsers(dest="do", required=True)
    for name, about in (("list", "show all"), ("add", "a card and its name"), ("remove", "a card")):
        one = does.add_parser(name, help=about)
        one.add_argument("--settings", required=True, metavar="FILE")
        if name != "list":
            one.add_argument("--card", required=True, metavar="HEX")
        if name == "add":
            one.add_argument("--name", required=True)
        one.set_defaults(run=roster_main)
