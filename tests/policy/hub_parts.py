"""What the hub's tests of settings share: a database with devices, groups and places, and a key to sign with."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hub.db import Connection, Db
from hub.policy import group_store, store
from hub.signing import Signing
from hub.told import Told
from wire.messages import Presence, Reported

NOW_MS = 1_795_500_000_000


class Town:
    """Devices 1, 2, … of given kinds, without any pages around them."""

    def __init__(self, folder: Path, *kinds: str, again: bool = False) -> None:
        self.db = Db(folder / "hub.db")
        self.db.open()
        self.signing = Signing(folder)
        if not again:
            self.db.write_now(lambda conn: add_devices(conn, kinds))

    def say(self, kind: group_store.GroupKind, name: str, document: dict[str, Any], rank: int = 5) -> int:
        """A group that says something."""

        def write(conn: Connection) -> int:
            number = group_store.add_group(conn, kind, name, rank, NOW_MS, "hanako")
            group_store.say(conn, number, document, NOW_MS, "hanako")
            return number

        return self.db.write_now(write)

    def stand(self, device_id: int, place: str = "", *tags: str) -> None:
        """Where a device stands in the inventory, and its tags."""

        def write(conn: Connection) -> None:
            conn.execute("INSERT INTO item (device_id, place, changed_ms) VALUES (?, ?, 0)", (device_id, place))
            (item,) = conn.execute("SELECT id FROM item WHERE device_id = ?", (device_id,)).fetchone()
            conn.executemany("INSERT INTO item_tag (item_id, tag) VALUES (?, ?)", [(item, tag) for tag in tags])

        self.db.write_now(write)

    def publish(self, document: dict[str, Any], *device_ids: int, now_ms: int = NOW_MS) -> dict[int, int]:
        """Publishes one document to devices; their generations."""
        documents = dict.fromkeys(device_ids or (1,), document)
        return self.db.write_now(lambda conn: store.publish_many(conn, self.signing, documents, now_ms, "hanako"))

    def report(self, device_id: int, report: Reported, *, received_ms: int = NOW_MS + 5, boot: str = "b") -> None:
        """A device's report is taken in."""
        told = Told(device_id, f"d-{device_id}", 1, received_ms - 1, received_ms, report, boot)
        self.db.write_now(lambda conn: store.take_reports(conn, [told]))

    def come(self, device_id: int, incarnation: str = "", seen: int = 0, applied: int = 0) -> None:
        """A device comes online."""
        presence = Presence(True, "b", 1, "0.1.0", "terminal", seen, applied, incarnation)
        told = Told(device_id, f"d-{device_id}", 0, 0, NOW_MS + 9, presence)
        self.db.write_now(lambda conn: store.take_presences(conn, [told]))

    def ordered(self, device_id: int = 1) -> store.Ordered:
        """What a device is ordered to be."""
        return self.db.read(lambda conn: store.ordered(conn, [device_id]))[device_id]

    def reported(self, device_id: int = 1) -> store.Report:
        """What it reported last."""
        return self.db.read(lambda conn: store.reports(conn, [device_id]))[device_id]

    def outgoing(self) -> dict[int, bytes]:
        """What is to go to devices."""
        return self.db.read(lambda conn: dict(conn.execute("SELECT device_id, message FROM outbox").fetchall()))


def add_devices(conn: Connection, kinds: tuple[str, ...]) -> None:
    """Devices as the ingest makes them."""
    conn.executemany(
        "INSERT INTO device (id, name, kind, first_heard_ms, last_heard_ms, online) VALUES (?, ?, ?, 0, 0, 1)",
        [(number, f"d-{number}", kind) for number, kind in enumerate(kinds, 1)],
    )


@contextmanager
def town(folder: Path, *kinds: str, again: bool = False) -> Iterator[Town]:
    """One, closed at the end; `again` opens the database that is there."""
    made = Town(folder, *(kinds or ("terminal",)), again=again)
    try:
        yield made
    finally:
        made.db.close()
