"""Access: hostapd's control interface, one UNIX datagram socket a network (`<folder>/<interface>`).

1. Commands and events have a socket each: on one, events would come in between a command and its answer.
2. Every wait is bounded. After an answer that did not come in time the socket is thrown away, so that a late answer is
   never taken for that of the next command.
3. hostapd away is a fault that is expected: NoHostapd, logged when it begins and when it ends. The events come back by
   themselves when hostapd does.
4. Our socket's file lies beside nobody else's, and is gone when the socket is.
5. A station's address stays in memory: no line of the log has one.
"""

import asyncio
import contextlib
import itertools
import logging
import os
import re
import socket
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import msgspec

log = logging.getLogger(__name__)

_ANSWER_S = 5.0
# So long without a word on the socket of events, and it is asked whether it still leads to somebody.
_QUIET_S = 10.0
_AGAIN_AFTER_S = 1.0
_ANSWER_BYTES = 65_536
# A loop over stations that never ends would be hostapd's fault, but our standstill.
_STATIONS = 4096
_ADDRESS = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}\Z")
_EVENT = re.compile(r"<\d>")
_count = itertools.count(1)


class NoHostapd(Exception):
    """hostapd is not there, or does not answer in time."""


class Refused(Exception):
    """hostapd answers that it will not; the command's first word and the answer."""


class Station(msgspec.Struct, frozen=True):
    """A device on the network. What the driver does not tell is None; bytes are the radio's own, only to look at."""

    address: str
    authorised: bool
    connected_s: int | None = None
    inactive_ms: int | None = None
    signal_dbm: int | None = None
    rx_bytes: int | None = None
    tx_bytes: int | None = None


class Event(msgspec.Struct, frozen=True):
    """What hostapd says by itself: `AP-STA-CONNECTED`, `AP-STA-DISCONNECTED`, `CTRL-EVENT-EAP-SUCCESS`, …

    `ATTACHED` is our own: from here on events are heard, and those before were missed.
    """

    name: str
    address: str = ""
    text: str = ""


class Hostapd:
    """One control socket of hostapd; `interface` "" stands for the whole program's (`global`)."""

    def __init__(self, folder: Path, interface: str, own: Path | None = None) -> None:
        self._path = folder / (interface or "global")
        self._own = own or folder
        self._turn = asyncio.Lock()
        self._commands: _Socket | None = None
        self._away = False

    @property
    def away(self) -> bool:
        """Whether the last word was that hostapd is not there."""
        return self._away

    async def status(self) -> dict[str, str]:
        """What `STATUS` says. Raises NoHostapd, Refused."""
        return _values(await self.ask("STATUS"))

    async def stations(self) -> tuple[Station, ...]:
        """Every device on the network. Raises NoHostapd, Refused."""
        found: list[Station] = []
        answer = await self.ask("STA-FIRST")
        while (station := _station(answer)) is not None and len(found) < _STATIONS:
            found.append(station)
            answer = await self._ask(f"STA-NEXT {station.address}")
        return tuple(found)

    async def deauthenticate(self, address: str) -> None:
        """Sends a device off the network; one that is not on it is no fault. Raises NoHostapd, Refused."""
        await self._send_off("DEAUTHENTICATE", address)

    async def disassociate(self, address: str) -> None:
        """Sends a device off, which may come again without a new key. Raises NoHostapd, Refused."""
        await self._send_off("DISASSOCIATE", address)

    async def _send_off(self, command: str, address: str) -> None:
        if not _ADDRESS.match(address):
            raise Refused(f"{command}: not a device's address")
        await self.ask(f"{command} {address}")

    async def ask(self, command: str) -> str:
        """One command and its answer. Raises NoHostapd, Refused (`FAIL`, `UNKNOWN COMMAND`)."""
        answer = await self._ask(command)
        if answer.startswith(("FAIL", "UNKNOWN COMMAND")):
            raise Refused(f"{command.partition(' ')[0]}: {answer.strip()[:60]}")
        return answer

    async def _ask(self, command: str) -> str:
        async with self._turn:
            try:
                if self._commands is None:
                    self._commands = _Socket(self._path, self._own)
                answer = await asyncio.wait_for(self._commands.ask(command), _ANSWER_S)
            except (OSError, TimeoutError) as error:
                self._drop()
                self._say(away=True)
                raise NoHostapd(f"hostapd at {self._path}: {_why(error)}") from error
            except asyncio.CancelledError:
                # Its answer is still to come, and would be taken for the next one's.
                self._drop()
                raise
            self._say(away=False)
            return answer

    def _drop(self) -> None:
        if self._commands is not None:
            self._commands.close()
            self._commands = None

    def _say(self, *, away: bool) -> None:
        if away != self._away:
            log.warning("hostapd (%s) %s", self._path.name, "does not answer" if away else "answers again")
            self._away = away

    def close(self) -> None:
        """Gives the socket back."""
        self._drop()

    async def events(self) -> AsyncGenerator[Event, None]:
        """Events as they come, until the caller stops; begins anew by itself whenever hostapd does."""
        while True:
            with contextlib.suppress(OSError, TimeoutError):
                async with contextlib.aclosing(self._heard()) as heard:
                    async for event in heard:
                        yield event
            await asyncio.sleep(_AGAIN_AFTER_S)

    async def _heard(self) -> AsyncGenerator[Event, None]:
        """One attachment's events, until hostapd is gone. Raises OSError, TimeoutError."""
        attached = _Socket(self._path, self._own)
        try:
            await asyncio.wait_for(attached.ask("ATTACH"), _ANSWER_S)
            yield Event("ATTACHED")
            while True:
                try:
                    said = await asyncio.wait_for(attached.receive(), _QUIET_S)
                except TimeoutError:
                    # Events that come before the answer are kept for the next turns.
                    await asyncio.wait_for(attached.ask("PING"), _ANSWER_S)
                    continue
                if (event := _event(said)) is not None:
                    yield event
                if "CTRL-EVENT-TERMINATING" in said:
                    return
        finally:
            attached.close()


