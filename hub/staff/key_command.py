"""`machinaka-hub card-key`: the keys of cards, for whoever sits at the hub's machine.

A key is read from standard input and never from the command line, which others on the machine can see.
"""

import argparse
import secrets
import sys
import time
from pathlib import Path
from typing import Any

from hub import audit
from hub import settings as hub_settings
from hub.db import Broken, Connection, Db
from hub.staff import roster_keys, roster_store
from hub.staff.roster import Kind
from hub.staff.roster_keys import FELICA, BadKey
from wire.roster import KEY_BYTES, proof_key
from wire.settings_file import BadSetting

_LONGEST_NAME = 40
_IDM_BYTES = 8


def add_to(commands: "argparse._SubParsersAction[Any]") -> None:
    """Adds the command to those of `machinaka-hub`."""
    group = commands.add_parser(
        "card-key", help="keys of staff cards, and which cards must prove that they are genuine"
    )
    inside = group.add_subparsers(required=True, metavar="DO", dest="do")
    for name, about in (
        ("show", "say which keys there are, and which kinds of cards must prove themselves"),
        ("make", f"make {FELICA}, the key of FeliCa Lite-S cards, when there is none"),
        ("set", f"take {FELICA} from standard input (64 hex digits), when there is none"),
        ("kind", "name a kind of card, and say whether its cards must prove themselves"),
        ("of", "print the key to be written into the card of a number (IDm), once it is issued"),
        ("accept", "take the cards.key that is there for the town's, when the one before is lost for good"),
    ):
        command = inside.add_parser(name, help=about)
        command.add_argument("--settings", required=True, metavar="FILE")
        if name == "kind":
            command.add_argument("name", metavar="NAME", help="as it stands with the card at the hub")
            command.add_argument("--mac", required=True, choices=("yes", "no"), help="must its cards prove themselves")
        if name == "of":
            command.add_argument("idm", metavar="IDM", help="16 hex digits")
        command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = hub_settings.load(Path(arguments.settings))
    if not settings.database.exists():
        return _failed(f"{settings.database}: no database; the hub has not run with these settings")
    folder = Path(settings.state_dir)
    db = Db(settings.database)
    try:
        db.open()
        return _do(arguments, folder, db)
    except BadKey as error:
        return _failed(str(error))
    except (OSError, Broken) as error:
        expected = "a folder the hub may write, with its own database"
        raise BadSetting(settings.database, "state_dir", str(error), expected) from error
    finally:
        db.close()


def _do(arguments: argparse.Namespace, folder: Path, db: Db) -> int:
    match arguments.do:
        case "make":
            return _put(folder, db, secrets.token_bytes(KEY_BYTES))
        case "set":
            return _set(folder, db)
        case "kind":
            return _kind(folder, db, arguments.name.strip(), mac=arguments.mac == "yes")
        case "of":
            return _of(folder, arguments.idm)
        case "accept":
            keys = roster_keys.read(folder)
            _write(db, "accept", lambda conn, now_ms: roster_store.accept_key(conn, keys, now_ms))
            print("cards.key is the town's from here on; terminals know older cards by the keys that they have had")
            return 0
    return _show(folder, db)


def _show(folder: Path, db: Db) -> int:
    keys = roster_keys.read(folder)
    print(f"cards.key: there (check {keys.check[:8]})")
    print(f"{FELICA}: {'there' if keys.felica else 'none; `machinaka-hub card-key make` makes it'}")
    for kind in db.read(roster_store.kinds):
        print(f"{kind.name}: {kind.technology}, {'must prove itself' if kind.mac else 'by its number alone'}")
    return 0


def _set(folder: Path, db: Db) -> int:
    text = sys.stdin.readline().strip()
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        return _failed(f"standard input: expected {2 * KEY_BYTES} hex digits")
    return _put(folder, db, key)


def _put(folder: Path, db: Db, key: bytes) -> int:
    if (folder / FELICA).exists():
        return _failed(f"{folder / FELICA}: is there already; cards were made with it, and another makes them no good")
    roster_keys.write_felica(folder, key)
    _write(db, FELICA, roster_store.touch)
    print(f"{folder / FELICA}: keep a copy where the town keeps its keys")
    return 0


def _kind(folder: Path, db: Db, name: str, *, mac: bool) -> int:
    if not 1 <= len(name) <= _LONGEST_NAME or not name.isprintable():
        return _failed(f"NAME: found {name!r}, expected 1 to {_LONGEST_NAME} letters")
    if mac and roster_keys.read(folder).felica is None:
        return _failed(f"{folder / FELICA}: there is no key yet; `machinaka-hub card-key make` makes it")
    kind = Kind(name, "felica", mac)
    _write(db, f"{name} {'mac' if mac else 'number'}", lambda conn, now_ms: roster_store.set_kind(conn, kind, now_ms))
    print(f"{name}: {'its cards must prove themselves' if mac else 'its cards count by their number alone'}")
    return 0


def _of(folder: Path, idm: str) -> int:
    try:
        number = bytes.fromhex(idm)
    except ValueError:
        number = b""
    if len(number) != _IDM_BYTES:
        return _failed(f"IDM: found {idm!r}, expected {2 * _IDM_BYTES} hex digits")
    felica = roster_keys.read(folder).felica
    if felica is None:
        return _failed(f"{folder / FELICA}: there is no key yet; `machinaka-hub card-key make` makes it")
    print(proof_key(felica, number).hex())
    return 0


def _write(db: Db, what: str, do: Any) -> None:
    now_ms = time.time_ns() // 1_000_000

    def write(conn: Connection) -> None:
        do(conn, now_ms)
        audit.note(conn, now_ms, audit.SYSTEM, "card_key", what)

    db.write_now(write)


def _failed(sentence: str) -> int:
    sys.stderr.write(f"machinaka-hub: card-key: {sentence}\n")
    return 2
