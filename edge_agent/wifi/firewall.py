"""The one way to the kernel's packet filter: who is let through, for how long, how much they used, at what speed.

Every change is one transaction of nft: tried first (`nft -c`), done at once or not at all, looked at after, and taken
back when what is looked at is not what was planned. Sessions and their counters live in the kernel; this process only
asks, so it may be killed at any moment.
"""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Sequence

from edge_agent.wifi import elements, ruleset
from edge_agent.wifi.commands import Failed, run
from edge_agent.wifi.elements import Counted
from edge_agent.wifi.joined import Joined
from edge_agent.wifi.remembered import Remembered
from edge_agent.wifi.ruleset import TABLE, Plan
from edge_agent.wifi.shaper import Shaper
from edge_agent.wifi.shaping import Limits
from edge_agent.wifi.switches import isolate, let_through

__all__ = ["Counted", "Firewall", "Limits", "NotApplied", "Plan"]

_log = logging.getLogger(__name__)
_CHAIN = re.compile(r"^\tchain (\S+) \{\n(.*?)^\t\}\n", re.MULTILINE | re.DOTALL)
# More ends than this at one time: the rules refuse their packets all the same, and the kernel forgets them by itself.
_CONNECTIONS_OF = 16


class NotApplied(Exception):
    """The kernel did not take it, or did not do what was planned; what stood before stands."""


class Firewall:
    """See the module. `check` is asked after each new plan; what it says, unless nothing, takes the plan back."""

    def __init__(self, *, check: Callable[[], Awaitable[str]] | None = None) -> None:
        self.plan: Plan | None = None
        self._check = check
        self._shaper = Shaper()
        self._addresses: dict[int, str] = {}
        self._remembered = Remembered()
        self._air = False
        self._noted = ""
        self._one_plan_at_a_time = asyncio.Lock()
        self._changes: Joined[str, None] = Joined(_transact)
        self._ends: Joined[int, Counted] = Joined(self._end)
        self._no_conntrack = False

    async def apply(self, plan: Plan) -> None:
        """Puts a plan in force; sessions, times and counters stay. Raises NotApplied; ValueError for bad values."""
        async with self._one_plan_at_a_time:
            before = await _chains()
            try:
                await _try(ruleset.transaction(plan))
            except NotApplied:
                # An agent of another make may have left sets of another make: all is made anew, with all that is in it.
                if not before:
                    raise
                await _try(await self._anew(plan))
            if wrong := await self._wrong(plan):
                await _take_back(before)
                raise NotApplied(f"the rules were taken back: {wrong}")
            let_through(plan)
            await isolate(plan)
            await self._count_behind_queue()
            if not before:
                # Somebody threw the table away (`systemctl restart nftables` does): its sessions come back.
                await self._change(self._remembered.lines(time.monotonic(), air=self._air))
            await self._load()
            await self._open_shaper(plan)
            self._noted, self.plan = await _chains(), plan

    async def drift(self) -> bool:
        """Whether someone else changed the rules, or the roots of speeds, since they were applied."""
        return self.plan is not None and (await _chains() != self._noted or not await self._shaper.stands())

    async def admit(self, address: str, mark: int, seconds: int, limits: Limits | None = None) -> None:
        """Lets a device through. Raises NotApplied; ValueError for what is no address of a device or no mark."""
        address = elements.checked_address(address)
        for old in [old for old, of in self._addresses.items() if of == address and old != mark]:
            await self.remove(old)
        limits = limits or Limits()
        await self._change(
            [*await self._held(mark, limits), *elements.admission(address, mark, seconds, air=self._air)]
        )
        self._addresses[mark] = address
        self._remembered.admitted(mark, address, time.monotonic() + seconds, limits)

    async def prolong(self, mark: int, seconds: int) -> None:
        """A session ends so long from now. Raises NotApplied, also when the mark is no session."""
        if mark not in self._addresses:
            await self._load()
        if mark not in self._addresses:
            raise NotApplied("there is no session with this mark")
        await self._change(elements.times(self._addresses[mark], mark, seconds))
        self._remembered.prolonged(mark, time.monotonic() + seconds)

    async def limit(self, mark: int, limits: Limits | None) -> None:
        """Another speed for a session that goes on; None for as fast as it goes. Raises NotApplied."""
        limits = limits or Limits()
        await self._change(await self._held(mark, limits))
        self._remembered.limits[mark] = limits

    async def remove(self, mark: int) -> Counted:
        """Ends a session and its connections, and gives what it used in all. One that is gone is no error."""
        elements.checked_mark(mark)
        try:
            return await self._ends.ask(mark)
        except Failed as error:
            raise NotApplied(str(error)) from error

    async def counters(self) -> dict[int, Counted]:
        """What each session has used since it was admitted, also of those whose time is over. Raises NotApplied."""
        used = elements.counted(await _sets())
        self._remembered.used = dict(used)
        return used

    async def admitted(self) -> dict[str, int]:
        """Each device that is let through, and its mark, as the kernel has it. Raises NotApplied."""
        await self._load()
        return {address: mark for mark, address in self._addresses.items()}

    async def seconds_left(self) -> dict[int, int]:
        """How long each mark is let through yet, as the kernel has it. Raises NotApplied."""
        return elements.seconds_left(await _sets())

    @property
    def shaping(self) -> str:
        """How speeds are kept: `fq_codel`, `cake`, `htb` alone, or nothing."""
        return (self._shaper.leaf or "htb") if self._shaper.works else ""

    async def _held(self, mark: int, limits: Limits) -> list[str]:
        try:
            number = await self._shaper.hold(elements.checked_mark(mark), limits)
        except Failed as error:
            raise NotApplied(str(error)) from error
        return [] if number is None else [elements.speed(mark, number)]

    def _no_speed(self, mark: int) -> list[str]:
        number = self._shaper.number(mark)
        return [] if number is None else elements.no_speed(mark, number)

    async def _open_shaper(self, plan: Plan) -> None:
        """Takes over the classes of sessions that go on, sweeps the rest away, and makes again what was lost."""
        held = elements.numbers(await _map("speed"))
        stood = await self._shaper.open(plan.guests, plan.uplink, keep=bool(held))
        self._shaper.take_over(held)
        going = await self.counters() if stood else {}
        over = [mark for mark in held if mark not in going]
        await self._change([line for mark in over for line in self._no_speed(mark)])
        await self._shaper.release(over)
        if not stood:
            await asyncio.gather(*(self.limit(mark, told) for mark, told in self._remembered.limits.items()))

    async def _count_behind_queue(self) -> None:
        """Downloads count where they leave, if the kernel can; from what they had until now."""
        try:
            await run("nft", "-f", "-", given=ruleset.behind_queue())
        except Failed:
            _log.info("downloads are counted before the queue of their speed: this kernel has no hook behind it")
            return
        self._air = True
        await self._change(elements.restored(elements.counted(await _sets()), air=True))

    async def _anew(self, plan: Plan) -> str:
        """The text that makes the whole table again, with its sessions as they stand."""
        sets = await _sets()
        left, used = elements.seconds_left(sets), elements.counted(sets)
        lines = elements.restored(used, air=False)
        for address, mark in elements.marks(await _map("cid")).items():
            lines += elements.times(address, mark, left.get(mark, 1))
        lines += [elements.speed(mark, number) for mark, number in elements.numbers(await _map("speed")).items()]
        return f"delete table inet {TABLE}\n{ruleset.transaction(plan)}" + "\n".join([*lines, ""])

    async def _load(self) -> None:
        """Takes what the kernel has: an agent that starts again knows its sessions."""
        self._addresses = {mark: address for address, mark in elements.marks(await _map("cid")).items()}

    async def _change(self, lines: Sequence[str]) -> None:
        if lines:
            try:
                await self._changes.ask("\n".join(lines))
            except Failed as error:
                raise NotApplied(str(error)) from error

    async def _end(self, marks: Sequence[int]) -> Sequence[Counted]:
        """Stops, then reads, then forgets: no byte passes between what was read and the end."""
        if not self._addresses.keys() >= set(marks):
            await self._load()
        lines = [line for mark in marks for line in elements.stop(self._addresses.get(mark), mark)]
        await run("nft", "-f", "-", given="\n".join(lines))
        used = await self.counters()
        lines = [line for mark in marks for line in (*elements.forget(mark, air=self._air), *self._no_speed(mark))]
        await run("nft", "-f", "-", given="\n".join(lines))
        await self._shaper.release(marks)
        for mark in marks:
            self._addresses.pop(mark, None)
            self._remembered.forget(mark)
        for mark in marks[:_CONNECTIONS_OF]:
            await self._cut(mark)
        return [used.get(mark, Counted()) for mark in marks]

    async def _cut(self, mark: int) -> None:
        try:
            for family in ("ipv4", "ipv6"):
                await run("conntrack", "-D", "-f", family, "-m", str(mark))
        except Failed as error:
            # It says no also when there was no connection; the rules refuse what is left in any case.
            if "0 flow entries" not in str(error) and not self._no_conntrack:
                self._no_conntrack = True
                _log.warning("connections of sessions that end are not cut, only refused: %s", error)

    async def _wrong(self, plan: Plan) -> str:
        """Why what stands is not what was planned; empty when it is."""
        stands = dict(_CHAIN.findall(await _chains()))
        for name, (hook, rules) in ruleset.chains(plan).items():
            lines = [line.strip() for line in stands.get(name, "").splitlines()]
            if hook and hook not in lines:
                return f"the chain {name} is not hooked as planned"
            if len(lines) != len(rules) + bool(hook):
                return f"the chain {name} has {len(lines) - bool(hook)} rules instead of {len(rules)}"
        return await self._check() if self._check else ""


