"""Keeps the classes of `tc` that sessions with limits have. Which class a packet belongs to, the packet filter says."""

import contextlib
import logging
from collections.abc import Mapping, Sequence

import msgspec

from edge_agent.wifi import shaping
from edge_agent.wifi.commands import Failed, run
from edge_agent.wifi.elements import CLASSES
from edge_agent.wifi.joined import Joined
from edge_agent.wifi.shaping import Limits

_log = logging.getLogger(__name__)


class Shaper:
    """Limits of sessions on two interfaces. A kernel without HTB is told once, and then nothing is limited."""

    def __init__(self) -> None:
        self.leaf: str | None = None
        self.works = False
        self._devices = ("", "")
        self._missing: list[str] = []
        self._numbers: dict[int, int] = {}
        self._taken: set[int] = set()
        self._last = 0
        self._changes: Joined[str, None] = Joined(_batch)

    async def open(self, guests: str, uplink: str, *, keep: bool) -> bool:
        """Makes the roots where they are not, or all anew unless told to keep. Gives whether they stood, and stand."""
        self._devices = (guests, uplink)
        self._missing = await self._missing_now()
        stood = keep
        try:
            for device in self._devices:
                if not (keep and await _has_root(device)):
                    stood = False
                    await _new_root(device)
            if self.leaf is None:
                self.leaf = await _leaf(guests)
                _log.info("sessions are shaped by htb%s", f" with {self.leaf}" if self.leaf else "")
            self.works = True
        except Failed as error:
            self.works = stood = False
            _log.warning("sessions are not shaped: %s", error)
        return stood

    async def stands(self) -> bool:
        """Whether the roots are as `open` left them; where it failed, whether the interfaces are those of then."""
        if not self.works:
            return await self._missing_now() == self._missing
        try:
            return all([await _has_root(device) for device in self._devices])
        except Failed:
            return False

    async def _missing_now(self) -> list[str]:
        return [device for device in self._devices if not await _is_there(device)]

    def take_over(self, numbers: Mapping[int, int]) -> None:
        """What the kernel has, mark by mark; all else is forgotten."""
        self._numbers = dict(numbers)
        self._taken = set(numbers.values())

    async def hold(self, mark: int, limits: Limits) -> int | None:
        """Limits a session and gives the number of its class; None when it has none. Raises Failed."""
        number = self._numbers.get(mark)
        if not self.works or (number is None and not limits):
            return number
        guests, uplink = self._devices
        if number is not None:
            lines = shaping.held(guests, uplink, number, limits, self.leaf or "", new=False)
            await self._changes.ask("\n".join(lines))
            return number
        number = shaping.free_number(self._taken, self._last)
        if number is None:
            raise Failed("tc: every number of a class is given out")
        # Taken before anything is waited for: two sessions never get the same.
        self._numbers[mark] = self._last = number
        self._taken.add(number)
        try:
            lines = shaping.held(guests, uplink, number, limits, self.leaf or "", new=True)
            await self._changes.ask("\n".join(lines))
        except Failed:
            self._forget(mark)
            raise
        return number

    def number(self, mark: int) -> int | None:
        """The number of a session's class."""
        return self._numbers.get(mark)

    async def release(self, marks: Sequence[int]) -> None:
        """Takes the classes of sessions away. One that somebody else took away is no error."""
        numbers = [self._numbers[mark] for mark in marks if mark in self._numbers]
        if numbers and self.works:
            try:
                await run("tc", "-force", "-batch", "-", given="\n".join(shaping.released(*self._devices, numbers)))
            except Failed as error:
                _log.debug("classes were gone already: %s", error)
        for mark in marks:
            self._forget(mark)

    def _forget(self, mark: int) -> None:
        self._taken.discard(self._numbers.pop(mark, 0))


class _Qdisc(msgspec.Struct, frozen=True):
    kind: str = ""
    handle: str = ""
    root: bool = False


async def _has_root(device: str) -> bool:
    told = msgspec.json.decode(await run("tc", "-j", "qdisc", "show", "dev", device), type=list[_Qdisc])
    return any(one.kind == "htb" and one.handle == f"{CLASSES}:" and one.root for one in told)


async def _new_root(device: str) -> None:
    """Whatever stood there makes room; a device without anything of its own says that there is nothing to delete."""
    with contextlib.suppress(Failed):
        await run("tc", "qdisc", "del", "dev", device, "root")
    await run("tc", "-batch", "-", given=shaping.root(device))


async def _is_there(device: str) -> bool:
    try:
        await run("ip", "link", "show", "dev", device)
    except Failed:
        return False
    return True


async def _leaf(device: str) -> str:
    """The queue for inside a class that this kernel has; empty when it has none."""
    for leaf in shaping.LEAVES:
        try:
            await run("tc", "-batch", "-", given="\n".join(shaping.trial(device, leaf)))
        except Failed:
            continue
        else:
            return leaf
        finally:
            await run("tc", "-force", "-batch", "-", given=shaping.trial_over(device))
    return ""


async def _batch(texts: Sequence[str]) -> Sequence[None]:
    await run("tc", "-batch", "-", given="\n".join(texts))
    return [None] * len(texts)
