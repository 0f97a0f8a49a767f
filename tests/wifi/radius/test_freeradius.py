"""Through a real FreeRADIUS, by rlm_rest, into a real hub: nothing is answered before it is on disk."""

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hub.db import Db
from hub.wifi import radius_store
from tests.broker import free_port
from tests.hub_process import Hub
from tests.wifi.radius import server
from tests.wifi.radius.parts import sessions
from tests.wifi.radius.server import FreeRadius, forwarding, packet

_SENDERS = 24


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


def tell(radius: FreeRadius, one: str) -> None:
    """As a NAS does: sends it until it is answered."""
    end = time.monotonic() + 60
    while True:
        answered, said = radius.send(one)
        if answered:
            return
        assert time.monotonic() < end, said


@server.needs_freeradius
@server.needs_rest
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
            tell(radius, one)
    db = Db(hub.database)
    (row,) = sessions(db)
    db.close()
    assert row["up_bytes"] == 4_294_967_396
    assert (row["began_ms"], row["ended_ms"]) == (at_s * 1000, (at_s + 180) * 1000)
    assert (row["cause"], row["network"], row["boot"]) == ("time", "Library", "library-ap#0")


@server.needs_freeradius
@server.needs_rest
def test_a_hub_that_is_away_leaves_the_nas_without_an_answer(hub: Hub, tmp_path: Path) -> None:
    token, at_s = token_of(hub), int(time.time())
    with forwarding(tmp_path / "radius", f"{hub.url}/radius/accounting", token) as radius:
        tell(radius, packet("Start", "S1", at_s))
        hub.stop()
        assert radius.send(packet("Start", "S2", at_s), tries=1)[0] == 0
        hub.start()
        tell(radius, packet("Start", "S2", at_s))
    db = Db(hub.database)
    assert len(sessions(db)) == 2
    db.close()


def test_none_that_was_answered_is_lost_when_the_hub_is_killed(hub: Hub) -> None:
    """Killed three times under load, many packets under way at once: what was answered is there afterwards."""
    token = token_of(hub)
    answered: list[int] = []
    stopped = threading.Event()

    def send(first: int) -> None:
        headers = {"authorization": f"Bearer {token}"}
        body = {"Acct-Status-Type": "Interim-Update", "NAS-Identifier": "library-ap"}
        with httpx.Client(headers=headers, timeout=20) as client:
            for number in range(first, 1_000_000, _SENDERS):
                if stopped.is_set():
                    return
                packet = {**body, "Acct-Session-Id": f"S{number}", "Acct-Input-Octets": number}
                with contextlib.suppress(httpx.TransportError):
                    if client.post(f"{hub.url}/radius/accounting", json=packet).status_code == 204:
                        answered.append(number)

    senders = [threading.Thread(target=send, args=(first,)) for first in range(1, _SENDERS + 1)]
    for one in senders:
        one.start()
    for kill in range(1, 4):
        end = time.monotonic() + 60
        while len(answered) < kill * 100:
            assert time.monotonic() < end, (len(answered), kill)
            time.sleep(0.01)
        hub.stop(signal.SIGKILL)
        hub.start()
    stopped.set()
    for one in senders:
        one.join(60)
    db = Db(hub.database)
    kept = {row["up_bytes"] for row in sessions(db)}
    db.close()
    assert len(answered) >= 300
    assert set(answered) - kept == set()
