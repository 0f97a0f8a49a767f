"""The rule of a session: what is counted never falls, limits are monotonic, and what is told folds back to it."""

import random

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge_agent.clock import Stamp
from edge_agent.wifi import session
from edge_agent.wifi.session import MINUTE_MS, Rules, Session
from wire import codec
from wire.messages import Cause, ClockQuality, WifiSession

NOW_MS = 1_795_476_240_000
RULES = Rules(60, 3, 15 * MINUTE_MS, 1_000_000_000, 8000, 4000, 1000)
ID = "5d0f9b3a7c61e2488a94f3b1d27c60ae"
GUEST = "c7a1f05b92e8d3641b07f8e52c9a4d16"


def stamp(mono_ms: int, at_ms: int = NOW_MS, clock: ClockQuality = "synced", boot: str = "boot-1") -> Stamp:
    """A moment."""
    return Stamp(boot, mono_ms, at_ms, clock)


def begun(now: Stamp, minutes: int = 60) -> Session:
    """A session that begins then."""
    return session.begun(id_=ID, mark=7, guest=GUEST, day="2026-11-24", now=now, lasts_ms=minutes * MINUTE_MS)


def folded(told: list[WifiSession]) -> WifiSession:
    """What anybody makes of tellings, in any order and however often: the greatest counters, the first end."""
    by_number = sorted(told, key=lambda one: one.number)
    ends = [one for one in by_number if one.cause]
    last = by_number[-1]
    return msgspec.structs.replace(
        last,
        up_bytes=max(one.up_bytes for one in told),
        down_bytes=max(one.down_bytes for one in told),
        cause=ends[0].cause if ends else "",
        last_ms=ends[0].last_ms if ends else max(one.last_ms for one in told),
    )


def test_a_limit_is_measured_on_the_monotonic_clock() -> None:
    one = begun(stamp(1000))
    for at_ms in (0, NOW_MS - 3_600_000, NOW_MS + 10**9):
        assert session.left_ms(one, 1000 + 59 * MINUTE_MS, RULES) == MINUTE_MS, at_ms
    assert session.end_by_itself(one, 1000 + 60 * MINUTE_MS - 1, msgspec.structs.replace(RULES, idle_ms=10**9)) == ""
    assert session.end_by_itself(one, 1000 + 60 * MINUTE_MS, RULES) == "time"


def test_an_end_by_time_lies_where_the_time_was_over_and_one_for_silence_at_the_last_sign() -> None:
    one = session.counted(begun(stamp(0)), 10, 20, 5 * MINUTE_MS, RULES)
    late = 70 * MINUTE_MS
    # The kernel had ended it before this was read.
    over = session.ended(session.counted(one, 99, 99, late, RULES), "time", late)
    assert session.telling(over).last_ms == NOW_MS + 60 * MINUTE_MS
    silent: tuple[Cause, ...] = ("idle", "lost", "power")
    for cause in silent:
        assert session.telling(session.ended(one, cause, late)).last_ms == NOW_MS + 5 * MINUTE_MS
    by_somebody: tuple[Cause, ...] = ("user", "admin", "closed")
    for cause in by_somebody:
        assert session.telling(session.ended(one, cause, late)).last_ms == NOW_MS + late


def test_the_first_end_stands() -> None:
    one = session.ended(begun(stamp(0)), "user", MINUTE_MS)
    assert session.ended(one, "time", 90 * MINUTE_MS) is one


def test_a_beginning_by_a_clock_that_nobody_set_is_put_right_once() -> None:
    one = begun(stamp(1000, 60_000, "unset"))
    later = session.with_clock(one, stamp(61_000, NOW_MS))
    assert (later.began_ms, later.sure) == (NOW_MS - 60_000, True)
    # What is set after that changes nothing any more.
    assert session.with_clock(later, stamp(62_000, NOW_MS - 3_600_000)) == later
    assert session.telling(session.counted(later, 1, 1, 121_000, RULES)).last_ms == NOW_MS + 60_000


def test_in_a_disaster_no_time_runs_out_and_nobody_is_slowed() -> None:
    rules = msgspec.structs.replace(RULES, timeless=True, idle_ms=10**12)
    one = session.counted(begun(stamp(0)), 0, 5_000_000_000, 1, RULES)
    assert session.is_over_quota(one, RULES)
    assert not session.is_over_quota(one, rules)
    assert session.end_by_itself(one, 10**9, rules) == ""
    assert (session.left_ms(one, 10**9, rules), session.bytes_left(one, rules)) == (None, None)
    after = session.counted(one, 0, 6_000_000_000, 10**9, rules)
    # It ends when the disaster does, not before it was used last.
    assert session.ended(after, "time", 10**9 + 5).ended_mono_ms == 10**9


