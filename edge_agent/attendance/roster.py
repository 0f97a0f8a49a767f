"""The terminal's own files about cards: its key, and who is who (optional), until the town's roster comes.

`roster.toml` holds card tokens and names: [names] <token> = "…".  Without the file every card is taken, without a name.
With one that cannot be read the names as they were go on, and every card is taken when there were none yet: a
person's punch is worth more than a name.
"""

import argparse
import logging
import os
import re
import secrets
import sys
import tomllib
from pathlib import Path

from edge_agent import settings as agent_settings
from edge_agent.attendance import card, town_roster
from wire import settings_file
from wire.settings_file import BadSetting

log = logging.getLogger(__name__)

_TOKEN = re.compile("[0-9a-f]{32}")
_ABOUT = "Cards that this terminal knows: token = name. `machinaka-agent roster` writes this file."


class Roster:
    """Names by card token, read again when the file has changed."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "roster.toml"
        self._version: tuple[int, int, int] | None = None
        self._names: dict[str, str] | None = None
        self._broken = False

    def known(self, token: str) -> bool:
        """Whether a card may punch; everyone may while there is no roster."""
        names = self._current()
        return names is None or token in names

    def name(self, token: str) -> str:
        """The name to show, or an empty text."""
        return (self._current() or {}).get(token, "")

    def _current(self) -> dict[str, str] | None:
        try:
            status = self._path.stat()
        except OSError:
            self._names, self._version, self._broken = None, None, False
            return None
        version = (status.st_mtime_ns, status.st_size, status.st_ino)
        if version != self._version:
            self._version = version
            self._read()
        return self._names

    def _read(self) -> None:
        try:
            self._names = read_names(self._path)
        except BadSetting as error:
            # Somebody may be in the middle of writing it; its next version is read again.
            if not self._broken:
                log.warning("the roster stays as it was: %s", error)
            self._broken = True
            return
        if self._broken:
            log.warning("the roster can be read again")
        self._broken = False


def read_names(path: Path) -> dict[str, str]:
    """The names in a roster file. Raises BadSetting."""
    try:
        names = tomllib.loads(path.read_text(encoding="utf-8")).get("names")
    except OSError as error:
        raise BadSetting(path, "(file)", error.strerror or "no file", "a roster file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(path, "(file)", str(error), "a TOML file in UTF-8") from error
    if not isinstance(names, dict):
        found = "nothing" if names is None else type(names).__name__
        raise BadSetting(path, "names", found, "a table of card tokens and names")
    for token, name in names.items():
        if not _TOKEN.fullmatch(token):
            raise BadSetting(path, f"names.{token}", "a key of another form", "a card token (32 digits of 0-9 and a-f)")
        if not isinstance(name, str):
            raise BadSetting(path, f"names.{token}", type(name).__name__, "a name in quotes")
    return names


def write_names(path: Path, names: dict[str, str]) -> None:
    """Writes a roster file: whole or not at all, on disk when this returns, readable by its owner alone."""
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    temporary.touch(mode=0o600)
    settings_file.write(temporary, {"names": dict(sorted(names.items()))}, about=_ABOUT)
    _replace_durably(temporary, path)


def card_key(folder: Path) -> bytes:
    """The terminal's key, made at first use (32 random bytes, readable by the agent alone). Raises BadSetting, OSError.

    A new key makes every card a stranger, so a file that is not a key is never replaced.
    """
    path = folder / "card.key"
    if not path.exists():
        temporary = path.with_suffix(".new")
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(card.KEY_BYTES))
        _replace_durably(temporary, path)
    key = path.read_bytes()
    if len(key) != card.KEY_BYTES:
        raise BadSetting(path, "(file)", f"{len(key)} bytes", f"the terminal's key of {card.KEY_BYTES} bytes")
    return key


def _replace_durably(temporary: Path, path: Path) -> None:
    """Puts a file that is written into another's place; both its bytes and its name survive a power cut."""
    _sync(temporary)
    temporary.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def roster_main(arguments: argparse.Namespace) -> int:
    """`machinaka-agent roster list|add|remove`. Raises BadSetting."""
    folder = Path(agent_settings.load(Path(arguments.settings)).state_dir)
    path = folder / "roster.toml"
    try:
        if arguments.do != "list" and _has_towns(folder):
            return _bad("this terminal has the town's roster; cards are registered at the hub")
        names = read_names(path) if path.exists() else {}
        if arguments.do == "list":
            print("\n".join(f"{token}  {name}" for token, name in sorted(names.items())) or "The roster is empty.")
            return 0
        return _change(arguments, path, names)
    except OSError as error:
        return _bad(f"{error.filename or folder}: {error.strerror}")


def _has_towns(folder: Path) -> bool:
    content = town_roster.load(folder).content
    return content is not None and bool(content.cards)


def _change(arguments: argparse.Namespace, path: Path, names: dict[str, str]) -> int:
    """Adds or removes one card. Raises BadSetting, OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        token = arguments.token or card.token(card_key(path.parent), bytes.fromhex(arguments.card))
    except ValueError:
        return _bad(f"--card {arguments.card}: expected the card's number in hex")
    if not _TOKEN.fullmatch(token):
        return _bad(f"--token {token}: expected 32 digits of 0-9 and a-f, as the hub shows them")
    if arguments.do == "add":
        names[token] = arguments.name
    elif names.pop(token, None) is None:
        return _bad("this card is not in the roster")
    write_names(path, names)
    print(f"{len(names)} cards in the roster")
    return 0


def _bad(sentence: str) -> int:
    sys.stderr.write(f"machinaka-agent roster: {sentence}\n")
    return 2


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `roster` to the agent's command line."""
    parser = commands.add_parser("roster", help="who is who at this terminal")
    does = parser.add_subparsers(dest="do", required=True, metavar="COMMAND")
    for name, about in (("list", "show all"), ("add", "a card and its name"), ("remove", "a card")):
        one = does.add_parser(name, help=about)
        one.add_argument("--settings", required=True, metavar="FILE")
        if name != "list":
            which = one.add_mutually_exclusive_group(required=True)
            which.add_argument("--card", metavar="HEX", help="the card's number")
            which.add_argument("--token", default="", metavar="TOKEN", help="what the hub shows of a card")
        if name == "add":
            one.add_argument("--name", required=True)
        one.set_defaults(run=roster_main)
