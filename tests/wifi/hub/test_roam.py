"""The hub tells the town's other access points of their guests: over a real broker, signed, bounded."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from hub.db import Connection, Db
from hub.fleet import outbox
from hub.signing import Signing
from hub.wifi import roam, roam_store, session_store
from hub.wifi.session import Told
from tests.broker import Broker
from tests.hub_process import Hub
from tests.ingest.parts import soon
from tests.wifi.hub.parts import MINUTE_MS, AccessPoint, is_the_hubs, now_ms, session
from wire import codec
from wire.messages import BATCH_BYTES, Cause, Consent, Roam

A, B, C = ("a" * 32, "b" * 32, "c" * 32)
NAMES = ("hall-ap", "library-ap", "school-ap")


class Street(NamedTuple):
    """A hub and three access points that are connected to it."""

    hub: Hub
    hall: AccessPoint
    library: AccessPoint
    school: AccessPoint

    @property
    def all(self) -> tuple[AccessPoint, ...]:
        """The access points."""
        return (self.hall, self.library, self.school)


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    with ExitStack() as stack:
        broker = stack.enter_context(Broker(tmp_path))
        hub = stack.enter_context(Hub(tmp_path, broker.port))
        hub.wait_until_it_hears()
        points = [AccessPoint(broker.port, name) for name in NAMES]
        for point in points:
            stack.callback(point.drop)
            point.present()
        yield Street(hub, *points)


def reading(hub: Hub, query: str) -> list[tuple[object, ...]]:
    """Rows of the hub's database, from beside it."""
    db = Db(hub.database)
    try:
        return db.read(lambda conn: conn.execute(query).fetchall())
    finally:
        db.close()


def test_a_guest_who_agreed_at_one_is_known_at_the_others_until_they_leave(street: Street, tmp_path: Path) -> None:
    street.hall.tell("consent", Consent(A, "2026-11-01", "ja"), lane="urgent")
    street.hall.tell("wifi_session", session(A))
    grant = street.library.hears(A)
    assert (grant.guest, grant.day, grant.terms) == ("a" * 32, "2026-11-25", "2026-11-01")
    assert (grant.up_bytes, grant.down_bytes, grant.extensions) == (1000, 9000, 0)
    assert grant.ends_ms > now_ms() + 50 * MINUTE_MS
    street.school.hears(A)
    told = street.library.roams[-1]
    assert is_the_hubs(tmp_path / "library", tmp_path / "hub", "library-ap", told)
    assert not is_the_hubs(tmp_path / "library", tmp_path / "hub", "hall-ap", told)
    assert not is_the_hubs(
        tmp_path / "library", tmp_path / "hub", "library-ap", msgspec.structs.replace(told, made_ms=told.made_ms + 1)
    )
    # Extended at the first, gone on at the second: what was used counts together, and the first hears of it.
    street.hall.tell("wifi_session", session(A, 2, extensions=1, ends_ms=now_ms() + 110 * MINUTE_MS))
    street.library.hears(A, extensions=1)
    street.library.tell("wifi_session", session(B, way="roam", origin=A, extensions=1, up_bytes=5, down_bytes=7))
    assert street.hall.hears(A, up_bytes=1005, down_bytes=9007).ends_ms > now_ms() + 100 * MINUTE_MS
    # The one at the first ends for want of use: the other goes on, and so does the grant.
    street.hall.tell("wifi_session", session(A, 3, cause="idle", extensions=1))
    street.library.tell("wifi_session", session(B, 2, way="roam", origin=A, extensions=2))
    assert street.school.hears(A, extensions=2).ends_ms
    street.library.tell("wifi_session", session(B, 3, way="roam", origin=A, cause="user"))
    street.school.hears(A, ends_ms=0)
    street.hall.hears(A, ends_ms=0)


def test_nobody_is_told_of_what_only_they_told_and_a_held_one_of_nothing(street: Street) -> None:
    db = Db(street.hub.database)
    try:

        def hold(conn: Connection) -> None:
            (device_id,) = conn.execute("SELECT id FROM device WHERE name = 'school-ap'").fetchone()
            outbox.hold(conn, device_id, "stolen", now_ms(), "hanako")

        assert soon(lambda: len(reading(street.hub, "SELECT 1 FROM device")) == 3, 60)
        db.write_now(hold)
    finally:
        db.close()
    street.hall.tell("wifi_session", session(A))
    street.library.hears(A)
    street.library.tell("wifi_session", session(C, guest="c" * 32))
    street.hall.hears(C)
    assert A not in street.hall.granted(2)
    assert C not in street.library.granted(2)
    assert street.school.granted(2) == {}


def test_one_that_comes_back_is_told_of_everything_that_is_open(street: Street) -> None:
    street.hall.tell("wifi_session", session(A), session(C, guest="c" * 32, cause="user"))
    street.library.hears(A)
    street.library.roams.clear()
    street.library.present()
    street.library.hears(A)
    assert set(street.library.granted(1)) == {A}


