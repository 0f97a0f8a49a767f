"""A fleet of simulated devices against a real broker and hub: who may send when, and what became of it.

1. All devices connect first; then the time runs.
2. With a rate, batches fall due at a steady pace, round the fleet, whatever the hub does: what has to wait for
   its turn waits in the figures too.  Without one, each device sends as fast as it is acked.
3. Ack latency is counted from the moment at which a batch was due to the hub's own ack, after its commit.
"""

import asyncio
import contextlib
import itertools
import math
import resource
import signal
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hub.simulate_device import Away, Device
from hub.simulate_identity import Identities
from hub.simulate_records import Voice
from wire import topics

# Those that connect at the same moment: more would overrun the broker's queue of new connections.
_DIAL_AT_ONCE = 100
_TICK_S = 0.001
_LOOK_S = 0.01
_LAST_ACKS_S = 30.0
_LAST_ACKS_INTERRUPTED_S = 2.0
_SPARE_FILES = 64
# Latencies are counted in steps of 2 %.
_STEP = math.log(1.02)


@dataclass(frozen=True)
class Plan:
    """What to simulate.  `rate` is records a second in all, 0 for as fast as possible; one of `records` and
    `seconds` ends the run."""

    host: str
    port: int
    devices: int
    rate: float
    batch: int
    shares: dict[str, int]
    records: int | None = None
    seconds: float | None = None
    prefix: str = "sim"
    ca: str = "ca"

    def name(self, number: int) -> str:
        """The name of a device."""
        return f"{self.prefix}-{number:0{len(str(self.devices))}}"

    def quota(self, number: int) -> int | None:
        """How many records a device (from 1) sends in all; None for no limit."""
        if self.records is None:
            return None
        share, rest = divmod(self.records, self.devices)
        return share + (number <= rest)


@dataclass
class Tally:
    """What became of the records so far."""

    made: int = 0
    acked: int = 0
    again: int = 0
    connected_again: int = 0
    # Whose turn had come when the run ended, and who could not send for want of acks.
    held_back: int = 0
    duration_s: float = 0
    _latencies: Counter[int] = field(default_factory=Counter)

    def note(self, records: int, after_s: float) -> None:
        """One batch was acked."""
        self.acked += records
        self._latencies[math.floor(math.log(max(after_s, 1e-6)) / _STEP)] += 1

    def latency_ms(self, share: float) -> float:
        """The latency below which that share of the batches lies (0.99: p99), within 2 %; 0 when there is none."""
        wanted = share * self._latencies.total()
        for step in sorted(self._latencies):
            wanted -= self._latencies[step]
            if wanted <= 0:
                return math.exp((step + 1) * _STEP) * 1000
        return 0.0

    @property
    def rate(self) -> float:
        """Records acked a second."""
        return self.acked / self.duration_s if self.duration_s else 0.0


class TooMany(Exception):
    """The system does not let this process have so many connections; the text is one line."""