class _Socket:
    """A datagram socket with a file of its own, which hostapd answers to. Raises OSError."""

    def __init__(self, path: Path, own: Path) -> None:
        self._file = own / f"hostapd-{os.getpid()}-{next(_count)}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._early: list[str] = []
        try:
            self._file.unlink(missing_ok=True)
            self._socket.bind(str(self._file))
            self._socket.settimeout(0)
            self._socket.connect(str(path))
        except OSError:
            self.close()
            raise

    async def ask(self, command: str) -> str:
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(self._socket, command.encode("utf-8"))
        while True:
            answer = await self._next()
            if not _EVENT.match(answer):
                return answer
            self._early.append(answer)

    async def receive(self) -> str:
        return self._early.pop(0) if self._early else await self._next()

    async def _next(self) -> str:
        data = await asyncio.get_running_loop().sock_recv(self._socket, _ANSWER_BYTES)
        return data.decode("utf-8", "replace")

    def close(self) -> None:
        self._socket.close()
        with contextlib.suppress(OSError):
            self._file.unlink(missing_ok=True)


def _why(error: BaseException) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) and error.strerror else "no answer in time"


def _values(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines() if "=" in line)
    return {key: value for key, _, value in pairs}


def _station(answer: str) -> Station | None:
    lines = answer.splitlines()
    if not lines or not _ADDRESS.match(lines[0]):
        return None
    told = _values(answer)
    number: Callable[[str], int | None] = lambda key: _whole(told.get(key))  # noqa: E731 (four words, five times)
    return Station(
        lines[0],
        "[AUTHORIZED]" in told.get("flags", ""),
        number("connected_time"),
        number("inactive_msec"),
        number("signal"),
        number("rx_bytes"),
        number("tx_bytes"),
    )


def _whole(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"-?\d{1,19}", text) else None


def _event(said: str) -> Event | None:
    mark = _EVENT.match(said)
    if mark is None:
        return None
    name, _, rest = said[mark.end() :].strip().partition(" ")
    first = rest.split(" ", 1)[0]
    return Event(name, first if _ADDRESS.match(first) else "", rest)
