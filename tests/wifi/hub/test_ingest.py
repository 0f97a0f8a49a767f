"""Sessions over a real broker: shuffled, told twice by a disk that was put back, unreadable ones among them."""

import random
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.broker import Broker
from tests.ingest.parts import BOOT, NOW_MS, Device, Hub, batch
from wire import codec
from wire.messages import Record, WifiSession, WifiState

MINUTE_MS = 60_000
TELLINGS = 6
SESSIONS = 40


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path) as broker:
        yield broker


@pytest.fixture
def hub(tmp_path: Path, broker: Broker) -> Iterator[Hub]:
    hub = Hub(tmp_path / "hub.db", broker.port)
    hub.start()
    yield hub
    hub.stop()


def told(session: int, number: int) -> WifiSession:
    """The n-th telling of a session; the last but one ends it, the last is late."""
    began_ms = NOW_MS - 180 * MINUTE_MS + session * MINUTE_MS
    step = min(number, TELLINGS - 1)
    return WifiSession(
        f"{session:032x}",
        BOOT,
        number,
        began_ms,
        began_ms + step * 20 * MINUTE_MS,
        step * 1_000_000_000,
        step * 2_000_000_000,
        "a" * 32,
        "2026-09-21",
        cause="user" if number == TELLINGS - 1 else "",
    )


def records(bodies: list[msgspec.Struct | bytes]) -> list[Record]:
    """Numbered from 1."""
    return [
        Record(
            n,
            "wifi_session",
            BOOT,
            n,
            NOW_MS,
            "synced",
            msgspec.Raw(body if isinstance(body, bytes) else codec.encode_body(body)),
        )
        for n, body in enumerate(bodies, 1)
    ]


def test_shuffled_and_told_again_each_session_counts_once(hub: Hub, broker: Broker) -> None:
    chance = random.Random(7)
    everything: list[msgspec.Struct | bytes] = [told(s, n) for s in range(SESSIONS) for n in range(1, TELLINGS + 1)]
    device = Device(broker.port, "hall-ap")
    # The second spool is that of a card that was written anew: all of it comes once more.
    for spool in ("1" * 16, "2" * 16):
        shuffled = [*everything]
        chance.shuffle(shuffled)
        shuffled.insert(5, b'{"session":"short"}')
        some = records(shuffled)
        for begin in range(0, len(some), 50):
            part = some[begin : begin + 50]
            device.deliver(batch(begin, *part, spool=spool))
    device.drop()
    rows = hub.db.read(
        lambda conn: conn.execute(
            "SELECT count(*), sum(ended_ms = began_ms + 100 * 60000), sum(cause = 'user'), sum(up_bytes), min(number), "
            "min(down_bytes), max(down_bytes) FROM wifi_session"
        ).fetchone()
    )
    flowed = (TELLINGS - 1) * 1_000_000_000
    assert rows == (SESSIONS, SESSIONS, SESSIONS, SESSIONS * flowed, TELLINGS, 2 * flowed, 2 * flowed)
    hours = "SELECT sum(began), sum(up_bytes), sum(down_bytes) FROM wifi_hour"
    assert hub.db.read(lambda conn: conn.execute(hours).fetchone()) == (
        SESSIONS,
        SESSIONS * flowed,
        2 * SESSIONS * flowed,
    )
    assert hub.count("SELECT count(*) FROM quarantine") == 2


def test_of_two_states_the_later_counts_and_the_most_of_an_hour_stays(hub: Hub, broker: Broker) -> None:
    device = Device(broker.port, "hall-ap")
    for spool, order in (("1" * 16, (2, 0, 1)), ("2" * 16, (1, 2, 0))):
        states = [(n, WifiState("normal", sessions=sessions)) for n, sessions in ((0, 9), (1, 4), (2, 6))]
        some = [
            Record(
                seq,
                "wifi_state",
                BOOT,
                seq,
                NOW_MS + states[n][0],
                "synced",
                msgspec.Raw(codec.encode_body(states[n][1])),
            )
            for seq, n in enumerate(order, 1)
        ]
        device.deliver(batch(0, *some, spool=spool))
    device.drop()
    assert hub.count("SELECT json_extract(body, '$.sessions') FROM wifi_state") == 6
    assert hub.count("SELECT most_sessions FROM wifi_hour") == 9
