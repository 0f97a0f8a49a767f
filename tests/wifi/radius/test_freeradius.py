"""Through a real FreeRADIUS, by rlm_rest, into a real hub: nothing is answered before it is on disk."""

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.db import Db
from hub.wifi import radius_store
from tests.broker import free_port
from tests.hub_process import Hub
from tests.wifi.radius import server
from tests.wifi.radius.parts import sessions
from tests.wifi.radius.server import FreeRadius, forwarding, packet

pytestmark = [server.needs_freeradius, server.needs_rest]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    """A hub as a process; its broker is not there."""
    with Hub(tmp_path, free_port()) as running:
        yield running


def token_of(hub: Hub) -> str:
    """Adds an access point behind the page's back."""
    db = Db(hub.database)
    token = db.write_now(lambda conn: radius_store.make(conn, "library", "Library", 1, "hanako"))
    db.close()
    return token


def kept(hub: Hub) -> dict[str, tuple[int, int, int | None]]:
    """What the hub knows, by place of the counters: session's hash to octets and end."""
    db = Db(hub.database)
    rows = sessions(db)
    db.close()
    return {row["session"]: (row["up_bytes"], row["down_bytes"], row["ended_ms"]) for row in rows}


def test_gigawords_late_ones_and_the_end_through_freeradius(hub: Hub, tmp_path: Path) -> None:
    token, at_s = token_of(hub), int(time.time()) - 600
    interim = packet("Interim-Update", "S1", at_s + 60, Acct_Input_Octets=4_294_967_000, Acct_Session_Time=60)
    wrapped = packet(
        "Interim-Update", "S1", at_s + 120, Acct_Input_Octets=100, Acct_Input_Gigawords=1, Acct_Session_Time=120
    )
    stop = packet(
        *("Stop", "S1", at_s + 180),
        Acct_Input_Octets=100,
        Acct_Input_Gigawords=1,
        Acct_Session_Time=180,
        Acct_Terminate_Cause="Session-Timeout",
    )
    with forwarding(tmp_path / "radius", f"{hub.url}/radius/accounting", token) as radius:
        for one in (packet("Start", "S1", at_s), interim, wrapped, stop, interim, stop):
            answered, said = radius.send(one)
            assert answered == 1, said
    db = Db(hub.database)
    (row,) = sessions(db)
    db.close()
    assert row["up_bytes"] == 4_294_967_396
    assert (row["began_ms"], row["ended_ms"]) == (at_s * 1000, (at_s + 180) * 1000)
    assert (row["cause"], row["network"], row["boot"]) == ("time", "Library", "library-ap#0")


def test_a_hub_that_is_away_leaves_the_nas_without_an_answer(hub: Hub, tmp_path: Path) -> None:
    token, at_s = token_of(hub), int(time.time())
    with forwarding(tmp_path / "radius", f"{hub.url}/radius/accounting", token) as radius:
        assert radius.send(packet("Start", "S1", at_s))[0] == 1
        hub.stop()
        assert radius.send(packet("Start", "S2", at_s), tries=1)[0] == 0
        hub.start()
        end = time.monotonic() + 60
        while not radius.send(packet("Start", "S2", at_s))[0]:
            assert time.monotonic() < end
    assert len(kept(hub)) == 2


def test_none_that_was_answered_is_lost_when_the_hub_is_killed(hub: Hub, tmp_path: Path) -> None:
    """Killed three times while packets come: what radclient was told is there afterwards."""
    token, at_s = token_of(hub), int(time.time())
    answered: list[int] = []
    stopped = threading.Event()

    def send(radius: FreeRadius, first: int) -> None:
        for number in range(first, 10_000, 4):
            if stopped.is_set():
                return
            if radius.send(packet("Start", f"S{number}", at_s, Acct_Input_Octets=number), tries=1)[0]:
                answered.append(number)

    with forwarding(tmp_path / "radius", f"{hub.url}/radius/accounting", token) as radius:
        senders = [threading.Thread(target=send, args=(radius, first)) for first in range(4)]
        for one in senders:
            one.start()
        for kill in range(1, 4):
            end = time.monotonic() + 60
            while len(answered) < kill * 25:
                assert time.monotonic() < end, (len(answered), kill)
                time.sleep(0.01)
            hub.stop(signal.SIGKILL)
            hub.start()
        stopped.set()
        for one in senders:
            one.join(60)
    db = Db(hub.database)
    known = len(sessions(db))
    db.close()
    assert len(answered) >= 75
    # Each number is a session of its own, so that one that was answered and lost would be missing in the count of
    # those that are sent once more: none of them is new.
    with forwarding(tmp_path / "again", f"{hub.url}/radius/accounting", token) as radius:
        packets = [packet("Start", f"S{number}", at_s, Acct_Input_Octets=number) for number in answered]
        assert radius.send(*packets, at_once=8)[0] == len(answered)
    assert len(kept(hub)) == known
