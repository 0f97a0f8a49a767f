"""`machinaka-hub portal-certificate`: the certificate with which guests are received, for whoever sits at the hub.

An ACME client that proves the name by DNS (RFC 8555, DNS-01) runs it after each renewal; the access points have the
new one a moment later.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

from cryptography import x509 as certificates

from hub import audit, shown
from hub import settings as hub_settings
from hub.db import Broken, Connection, Db
from hub.settings import Settings
from hub.wifi import certificate, keys, kit_store
from hub.wifi.certificate import BadPortal, Portal
from wire.ca_folder import BadFolder
from wire.settings_file import BadSetting


def add_to(commands: "argparse._SubParsersAction[Any]") -> None:
    """Adds the command to those of `machinaka-hub`."""
    command = commands.add_parser(
        "portal-certificate", help="show, bring or make anew the certificate of the Wi-Fi's portal"
    )
    command.add_argument("--settings", required=True, metavar="FILE")
    command.add_argument("--chain", metavar="FILE", help="the portal's certificate and then its issuers, in PEM")
    command.add_argument("--key", metavar="FILE", help="its key, in PEM without a passphrase")
    command.add_argument("--root", metavar="FILE", help="a root in PEM that guests' devices know and this machine not")
    command.add_argument(
        "--own", action="store_true", help="forget what was brought; the town's own issuer makes one with a new key"
    )
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings = hub_settings.load(Path(arguments.settings))
    if bool(arguments.chain) != bool(arguments.key) or (arguments.own and arguments.chain):
        return _failed("expected --chain FILE and --key FILE, or --own, or neither to look")
    if not settings.database.exists():
        return _failed(f"{settings.database}: no database; the hub has not run with these settings")
    try:
        return _do(arguments, settings)
    except (BadPortal, BadFolder) as error:
        return _failed(str(error))
    except Broken as error:
        expected = "a folder the hub may write, with its own database"
        raise BadSetting(settings.database, "state_dir", str(error), expected) from error
    except OSError as error:
        return _failed(f"{error.filename}: {error.strerror}")


def _do(arguments: argparse.Namespace, settings: Settings) -> int:
    folder, host, now_ms = keys.folder_of(Path(settings.state_dir)), settings.wifi.portal_host, _now_ms()
    if arguments.chain:
        roots = certificate.known_roots(settings.ca) + _extra(arguments.root)
        chain, key = Path(arguments.chain).read_bytes(), Path(arguments.key).read_bytes()
        made = certificate.bring(folder, host, chain, key, roots, now_ms)
        _note(settings, f"{host} until {shown.day_of(made.end_ms)}", now_ms)
        return _say(made)
    if arguments.own:
        certificate.forget_brought(folder)
        made = certificate.make_own(folder, settings.ca, host, now_ms)
        _note(settings, f"{host}, the town's own, until {shown.day_of(made.end_ms)}", now_ms)
        return _say(made)
    found = certificate.current(folder, host, now_ms)
    if found is None:
        print(f"{host}: no certificate yet; the hub makes one when it runs")
        return 0
    return _say(found)


def _extra(path: str | None) -> list[certificates.Certificate]:
    if not path:
        return []
    try:
        return certificates.load_pem_x509_certificates(Path(path).read_bytes())
    except ValueError as error:
        raise BadPortal(f"{path}: found no certificate, expected a root in PEM") from error


def _say(one: Portal) -> int:
    whose = "brought" if one.brought else "the town's own: guests' phones do not know its issuer"
    print(f"{one.host}: until {shown.day_of(one.end_ms)} ({whose})")
    return 0


def _note(settings: Settings, what: str, now_ms: int) -> None:
    def write(conn: Connection) -> None:
        kit_store.touch(conn)
        audit.note(conn, now_ms, audit.SYSTEM, "portal_certificate", what)

    db = Db(settings.database)
    try:
        db.open()
        db.write_now(write)
    finally:
        db.close()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _failed(sentence: str) -> int:
    sys.stderr.write(f"machinaka-hub: portal-certificate: {sentence}\n")
    return 2
