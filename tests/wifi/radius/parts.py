"""What these tests share: packets as a NAS tells them, and the rows that come of them."""

from pathlib import Path
from typing import Any

from hub.db import Connection, Db
from hub.wifi import radius_record, radius_store
from hub.wifi.radius_store import Client, Heard

# 2026-05-20 in the morning, in Japan.
AT_S = 1_779_235_200
KEY = b"k" * 32
ADDRESS = "02-00-5E-10-00-01"


def told(kind: str, session: str = "S1", at_s: int = AT_S, /, **more: object) -> dict[str, str]:
    """The attributes of a packet, by their names in lower case; underscores are dashes."""
    values = {
        "acct-status-type": kind,
        "acct-session-id": session,
        "nas-identifier": "library-ap",
        "calling-station-id": ADDRESS,
        "called-station-id": "02-00-5E-20-00-01:Library",
        "user-name": "somebody@example.jp",
        "event-timestamp": at_s,
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    return {name: str(value) for name, value in values.items() if value is not None}


def use(up: int, down: int, lasted_s: int, *, up_giga: int = 0, down_giga: int = 0) -> dict[str, object]:
    """What has flowed, as a packet says it."""
    return {
        "acct_input_octets": up,
        "acct_output_octets": down,
        "acct_input_gigawords": up_giga,
        "acct_output_gigawords": down_giga,
        "acct_session_time": lasted_s,
    }


def client(db: Db, name: str = "library", place: str = "Library") -> Client:
    """One that was added."""
    db.write_now(lambda conn: radius_store.make(conn, name, place, AT_S * 1000, "hanako"))
    found = db.read(lambda conn: radius_store.by_name(conn, name))
    assert found is not None
    return found


def take(db: Db, of: Client, *packets: dict[str, str], arrived_ms: int = (AT_S + 5) * 1000) -> None:
    """Takes packets in, all in one group."""
    heard = [Heard(of, radius_record.read(one, arrived_ms)) for one in packets]
    db.write_now(lambda conn: radius_store.take(conn, heard, KEY, lambda day: day.encode().ljust(32), arrived_ms))


def sessions(db: Db) -> list[dict[str, Any]]:
    """The rows, in the order in which the sessions began."""

    def read(conn: Connection) -> list[dict[str, Any]]:
        cursor = conn.execute("SELECT * FROM wifi_session ORDER BY began_ms, boot")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    return db.read(read)


def opened(folder: Path) -> Db:
    """A new hub's database."""
    db = Db(folder / "hub.db")
    db.open()
    return db
