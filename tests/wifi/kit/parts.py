"""What these tests share: a hub's database with access points that have certificates, and the hub's files."""

import base64
import contextlib
from collections.abc import Iterator
from pathlib import Path

import msgspec

from hub.db import Connection, Db
from hub.settings import Settings
from hub.signing import Signing
from hub.told import Told
from hub.wifi import keys, kit_store, kit_task, voucher_store
from hub.wifi.kit import Files
from hub.wifi.voucher import Wanted
from tests.certificates import pki
from tests.roster.parts import DAY_MS, certify
from wire import codec, sealed, signed, x509
from wire import kit as wire_kit
from wire.kit import KitContent
from wire.messages import Kit, KitReport, Presence

NOW_MS = 1_795_500_000_000
POINT = "ap-1"
HOUR_MS = 3_600_000


class Town:
    """A hub's database and folder, without pages; access points of names, each with a certificate."""

    def __init__(self, folder: Path, *points: str) -> None:
        self.folder = folder / "hub"
        self.db = Db(self.folder / "hub.db")
        self.db.open()
        self.signing = Signing(self.folder)
        self.settings = Settings(str(self.folder))
        self.settings = msgspec.structs.replace(
            self.settings, broker=msgspec.structs.replace(self.settings.broker, ca_dir=str(pki().folder))
        )
        self.now_ms = NOW_MS
        for name in points or (POINT,):
            self.add(name)

    @property
    def keys(self) -> Path:
        """The folder of keys."""
        return keys.folder_of(self.folder)

    @property
    def files(self) -> Files:
        """What comes from the hub's folder, now."""
        return kit_task.read_files(self.settings, self.now_ms)

    def add(self, name: str, kind: str = "access_point") -> int:
        """A device as the ingest makes it, with its certificate in the register; its number."""
        insert = "INSERT INTO device (name, kind, first_heard_ms, last_heard_ms, online) VALUES (?, ?, 0, 0, 1)"
        self.write(lambda conn: conn.execute(insert, (name, kind)))
        certify(self.db, name, pki().identity(name), self.now_ms)
        return self.id_of(name)

    def write(self, do: object) -> object:
        """One transaction."""
        assert callable(do)
        return self.db.write_now(do)

    def rows(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """What a statement finds."""
        return self.db.read(lambda conn: conn.execute(statement, values).fetchall())

    def id_of(self, name: str) -> int:
        """A device's number."""
        ((found,),) = self.rows("SELECT id FROM device WHERE name = ?", name)
        assert isinstance(found, int)
        return found

    def publish(self, after_ms: int = 1000) -> tuple[str, ...]:
        """As the hub's loop does it."""
        self.now_ms += after_ms
        files, now_ms = self.files, self.now_ms
        found = self.db.read(lambda conn: kit_store.plan(conn, self.signing, files, now_ms))
        return self.db.write_now(lambda conn: kit_store.publish(conn, self.signing, found, now_ms))

    def touch(self) -> None:
        """Something that a kit holds has changed."""
        self.db.write_now(kit_store.touch)

    @property
    def due(self) -> bool:
        """Whether somebody is to be told something."""
        return self.db.read(lambda conn: kit_store.is_due(conn, self.now_ms))

    @property
    def error(self) -> str:
        """Why nobody is told."""
        return self.db.read(kit_store.error)

    def outgoing(self) -> dict[str, Kit]:
        """What is on its way, by access point."""
        rows = self.rows(
            "SELECT d.name, o.message FROM outbox o JOIN device d ON d.id = o.device_id WHERE what = 'kit'"
        )
        return {str(name): read(message) for name, message in rows}

    def made(self, name: str = POINT) -> Kit:
        """The kit that was made for an access point last, whether it is on its way or not."""
        ((message,),) = self.rows("SELECT message FROM kit WHERE device_id = ?", self.id_of(name))
        return read(message)

    def content(self, name: str = POINT) -> KitContent:
        """What an access point reads in its last kit."""
        return opened(self.made(name), name)

    def tell(self, report: KitReport, name: str = POINT) -> None:
        """An access point's answer is taken in."""
        told = Told(self.id_of(name), name, 1, self.now_ms, self.now_ms, report)
        self.db.write_now(lambda conn: kit_store.take_reports(conn, [told]))

    def follow(self, name: str = POINT) -> None:
        """An access point goes by its last kit."""
        made = self.made(name)
        self.tell(KitReport(made.incarnation, made.generation), name)

    def come(self, incarnation: str = "", generation: int = 0, name: str = POINT) -> None:
        """An access point comes online."""
        presence = Presence(True, "b", 1, device_kind="access_point", roster=incarnation, roster_generation=generation)
        told = Told(self.id_of(name), name, 0, self.now_ms, self.now_ms, presence)
        self.db.write_now(lambda conn: kit_store.take_presences(conn, [told]))

    def vouchers(self, *codes: str, minutes: int = 60, devices: int = 1, days: int = 7) -> int:
        """A batch with these codes; its number."""
        key = keys.voucher_key(self.keys)
        wanted = Wanted("test", len(codes), minutes, devices, self.now_ms + days * DAY_MS)
        hashes = [wire_kit.code_hash(key, code) for code in codes]

        def write(conn: Connection) -> int:
            return voucher_store.make(conn, wanted, hashes, keys.check(key), "hanako", self.now_ms)

        return self.db.write_now(write)


def read(message: object) -> Kit:
    """A message to an access point."""
    assert isinstance(message, bytes)
    found = codec.decode_down(message)
    assert isinstance(found, Kit)
    return found


def opened(message: Kit, name: str = POINT, identity: Path | None = None) -> KitContent:
    """What an access point reads in it. Raises CannotOpen."""
    key = x509.read_key(((identity or pki().identity(name)) / "key.pem").read_bytes())
    raw = base64.urlsafe_b64decode(message.sealed + "=" * (-len(message.sealed) % 4))
    place = signed.kit_place_bytes(name, message.incarnation, message.generation)
    return wire_kit.unpack(sealed.unseal(key, raw, place))


@contextlib.contextmanager
def town(folder: Path, *points: str) -> Iterator[Town]:
    """One, closed at the end."""
    made = Town(folder, *points)
    try:
        yield made
    finally:
        made.db.close()
