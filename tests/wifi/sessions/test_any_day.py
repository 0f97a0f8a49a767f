"""Any day of an access point: guests come, go, use, extend; the agent dies, the power goes, the hub hears late.

Whatever happens in whatever order: who stands as let in is let through, and nobody else; each session is told to its
end once; what was told in the end is what passed, but for what a power cut took since the last round.
"""

import asyncio
import itertools
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge_agent.wifi.guests import Agreed, Normal, Refused
from tests.clock.hand_time import HandTime
from tests.wifi.sessions.parts import (
    CLICK,
    CODE,
    HANAKO,
    JIRO,
    KEYS,
    MINUTE_MS,
    TARO,
    AccessPoint,
    Kernel,
    content,
    give_kit,
)
from wire.kit import pseudonym
from wire.messages import WifiSession

ADDRESSES = (HANAKO, TARO, JIRO)
addresses = st.sampled_from(ADDRESSES)
VOUCHER = Agreed("2026-04", "ja", "voucher", CODE)
T = TypeVar("T")


class AnyDay(RuleBasedStateMachine):
    """The town's rules: an hour, three extensions, 15 minutes of silence."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="machinaka-day-"))
        self.loop = asyncio.new_event_loop()
        self.time = HandTime()
        self.kernel = Kernel(self.time)
        self.passed: dict[str, int] = defaultdict(int)
        self.since_round: dict[str, int] = defaultdict(int)
        self.lost: dict[str, int] = defaultdict(int)
        self.boots = 1
        self.start()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """To its end."""
        return self.loop.run_until_complete(work)

    def start(self) -> None:
        """The agent starts."""
        self.one = AccessPoint(self.folder, self.time, self.kernel)
        give_kit(self.one, content())
        self.do(self.one.guests.restore())
        self.look()

    def die(self) -> None:
        """The agent ends without a word: nothing is written when it closes."""
        self.do(self.one.guests.close())
        self.one.spool.close()

    def look(self) -> None:
        """A round."""
        self.do(self.one.guests.round())
        self.since_round.clear()

    # ---- what happens

    @rule(address=addresses, agreed=st.sampled_from([CLICK, VOUCHER, Agreed("2026-04", "ko", "email")]))
    def agree(self, address: str, agreed: Agreed) -> None:
        before = self.one.guests.standing(address)
        try:
            standing = self.do(self.one.guests.agree(address, agreed))
        except Refused as refused:
            assert refused.reason in ("closed", "extensions", "voucher_used")  # noqa: PT017 (hypothesis goes on after it)
            return
        assert before is None or standing.session == before.session

    @rule(address=addresses, what=st.sampled_from(["extend", "confirm", "arrive", "leave"]))
    def act(self, address: str, what: str) -> None:
        try:
            self.do(getattr(self.one.guests, what)(address))
        except Refused as refused:
            assert refused.reason in ("closed", "extensions", "unconfirmed")  # noqa: PT017

    @rule(address=addresses, up=st.integers(0, 2**31), down=st.integers(0, 2**31))
    def use(self, address: str, up: int, down: int) -> None:
        if self.kernel.use(address, up, down):
            self.passed[address] += up + down
            self.since_round[address] += up + down

    @rule(minutes=st.sampled_from([1, 1, 5, 16, 61]), rounds=st.booleans())
    def wait(self, minutes: int, rounds: bool) -> None:
        self.time.pass_ms(minutes * MINUTE_MS)
        if rounds:
            self.look()

    @rule(hours=st.integers(-2, 2))
    def set_the_clock(self, hours: int) -> None:
        self.time.set_wall(self.time.wall_ms + hours * 60 * MINUTE_MS)

    @rule(mode=st.sampled_from(["normal", "normal", "closed", "disaster", "drill"]))
    def change_mode(self, mode: str) -> None:
        self.one.mode = Normal(mode)
        self.look()

    @rule()
    def kill_the_agent(self) -> None:
        mode = self.one.mode
        self.die()
        self.start()
        self.one.mode = mode
        self.look()

    @precondition(lambda self: self.boots < 4)
    @rule()
    def cut_the_power(self) -> None:
        self.die()
        for address, used in self.since_round.items():
            self.lost[address] += used
        self.kernel.boot()
        self.boots += 1
        self.time.boot, self.time.mono_ms = f"boot-{self.boots}", 5000
        self.time.pass_ms(MINUTE_MS)
        self.start()

    @rule()
    def hub_hears(self) -> None:
        self.do(self.one.hub_takes_all())

    # ---- what is always so

    @invariant()
    def who_stands_as_let_in_is_let_through(self) -> None:
        for address in ADDRESSES:
            standing = self.one.guests.standing(address)
            assert self.kernel.passes(address) == (standing is not None)
            if standing is not None:
                assert standing.extensions_left >= 0
                assert standing.seconds_left is None or standing.seconds_left <= 240 * 60

    @invariant()
    def tellings_fold_to_what_they_say(self) -> None:
        for some in self.told().values():
            ends = [one for one in some if one.cause]
            assert len({(one.cause, one.last_ms, one.up_bytes, one.down_bytes) for one in ends}) <= 1
            for before, after in itertools.pairwise(some):
                assert after.number > before.number
                assert (after.up_bytes, after.down_bytes) >= (before.up_bytes, before.down_bytes)
                assert after.extensions >= before.extensions

    def told(self) -> dict[str, list[WifiSession]]:
        """What was told, by session."""
        found = defaultdict(list)
        for one in self.do(self.one.told()):
            found[one.session].append(one)
        return found

    def teardown(self) -> None:
        if not hasattr(self, "one"):
            return
        try:
            self._check_the_end()
        finally:
            self.die()
            self.loop.close()
            shutil.rmtree(self.folder)

    def _check_the_end(self) -> None:
        self.one.mode = Normal("closed")
        self.look()
        assert self.do(self.kernel.admitted()) == {}
        used: dict[str, int] = defaultdict(int)
        consents = {one.session for one in self.do(self.one.consents())}
        for session, some in self.told().items():
            end = some[-1]
            assert end.cause
            used[end.guest] += end.up_bytes + end.down_bytes
            # Nobody was inside without a consent: of this session, or of the one that it goes on with.
            assert end.way == "disaster" or session in consents or end.origin in consents
        for address in ADDRESSES:
            names = {pseudonym(key.key, address) for key in KEYS} | {
                pseudonym(self.one.kit.day_key(day), address) for day in ("2026-11-22", "2026-11-23", "2026-11-26")
            }
            told = sum(bytes_ for guest, bytes_ in used.items() if guest in names)
            assert self.passed[address] - self.lost[address] <= told <= self.passed[address]


AnyDay.TestCase.settings = settings(
    max_examples=25, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
)
TestAnyDay = AnyDay.TestCase
