"""A card at a terminal: how soon the person is told, and how soon the row stands on the hub's page.

All parts are real: the agent with nfcpy on a simulated field, its spool and page, broker, hub, a signed-in listener.
The time begins when the field gives the card's first answer to the reader.
"""

import contextlib
import http.client
import os
import queue
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import msgspec

from benchmarks.measured import Benchmark, Claim, Measured, Place, Side, percentile
from benchmarks.parts import town
from edge_agent.attendance.readers.cards import FeliCa
from edge_agent.kiosk.screen import STAYS_S
from tests.hub_process import Hub
from tests.journey.parts import Agent
from tests.login import second

_PATIENCE_S = 5.0
_FSYNCS, _PAGE_BYTES = 200, 8192
_ROW = re.compile(r'id="tap-(\d+)"')


class TimedCard(FeliCa):
    """Knows when it first answered."""

    answered_s = 0.0

    def answer(self, rate: str, frame: bytes) -> bytes | None:
        """See Card."""
        reply = super().answer(rate, frame)
        if reply is not None and not self.answered_s:
            self.answered_s = time.monotonic()
        return reply


class Listener:
    """Reads server-sent events and puts the moment of each that `is_news` tells of into a queue."""

    def __init__(self, port: int, path: str, cookie: str, is_news: Callable[[str], bool]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._connection.connect()
        self._socket = self._connection.sock
        self._connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
        self._response = self._connection.getresponse()
        assert self._response.status == 200, f"{path}: {self._response.status}"
        self._is_news = is_news
        self.moments: queue.Queue[float] = queue.Queue()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._response.close()
        self._connection.close()

    def _listen(self) -> None:
        try:
            while line := self._response.readline():
                if self._is_news(line.decode()):
                    self.moments.put(time.monotonic())
        except (OSError, http.client.HTTPException):
            return

    def next(self) -> float | None:
        """The next moment, or None when there is none in time."""
        try:
            return self.moments.get(timeout=_PATIENCE_S)
        except queue.Empty:
            return None

    def forget(self) -> None:
        """Empties the queue."""
        while not self.moments.empty():
            self.moments.get_nowait()


def new_view() -> Callable[[str], bool]:
    """Whether a line of the kiosk's events shows what a tap brought up."""
    seen = -1

    def is_news(line: str) -> bool:
        nonlocal seen
        if not line.startswith("data: "):
            return False
        view = msgspec.json.decode(line.removeprefix("data: "))
        new, seen = view["number"] > seen, view["number"]
        return new and view["state"] in STAYS_S

    return is_news


def new_row() -> Callable[[str], bool]:
    """Whether a line of the page's events holds a row that was not there."""
    highest = 0

    def is_news(line: str) -> bool:
        nonlocal highest
        row = _ROW.search(line)
        if row is None or int(row[1]) <= highest:
            return False
        highest = int(row[1])
        return True

    return is_news


def sign_in(hub: Hub) -> str:
    """Makes the first administrator, with an authenticator; the cookie of their session."""
    token = hub.command("admin-link").partition("token=")[2]
    with httpx.Client(base_url=hub.url) as browser:
        form = {"token": token, "name": "bench", "shown": "bench", "password": secrets.token_hex(16)}
        answer = browser.post("/welcome", data=form)
        assert answer.status_code == 303, answer.text
        page = browser.get(answer.headers["location"]).text
        secret, csrf = (re.search(mark, page) for mark in (r'id="secret">([A-Z2-7 ]+)<', r'name="csrf" value="(\w+)"'))
        assert secret
        assert csrf
        code = second.code(secret[1].replace(" ", ""))
        answer = browser.post("/sign-in/set-up", data={"csrf": csrf[1], "code": code, "next": "/"})
        assert answer.status_code == 200, answer.text
        return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


@contextmanager
def terminal(place: Place) -> Iterator[tuple[Hub, Agent]]:
    """Broker, hub and a terminal with a card field."""
    with town(place.fresh) as (broker, hub), Agent(place.fresh / "terminal", broker.port) as agent:
        yield hub, agent


def _fsync_ms(folder: Path) -> list[float]:
    """What putting one small record on this disk costs by itself."""
    taken = []
    with (folder / "fsync").open("wb", buffering=0) as file:
        for _ in range(_FSYNCS):
            file.write(secrets.token_bytes(_PAGE_BYTES))
            began_s = time.monotonic()
            os.fdatasync(file.fileno())
            taken.append((time.monotonic() - began_s) * 1000)
    return taken


def taps(place: Place) -> Measured:
    """One card after the other, each at the terminal and at the hub's page."""
    told: list[float] = []
    shown: list[float] = []
    wanted = place.size(100, 5)
    with (
        terminal(place) as (hub, agent),
        Listener(agent.kiosk.port, "/events", "", new_view()) as kiosk,
        Listener(hub.port, "/taps/events", sign_in(hub), new_row()) as page,
    ):
        for number in range(1, wanted * 2):
            card = TimedCard(number.to_bytes(8, "big"))
            agent.field.place(card)
            at_kiosk = kiosk.next()
            at_page = page.next() if at_kiosk is not None else None
            agent.field.remove()
            if at_kiosk is not None and at_page is not None:
                told.append((at_kiosk - card.answered_s) * 1000)
                shown.append((at_page - card.answered_s) * 1000)
            if len(told) == wanted:
                break
            time.sleep(0.15)
            kiosk.forget()
            page.forget()
    assert len(told) == wanted, f"only {len(told)} of {wanted} taps were seen"
    fsync = _fsync_ms(place.fresh)
    return {
        "kiosk_p50_ms": percentile(told, 0.5),
        "kiosk_p99_ms": percentile(told, 0.99),
        "page_p50_ms": percentile(shown, 0.5),
        "page_p99_ms": percentile(shown, 0.99),
        "fsync_p50_ms": percentile(fsync, 0.5),
        "fsync_p99_ms": percentile(fsync, 0.99),
    }


BENCHMARK = Benchmark(
    "From the card to the screen and to the hub's page",
    "100 taps a round. `kiosk` is on disk and shown at the terminal; `page` is a row at the hub's listener.",
    (Side("terminal", taps),),
    (
        Claim(
            "tap to kiosk, 99th percentile", lambda m: m["terminal"]["kiosk_p99_ms"], "at most", 50, ("terminal",), "ms"
        ),
        Claim(
            "tap to the hub's page, median", lambda m: m["terminal"]["page_p50_ms"], "at most", 150, ("terminal",), "ms"
        ),
        Claim(
            "tap to the hub's page, 99th percentile",
            lambda m: m["terminal"]["page_p99_ms"],
            "at most",
            500,
            ("terminal",),
            "ms",
        ),
    ),
)
