"""What these tests share: records taken in as they come over the wire, and a look into every file."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from hub.db import Connection, Db
from hub.fleet.known import Known
from hub.ingest_group import Group
from tests.ingest.parts import BOOT
from wire import codec, topics
from wire.messages import Batch, Consent, Presence, Record, WifiSession

DAY_MS = 86_400_000
# 2026-05-20 in the morning.
NOW_MS = 1_779_235_200_000
ACCESS_POINT = "access-point-1"


def session_body(number: int, at_ms: int, guest: str) -> WifiSession:
    """A session of an hour that ended at a moment."""
    return WifiSession(
        session=f"{number:032x}",
        boot=BOOT,
        number=1,
        began_ms=at_ms - 3_600_000,
        last_ms=at_ms,
        up_bytes=1_000,
        down_bytes=50_000,
        guest=guest,
        day="2026-05-20",
        network="Town_Free_Wi-Fi",
        cause="time",
    )


def consent_body(number: int, contact: str, key: str = "2026-05.0011223344556677") -> Consent:
    """The consent that it began with."""
    return Consent(f"{number:032x}", "v1", "ja", "email", contact=contact, contact_key=key, voucher=f"7-{contact[:12]}")


class Intake:
    """Takes records in as the hub does, at whatever time it is said to be."""

    def __init__(self, db: Db, device: str = ACCESS_POINT) -> None:
        self._db, self._device = db, device
        self._known = Known(db)
        self._seq = 0
        self._say(
            NOW_MS, "presence", codec.encode(Presence(online=True, boot=BOOT, connection=1, device_kind="access_point"))
        )

    def _say(self, received_ms: int, leaf: topics.Leaf, payload: bytes) -> None:
        group = Group(self._known, received_ms)
        group.add(topics.topic(self._device, leaf), payload)
        self._db.write_now(group.close())

    def take(self, received_ms: int, bodies: Iterable[tuple[int, str, msgspec.Struct | bytes]]) -> None:
        """Bodies with when they happened and of which kind they are, told at a moment."""
        records, after = [], self._seq
        for at_ms, kind, body in bodies:
            self._seq += 1
            raw = body if isinstance(body, bytes) else codec.encode_body(body)
            records.append(Record(self._seq, kind, BOOT, self._seq, at_ms, "synced", msgspec.Raw(raw)))
        self._say(received_ms, "up", codec.encode(Batch("0123456789abcdef", "bulk", after, tuple(records))))


def opened(folder: Path) -> Db:
    """A new hub's database."""
    db = Db(folder / "hub.db")
    db.open()
    return db


def lies_in(folder: Path, *canaries: str) -> set[str]:
    """Which of these texts lie in any file of a folder: the database, its log, its index, whatever else there is."""
    found = set()
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            found |= {text for text in canaries if text.encode() in data}
    return found


def shown_by(conn: Connection, text: str) -> list[str]:
    """The tables in which a text stands, in whatever column."""
    tables = [
        name
        for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    ]
    found = []
    for table in tables:
        for row in conn.execute(f"SELECT * FROM {table}"):  # noqa: S608 (names of our own tables)
            if any(text in (one.decode("latin-1") if isinstance(one, bytes) else str(one)) for one in row):
                found.append(table)
                break
    return found