def make_room(devices: int) -> None:
    """Lets this process hold a connection for each device. Raises TooMany."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = devices + _SPARE_FILES
    if soft >= wanted:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise TooMany(f"{devices} devices need as many open files, and this system allows {hard} (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


class Fleet:
    """One run.  `tally` may be read while it lasts."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self.tally = Tally()
        self._identities = Identities(Path(plan.ca))
        self._stop = asyncio.Event()
        self._left = [plan.quota(number + 1) for number in range(plan.devices)]
        self._turns: list[deque[float]] = [deque() for _ in range(plan.devices)]
        self._open = False
        self._loop = asyncio.get_running_loop()
        self._begun_s = self._loop.time()
        self._gate = asyncio.Semaphore(_DIAL_AT_ONCE)
        self._devices = [
            Device(index, plan.name(index + 1), Voice(index + 1, plan.shares), self) for index in range(plan.devices)
        ]
        self.interrupted = False

    @property
    def under_way(self) -> int:
        """How many records are sent and not acked."""
        return self.tally.made - self.tally.acked

    def interrupt(self) -> None:
        """Ends the run: nothing new is sent, and what is under way is waited for only shortly."""
        self.interrupted = True
        self._stop.set()

    async def run(self, progress: Callable[["Fleet", float], None] = lambda fleet, elapsed_s: None) -> Tally:
        """Runs to the end of the plan; `progress` is called once a second. Raises Away when nothing is there."""
        make_room(self._plan.devices)
        await self._connect_all()
        self._begun_s = self._loop.time()
        self._open = True
        async with asyncio.TaskGroup() as tasks:
            beside = [
                tasks.create_task(self._keep_up(), name="upkeep"),
                tasks.create_task(self._show(progress), name="progress"),
            ]
            for device in self._devices:
                device.pump()
            await (self._pace() if self._plan.rate else self._until_made())
            self._open = False
            await self._until_acked()
            for task in beside:
                task.cancel()
        self.tally.held_back = self._plan.batch * sum(map(len, self._turns))
        for device in self._devices:
            device.leave()
        # What was written last leaves with the next round of the loop.
        await asyncio.sleep(_LOOK_S)
        return self.tally

    # ---- for the devices

    def allow(self, number: int) -> tuple[int, float] | None:
        """See Account."""
        left, due_s = self._left[number], self._loop.time()
        if left == 0:
            return None
        if self._plan.rate:
            if not self._turns[number]:
                return None
            due_s = self._turns[number].popleft()
        elif not self._open:
            return None
        records = self._plan.batch if left is None else min(self._plan.batch, left)
        if left is not None:
            self._left[number] = left - records
        self.tally.made += records
        return records, due_s

    def acked(self, records: int, after_s: float) -> None:
        """See Account."""
        self.tally.note(records, after_s)
        self.tally.duration_s = self._loop.time() - self._begun_s

    def sent_again(self, batches: int) -> None:
        """See Account."""
        self.tally.again += batches

    # ---- within

    async def _connect_all(self) -> None:
        async def dial(device: Device) -> None:
            async with self._gate:
                await device.connect(self._plan.host, self._plan.port, self._identities.context(device.name))

        try:
            async with asyncio.TaskGroup() as tasks:
                for device in self._devices:
                    tasks.create_task(dial(device), name=device.name)
        except ExceptionGroup as errors:
            for device in self._devices:
                device.leave()
            raise errors.exceptions[0] from None

    async def _pace(self) -> None:
        """Gives turns at a steady rate until the plan ends."""
        batches_a_second = self._plan.rate / self._plan.batch
        given, order = 0, itertools.cycle(range(self._plan.devices))
        while not self._ended():
            due = int((self._loop.time() - self._begun_s) * batches_a_second) + 1
            for number in itertools.islice(order, due - given):
                if self._left[number] != 0:
                    self._turns[number].append(self._loop.time())
                    self._devices[number].pump()
            given = due
            await asyncio.sleep(_TICK_S)

    async def _until_made(self) -> None:
        while not self._ended():  # noqa: ASYNC110 (the clock is the event)
            await asyncio.sleep(_LOOK_S)

    def _ended(self) -> bool:
        if self._stop.is_set():
            return True
        if self._plan.seconds is not None:
            return self._loop.time() - self._begun_s >= self._plan.seconds
        return self.tally.made >= (self._plan.records or 0)

    async def _until_acked(self) -> None:
        """Waits for the last acks; turns that were given and not used yet are still used."""
        ended_s = self._loop.time()
        while self.under_way:
            patience_s = _LAST_ACKS_INTERRUPTED_S if self.interrupted else _LAST_ACKS_S
            if self.interrupted:
                for turns in self._turns:
                    turns.clear()
            if self._loop.time() - ended_s >= patience_s:
                return
            await asyncio.sleep(_LOOK_S)

    async def _keep_up(self) -> None:
        """Sends again what waits too long, and connects again what was cut off."""
        while True:
            await asyncio.sleep(1)
            await asyncio.gather(*(self._again(device) for device in self._devices if not device.connected))
            for device in self._devices:
                device.tend()

    async def _again(self, device: Device) -> None:
        with contextlib.suppress(Away):
            async with self._gate:
                await device.connect(self._plan.host, self._plan.port, self._identities.context(device.name))
            self.tally.connected_again += 1

    async def _show(self, progress: Callable[["Fleet", float], None]) -> None:
        while True:
            await asyncio.sleep(1)
            progress(self, self._loop.time() - self._begun_s)


async def run(plan: Plan, progress: Callable[[Fleet, float], None]) -> tuple[Tally, bool]:
    """Runs a plan; Ctrl-C and SIGTERM end it in good order. What became of it, and whether it was ended so."""
    fleet = Fleet(plan)
    loop = asyncio.get_running_loop()
    for sig in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(sig, fleet.interrupt)
    return await fleet.run(progress), fleet.interrupted


def is_prefix(text: str, devices: int) -> bool:
    """Whether devices may be named so."""
    return topics.is_device(f"{text}-{devices}")