def test_staff_the_disaster_network_and_sessions_without_a_limit_are_nobodys_business(street: Street) -> None:
    street.hall.tell(
        "wifi_session",
        session(A, way="staff"),
        session(B, way="disaster"),
        session(C, ends_ms=0),
        session("d" * 32, ends_ms=now_ms() - 1000, last_ms=now_ms() - 2000),
        session("e" * 32, guest="e" * 32),
    )
    street.library.hears("e" * 32)
    assert set(street.library.granted(2)) == {"e" * 32}


def test_what_was_not_sent_in_time_is_taken_out(street: Street) -> None:
    street.hall.tell("wifi_session", session(A))
    street.library.hears(A)
    rows = reading(street.hub, "SELECT not_after_ms - made_ms FROM outbox WHERE what = 'roam'")
    assert rows
    assert all(isinstance(life, int) and life < outbox.AGAIN_MS for (life,) in rows)
    assert reading(street.hub, "SELECT * FROM wifi_roam") == []


# ---- the rule, and what is bounded


def told(name: str, cause: Cause = "", device_id: int = 1, **more: object) -> Told:
    """A session of five minutes."""
    now = 1_790_000_000_000
    one = Told(f"device:{device_id}", "b", name, 1, now - 300_000, now, 10, 20, guest="a" * 32, day="2026-11-25")
    fixed = {"ended_ms": now if cause else None, "cause": cause, "ends_ms": now + MINUTE_MS, "device_id": device_id}
    return msgspec.structs.replace(one, **{**fixed, **more})


@pytest.mark.parametrize(
    ("cause", "holds"),
    [("", True), ("lost", True), ("power", True), ("idle", True), ("closed", True), ("user", False), ("admin", False)],
)
def test_only_who_left_or_was_ended_must_agree_again(cause: Cause, holds: bool) -> None:
    now = 1_790_000_000_000
    [one] = roam.agreements([(told(A, cause), "v1")], now)
    assert bool(one.grant.ends_ms) is holds
    assert roam.agreements([(told(A, cause, ends_ms=now), "v1")], now) == []


def test_news_are_what_a_neighbour_must_know() -> None:
    before = told(A)
    assert roam.is_news(None, before)
    same: list[dict[str, object]] = [{"last_ms": 1_790_000_100_000}, {"up_bytes": 500, "number": 2}, {"slowed": True}]
    news: list[dict[str, object]] = [
        {"extensions": 1},
        {"cause": "user", "ended_ms": 5},
        {"ends_ms": 5},
        {"up_bytes": 20 << 20},
    ]
    for more in same:
        assert not roam.is_news(before, msgspec.structs.replace(before, **more))
    for more in news:
        assert roam.is_news(before, msgspec.structs.replace(before, **more))


def test_a_thousand_sessions_go_in_messages_that_a_broker_takes(tmp_path: Path) -> None:
    db = Db(tmp_path / "hub.db")
    db.open()
    now = now_ms()
    some = [told(f"{n:032x}", ends_ms=now + MINUTE_MS + n, guest=f"{n:032x}") for n in range(2_300)]

    def fill(conn: Connection) -> None:
        for device_id, name in enumerate(("hall-ap", "library-ap"), 1):
            conn.execute(
                "INSERT INTO device (id, name, kind, first_heard_ms, last_heard_ms, online, boot, connection, version) "
                "VALUES (?, ?, 'access_point', 0, 0, 1, 'b', 1, '')",
                (device_id, name),
            )
        session_store.take(conn, some, now)
        conn.execute("INSERT INTO wifi_roam_device (device_id) VALUES (2)")

    db.write_now(fill)
    plan = db.read(lambda conn: roam_store.plan(conn, Signing(tmp_path), now))
    messages = [one[2] for one in plan.rounds]
    assert all(2 in one and 1 not in one and len(one[2]) <= BATCH_BYTES for one in plan.rounds)
    roams = [codec.decode_down(one) for one in messages]
    assert all(isinstance(one, Roam) and len(one.grants) <= 200 for one in roams)
    origins = [grant.origin for one in roams if isinstance(one, Roam) for grant in one.grants]
    # Those that end last, each once.
    assert len(origins) == len(set(origins)) == 2_000
    assert f"{2_299:032x}" in origins
    assert f"{0:032x}" not in origins
    # A mark that is set again while the messages are put together stays.
    db.write_now(lambda conn: session_store.take(conn, [msgspec.structs.replace(some[0], number=9, extensions=1)], now))
    assert db.write_now(lambda conn: roam_store.publish(conn, plan))
    assert db.read(lambda conn: conn.execute("SELECT origin FROM wifi_roam").fetchall()) == [(f"{0:032x}",)]
    db.close()