def test_a_confirmed_guest_has_the_whole_time_from_the_beginning() -> None:
    one = msgspec.structs.replace(begun(stamp(0), 10), whole_ms=60 * MINUTE_MS)
    assert (one.provisional, session.extensions_left(one, RULES)) == (True, 0)
    sure = session.confirmed(one)
    assert (sure.provisional, session.left_ms(sure, 4 * MINUTE_MS, RULES)) == (False, 56 * MINUTE_MS)


@given(st.lists(st.tuples(st.integers(0, 2**40), st.integers(0, 2**40)), max_size=30))
def test_counters_never_fall_and_lose_nothing_when_the_kernels_begin_anew(read: list[tuple[int, int]]) -> None:
    one, seen, total = begun(stamp(0)), (0, 0), [0, 0]
    for mono, (up, down) in enumerate(read):
        total[0] += up - seen[0] if up >= seen[0] else up
        total[1] += down - seen[1] if down >= seen[1] else down
        seen = up, down
        one = session.counted(one, up, down, mono, RULES)
        assert [one.usage.up_bytes, one.usage.down_bytes] == total


class ToldSession(RuleBasedStateMachine):
    """One session through everything that can happen to it; what the hub folds of its tellings, shuffled, is it."""

    def __init__(self) -> None:
        super().__init__()
        self.now = stamp(1000)
        self.one = begun(self.now)
        self.told: list[WifiSession] = []
        self.raw = (0, 0)
        self.town = RULES
        self.tell()

    def tell(self) -> None:
        """The next telling."""
        self.one = session.told(self.one, self.now.mono_ms, 300_000)
        self.told.append(codec.decode_body("wifi_session", codec.encode_body(session.telling(self.one))))

    @rule(ms=st.integers(0, 20 * MINUTE_MS))
    def pass_time(self, ms: int) -> None:
        self.now = self.now._replace(mono_ms=self.now.mono_ms + ms, at_ms=self.now.at_ms + ms)

    @rule(at_ms=st.integers(0, 2 * NOW_MS))
    def set_the_wall_clock(self, at_ms: int) -> None:
        left = session.left_ms(self.one, self.now.mono_ms, self.town)
        self.now = self.now._replace(at_ms=at_ms)
        assert session.left_ms(self.one, self.now.mono_ms, self.town) == left

    @precondition(lambda self: not self.one.cause)
    @rule(up=st.integers(0, 2**33), down=st.integers(0, 2**33), anew=st.booleans())
    def count(self, up: int, down: int, anew: bool) -> None:
        self.raw = (up, down) if anew else (self.raw[0] + up, self.raw[1] + down)
        self.one = session.counted(self.one, *self.raw, self.now.mono_ms, self.town)

    @precondition(lambda self: not self.one.cause and session.extensions_left(self.one, RULES) > 0)
    @rule()
    def extend(self) -> None:
        self.one = session.extended(self.one, 60)

    @precondition(lambda self: not self.one.cause)
    @rule()
    def look(self) -> None:
        cause = session.end_by_itself(self.one, self.now.mono_ms, self.town)
        if cause:
            self.end(cause)
        elif session.is_due(self.one, self.now.mono_ms):
            self.tell()

    @precondition(lambda self: not self.one.cause)
    @rule(cause=st.sampled_from(["user", "admin", "closed", "lost", "power"]))
    def end(self, cause: Cause) -> None:
        self.one = session.ended(self.one, cause, self.now.mono_ms)
        self.tell()

    @precondition(lambda self: bool(self.one.cause))
    @rule(cause=st.sampled_from(["user", "time", "power"]))
    def end_again(self, cause: Cause) -> None:
        self.one = session.ended(self.one, cause, self.now.mono_ms)
        self.tell()

    @invariant()
    def the_fold_is_the_session(self) -> None:
        shuffled = self.told * 2
        random.Random(len(self.told)).shuffle(shuffled)
        last = self.told[-1]
        assert folded(shuffled) == last
        assert [one.number for one in self.told] == list(range(1, len(self.told) + 1))
        assert last.began_ms <= last.last_ms
        if self.one.cause:
            usage = self.one.usage
            assert (last.cause, last.up_bytes, last.down_bytes) == (self.one.cause, usage.up_bytes, usage.down_bytes)

    @invariant()
    def time_and_extensions_are_bounded(self) -> None:
        assert self.one.extensions <= RULES.extensions
        assert self.one.ends_mono_ms - self.one.began_mono_ms == 60 * MINUTE_MS * (1 + self.one.extensions)


TestToldSession = ToldSession.TestCase


def test_sessions_that_began_together_do_not_tell_together() -> None:
    drawn = random.Random(5)
    dues = set()
    for _ in range(200):
        one = msgspec.structs.replace(begun(stamp(0)), id=f"{drawn.getrandbits(128):032x}")
        dues.add(session.told(one, 0, 300_000).due_mono_ms)
    assert all(270_000 <= due <= 330_000 for due in dues)
    assert len(dues) > 150
