"""The second factor of people in tests: a secret that is known, and codes that may be given again."""

import time
from pathlib import Path

import pyotp

from hub import access, factors, pages, people
from hub.access import Role
from hub.db import Connection, Db
from hub.second_factor import Sealing, as_text
from tests.hub_process import Hub

SECRET = b"tests know the secret"[:20]

# What a person's phone would know, and the database of a hub that runs beside: by the hub's address.
_SECRETS: dict[tuple[str, str], str] = {}
_DATABASES: dict[str, Path] = {}
_USED: dict[str, int] = {}


def code(secret: bytes | str = SECRET, steps: int = 0) -> str:
    """The digits of now, or of some steps of 30 s away."""
    text = secret if isinstance(secret, str) else as_text(secret)
    return pyotp.TOTP(text).at(int(time.time()) + 30 * steps)


def add(conn: Connection, folder: Path, name: str, role: Role, hashed: str, shown: str = "") -> int:
    """Somebody with a password, and with the tests' secret where the role asks for one; `folder`: the hub's."""
    number = people.add(conn, name, shown, role, pages.now_ms())
    people.set_password(conn, number, hashed)
    if access.needs_code(role):
        give(conn, folder, number)
    return number


def give(conn: Connection, folder: Path, number: int) -> None:
    """The tests' secret."""
    factors.keep(conn, number, Sealing(folder).seal(number, SECRET), 0, pages.now_ms())


def free(conn: Connection) -> None:
    """Lets the codes of now be used again: a test signs in more often than a person."""
    conn.execute("UPDATE factor SET last_step = 0")


def add_to(hub: Hub, name: str, role: Role, hashed: str, shown: str = "") -> int:
    """The same in a hub that runs beside."""
    db = Db(hub.database)
    try:
        number = db.write_now(lambda conn: add(conn, hub.database.parent, name, role, hashed, shown))
    finally:
        db.close()
    _DATABASES[hub.url] = hub.database
    return number


def learn(url: str, name: str, secret: str) -> None:
    """What a phone has scanned."""
    _SECRETS[url, name] = secret


def next_code(url: str, name: str) -> str:
    """Digits that this hub will take from this person; waits for new ones where its database is out of reach."""
    if url in _DATABASES:
        db = Db(_DATABASES[url])
        db.write_now(free)
        db.close()
        return code(_SECRETS.get((url, name), SECRET))
    secret = _SECRETS.get((url, name), SECRET)
    key = f"{url} {name}"
    while True:
        now = int(time.time()) // 30
        step = max(_USED.get(key, 0) + 1, now - 1)
        if step <= now + 1:
            _USED[key] = step
            return code(secret, step - now)
        time.sleep(0.5)