async def _transact(texts: Sequence[str]) -> Sequence[None]:
    await run("nft", "-f", "-", given="\n".join(texts))
    return [None] * len(texts)


async def _try(text: str) -> None:
    try:
        await run("nft", "-c", "-f", "-", given=text)
        await run("nft", "-f", "-", given=text)
    except Failed as error:
        raise NotApplied(str(error)) from error


async def _chains() -> str:
    """The chains that stand, as text; empty when there is no table."""
    try:
        return "".join(
            found.group() for found in _CHAIN.finditer(await run("nft", "-s", "-t", "list", "table", "inet", TABLE))
        )
    except Failed as error:
        if "No such file or directory" in str(error):
            return ""
        raise NotApplied(str(error)) from error


async def _take_back(chains: str) -> None:
    """The chains as they were; without any, the table goes: nothing is forwarded before rules stand (see switches)."""
    text = (
        f"flush table inet {TABLE}\ntable inet {TABLE} {{\n{chains}}}\n" if chains else f"delete table inet {TABLE}\n"
    )
    await _try(text)


async def _sets() -> dict[str, list[object]]:
    try:
        sets = elements.read(await run("nft", "-j", "list", "sets"))
    except (Failed, ValueError) as error:
        raise NotApplied(str(error)) from error
    if "up_b" not in sets:
        raise NotApplied(f"there is no table {TABLE} in the kernel")
    return sets


async def _map(name: str) -> dict[str, list[object]]:
    try:
        return elements.read(await run("nft", "-j", "list", "map", "inet", TABLE, name))
    except (Failed, ValueError) as error:
        raise NotApplied(str(error)) from error
