"""RADIUS accounting by REST, the same sessions to both, each answered after its commit: records a second; and what is
stored of a session that goes over 4 GiB, whose Interim comes late, and whose Stop comes twice."""

import json
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from benchmarks import openwisp
from benchmarks.measured import Benchmark, Claim, Measured, Medians, Place, Side, percentile
from hub.db import Db
from hub.wifi import radius_store
from tests.broker import free_port
from tests.hub_process import Hub

_CLIENTS = 8
_NAS, _STATION = "02-00-5E-20-00-01", "02-00-5E-10-%02X-%02X"


class Packet(NamedTuple):
    """What a NAS tells, before anybody's form of it."""

    kind: str
    session: str
    device: int
    at_s: int
    octets: int = 0
    gigawords: int = 0
    lasted_s: int = 0


def _life(number: int, at_s: int) -> list[Packet]:
    name = f"S{number:06d}"
    return [
        Packet("Start", name, number, at_s),
        Packet("Interim-Update", name, number, at_s + 60, 50_000, 0, 60),
        Packet("Stop", name, number, at_s + 120, 90_000, 0, 120),
    ]


def _station(packet: Packet) -> str:
    return _STATION % (packet.device // 256 % 256, packet.device % 256)


def _for_us(packet: Packet) -> dict[str, object]:
    """As rlm_rest writes it by itself (`body = "json"`)."""
    values: dict[str, tuple[str, object]] = {
        "User-Name": ("string", openwisp.USER),
        "NAS-IP-Address": ("ipaddr", "127.0.0.1"),
        "Acct-Status-Type": ("integer", packet.kind),
        "Acct-Session-Id": ("string", packet.session),
        "Calling-Station-Id": ("string", _station(packet)),
        "Called-Station-Id": ("string", f"{_NAS}:Town"),
        "Event-Timestamp": ("date", packet.at_s),
        "Acct-Session-Time": ("integer", packet.lasted_s),
        "Acct-Input-Octets": ("integer", packet.octets),
        "Acct-Output-Octets": ("integer", packet.octets),
        "Acct-Input-Gigawords": ("integer", packet.gigawords),
        "Acct-Terminate-Cause": ("integer", "User-Request"),
    }
    return {name: {"type": kind, "value": [value]} for name, (kind, value) in values.items()}


def _for_openwisp(packet: Packet) -> dict[str, object]:
    """As the template of its documentation for rlm_rest writes it, and with the Gigawords that this leaves out."""
    return {
        "status_type": packet.kind,
        "session_id": packet.session,
        "unique_id": packet.session,
        "username": openwisp.USER,
        "realm": "",
        "nas_ip_address": "127.0.0.1",
        "nas_port_id": "",
        "nas_port_type": "Virtual",
        "session_time": packet.lasted_s,
        "authentication": "RADIUS",
        "input_octets": packet.octets,
        "output_octets": packet.octets,
        "input_gigawords": packet.gigawords,
        "called_station_id": f"{_NAS}:Town",
        "calling_station_id": _station(packet),
        "terminate_cause": "User-Request" if packet.kind == "Stop" else "",
        "service_type": "Login-User",
        "framed_protocol": "",
        "framed_ip_address": "",
        "event_timestamp": packet.at_s,
    }


class Target(NamedTuple):
    """Where packets go, in which form."""

    port: int
    path: str
    authorization: str
    form: Callable[[Packet], dict[str, object]]

    def request(self, packet: Packet) -> bytes:
        """A packet as the bytes of a request."""
        body = json.dumps(self.form(packet)).encode()
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAuthorization: {self.authorization}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


class _Line:
    """A connection that is used again for as long as the other side keeps it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket: socket.socket | None = None

    def send(self, request: bytes) -> None:
        """Sends one and waits for its answer, which must be a good one."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=60)
        self._socket.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            data = self._socket.recv(65_536)
            assert data, answer
            answer += data
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.split(b" ", 2)[1] in (b"200", b"201", b"204"), answer
        lines = {name.lower(): value.strip() for name, _, value in (x.partition(b":") for x in head.split(b"\r\n"))}
        while len(body) < int(lines.get(b"content-length", b"0")):
            body += self._socket.recv(65_536)
        if lines.get(b"connection", b"").lower() == b"close":
            self.close()

    def close(self) -> None:
        """Hangs up."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _send_all(target: Target, lives: Sequence[Sequence[Packet]]) -> Measured:
    """Sends sessions by several clients at once, each session's packets in their order."""
    requests = [[target.request(packet) for packet in life] for life in lives]
    took_ms: list[float] = []

    def send(mine: Sequence[Sequence[bytes]]) -> None:
        line = _Line(target.port)
        for life in mine:
            for request in life:
                began = time.perf_counter()
                line.send(request)
                took_ms.append((time.perf_counter() - began) * 1000)
        line.close()

    threads = [threading.Thread(target=send, args=(requests[first::_CLIENTS],)) for first in range(_CLIENTS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    n = sum(len(life) for life in lives)
    assert len(took_ms) == n
    return {"records_s": n / seconds, "p99_ms": percentile(took_ms, 0.99)}


def _odd_life(at_s: int) -> tuple[list[Packet], list[Packet]]:
    """A session over 4 GiB that ended; and what comes late of it."""
    first = Packet("Interim-Update", "ODD", 1, at_s + 60, 4_294_967_000, 0, 60)
    wrapped = Packet("Interim-Update", "ODD", 1, at_s + 120, 500, 1, 120)
    stop = Packet("Stop", "ODD", 1, at_s + 200, 900, 1, 200)
    return [Packet("Start", "ODD", 1, at_s), first, wrapped, stop], [stop, wrapped]


def _wrong(seen: Sequence[tuple[int, object, int]]) -> Measured:
    """Of three results, which are wrong: bytes, the end, and whether it is open again. `seen`: after the Stop, after
    the same Stop once more, after the late Interim; each the octets, the end, and how long it lasted."""
    stopped, again, late = seen
    return {
        "over_4_gib_wrong": float(stopped[0] != 2**32 + 900),
        "end_moved": float(again[1] != stopped[1]),
        "opened_again": float(late[1] is None or late[0] < stopped[0] or late[2] < stopped[2]),
    }


def _measure(target: Target, place: Place, look: Callable[[], tuple[int, object, int]]) -> Measured:
    at_s = int(time.time()) - 3600
    whole, late = _odd_life(at_s)
    line, seen = _Line(target.port), []
    for packet in whole:
        line.send(target.request(packet))
    seen.append(look())
    for packet in late:
        # Its clock has whole seconds, and the end is to be seen to move.
        time.sleep(1.1)
        line.send(target.request(packet))
        seen.append(look())
    line.close()
    measured = _send_all(target, [_life(number, at_s) for number in range(place.size(400, 20))])
    return {**measured, **_wrong(seen)}


def _ours(place: Place) -> Measured:
    with Hub(place.fresh, free_port()) as hub:
        db = Db(hub.database)
        token = db.write_now(lambda conn: radius_store.make(conn, "benchmark", "Town", 1, "benchmark"))

        def look() -> tuple[int, object, int]:
            statement = "SELECT up_bytes, ended_ms, last_ms - began_ms FROM wifi_session ORDER BY id LIMIT 1"
            octets, end, lasted_ms = db.read(lambda conn: conn.execute(statement).fetchone())
            return octets, end, lasted_ms // 1000

        target = Target(hub.port, "/radius/accounting", f"Bearer {token}", _for_us)
        measured = _measure(target, place, look)
        stored = db.read(lambda conn: conn.execute("SELECT count(*) FROM wifi_session").fetchone()[0])
        db.close()
    assert stored == place.size(400, 20) + 1
    return measured


def _theirs(place: Place) -> Measured:
    with openwisp.running(place.fresh, place.kept) as site:
        target = Target(site.port, openwisp.PATH, site.authorization, _for_openwisp)
        measured = _measure(target, place, lambda: site.session("ODD"))
        assert site.count() == place.size(400, 20) + 1
    return measured


def _all_wrong(medians: Medians, side: str) -> float:
    return sum(medians[side][name] for name in ("over_4_gib_wrong", "end_moved", "opened_again"))


_US, _THEM = "machinaka", "openwisp-radius 1.3.3"
BENCHMARK = Benchmark(
    title="RADIUS accounting of other makers' access points",
    about=(
        "The same 400 sessions (Start, Interim, Stop) from 8 clients at once, each side in the form that its own "
        "documentation gives rlm_rest; both check a token, look up who it is about (openwisp-radius the session, the "
        "organisation and the user, machinaka the access point, the session and the day's key), and answer after the "
        "commit (SQLite, write-ahead log, synchronous=FULL). openwisp-radius runs under gunicorn with 2 workers. Then "
        "what is stored of one session: over 4 GiB, its Stop told twice, an Interim that comes late."
    ),
    sides=(Side(_US, _ours), Side(_THEM, _theirs)),
    claims=(
        Claim(
            "accounting records a second against openwisp-radius",
            lambda m: m[_US]["records_s"] / m[_THEM]["records_s"],
            *("at least", 8, (_US, _THEM), "x"),
        ),
        Claim("of the three results, wrong here", lambda m: _all_wrong(m, _US), "at most", 0, (_US,)),
        Claim("of the three results, wrong there", lambda m: _all_wrong(m, _THEM), "at least", 3, (_THEM,)),
    ),
)
