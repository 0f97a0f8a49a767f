"""The rule against a slow oracle that thinks about one thing at a time, on the real tables."""

from collections import Counter
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.alerts import store
from hub.alerts.kinds import ABSENCE, NATURE, Kind
from hub.alerts.rule import Fact
from tests.alerts.world import MINUTE_MS, NOW_MS, World, fact

HOLD_MS = 5 * MINUTE_MS
THINGS: tuple[tuple[Kind, str], ...] = (("lost", "a"), ("lost", "b"), ("hot", "a"), ("clone", "a"), ("offline", "b"))


class Tick(NamedTuple):
    """How long since the look before, what was wrong then (True: firm), whether it was quiet, and whether deaf."""

    after_ms: int
    wrong: dict[tuple[Kind, str], bool]
    quiet: bool
    deaf: bool


ticks = st.lists(
    st.builds(
        Tick,
        st.sampled_from([15_000, MINUTE_MS, 3 * MINUTE_MS, HOLD_MS]),
        st.dictionaries(st.sampled_from(THINGS), st.booleans()),
        st.booleans(),
        st.sampled_from([False, False, False, True]),
    ),
    max_size=40,
)


def facts_of(tick: Tick, now_ms: int) -> list[Fact]:
    return [
        fact(kind, subject, now_ms, firm=firm)
        for (kind, subject), firm in tick.wrong.items()
        if not (tick.deaf and kind in ABSENCE)
    ]


def run(world: World, history: list[Tick]) -> list[int]:
    """Goes through a history; the times of its looks."""
    now_ms, times = NOW_MS, []
    for tick in history:
        now_ms += tick.after_ms
        world.look(now_ms, facts_of(tick, now_ms), quiet=tick.quiet, unsure=ABSENCE if tick.deaf else frozenset())
        times.append(now_ms)
    return times


def story_of(thing: tuple[Kind, str], history: list[Tick]) -> tuple[list[int], list[str]]:
    """When each look was, and what it saw of one thing."""
    times, story, now_ms = [], [], NOW_MS
    for tick in history:
        now_ms += tick.after_ms
        times.append(now_ms)
        deaf = tick.deaf and thing[0] in ABSENCE
        story.append("deaf" if deaf else {None: "well", True: "firm", False: "faint"}[tick.wrong.get(thing)])
    return times, story


def beginning(times: list[int], story: list[str], at: int, after_ms: int) -> tuple[int, int] | None:
    """The look since which it was firm without a break for so long, and the look at which that was so."""
    first: int | None = None
    for here in range(at, len(story)):
        if story[here] == "firm":
            first = here if first is None else first
            if times[here] - times[first] >= after_ms:
                return first, here
        elif story[here] != "deaf":
            # What cannot be known is no break; anything else is.
            first = None
    return None


def ending(times: list[int], story: list[str], at: int) -> tuple[int, int | None, int]:
    """The look behind its end, when it had become calm (None: it goes on), and how often it came in all."""
    count, calm = 1, None
    for here in range(at, len(story)):
        if calm is None and story[here] == "well":
            calm = times[here]
        elif calm is not None and story[here] == "firm":
            calm, count = None, count + 1
        elif calm is not None and story[here] != "deaf" and times[here] - calm >= HOLD_MS:
            return here + 1, calm, count
    return len(story), None, count


def oracle(thing: tuple[Kind, str], history: list[Tick]) -> list[tuple[int, int | None, int]]:
    """(begun, ended, times) of every alert of one thing, by going over its own story and nothing else."""
    times, story = story_of(thing, history)
    found, at = [], 0
    while begun := beginning(times, story, at, NATURE[thing[0]].after_ms):
        first, last = begun
        at, ended, count = ending(times, story, last + 1)
        found.append((times[first], ended, count))
    return found


@settings(max_examples=300, deadline=None)
@given(ticks)
def test_it_begins_and_ends_as_the_oracle_says(history: list[Tick]) -> None:
    world = World(HOLD_MS)
    run(world, history)
    for thing in THINGS:
        found = [(one.begun_ms, one.ended_ms, one.times) for one in world.every() if one.key == thing]
        assert found == oracle(thing, history), thing


@settings(max_examples=300, deadline=None)
@given(ticks)
def test_nothing_is_told_twice_and_in_the_quiet_only_what_is_urgent(history: list[Tick]) -> None:
    world = World(HOLD_MS)
    run(world, history)
    told: Counter[tuple[int, bool]] = Counter()
    for _, quiet, letter in world.letters:
        for alert in letter.alerts:
            assert alert.urgent or not quiet
            told[alert.id, alert.ended_ms is not None] += 1
    assert all(count == 1 for count in told.values())
    keys = [one.key for one in world.open()]
    assert len(keys) == len(set(keys))


@settings(max_examples=150, deadline=None)
@given(ticks)
def test_in_the_end_everything_has_ended_and_was_told(history: list[Tick]) -> None:
    world = World(HOLD_MS)
    times = run(world, history)
    now_ms = times[-1] if times else NOW_MS
    for _ in range(3):
        now_ms += HOLD_MS
        world.look(now_ms, [])
    assert world.open() == []
    assert store.untold(world.conn) == []
    ends = {alert.id for _, _, letter in world.letters for alert in letter.alerts if alert.ended_ms is not None}
    assert ends == {one.id for one in world.every()}


@settings(max_examples=100, deadline=None)
@given(ticks, st.randoms(use_true_random=False))
def test_the_order_of_facts_does_not_matter(history: list[Tick], chance: object) -> None:
    one, other = World(HOLD_MS), World(HOLD_MS)
    now_ms = NOW_MS
    for tick in history:
        now_ms += tick.after_ms
        facts = facts_of(tick, now_ms)
        # Twice the same, and one that is fainter, in any order.
        facts += [fact(each.kind, each.subject, now_ms, firm=False, n=3) for each in facts] + facts
        shuffled = list(facts)
        chance.shuffle(shuffled)  # type: ignore[attr-defined]
        assert one.look(now_ms, facts, quiet=tick.quiet) == other.look(now_ms, shuffled, quiet=tick.quiet)
    assert one.every() == other.every()
    assert one.waiting == other.waiting


def minutes(n: int) -> int:
    return NOW_MS + n * MINUTE_MS


def test_what_flaps_is_told_once_and_counted() -> None:
    world = World()
    world.look(minutes(0), [fact("lost", n=1)])
    for n in range(1, 20):
        world.look(minutes(n * 5), [fact("lost", n=1)] if n % 2 else [])
    assert [letter.what for _, _, letter in world.letters] == ["begun"]
    (alert,) = world.open()
    assert alert.times == 10
    for n in range(100, 112):
        world.look(minutes(n), [])
    assert [letter.what for _, _, letter in world.letters] == ["begun", "ended"]
    (alert,) = world.every()
    assert (alert.begun_ms, alert.ended_ms) == (minutes(0), minutes(100))


def test_what_lasts_less_than_its_kind_asks_is_no_alert() -> None:
    world = World()
    world.look(minutes(0), [fact("hot", since_ms=minutes(0))])
    world.look(minutes(2), [fact("hot", since_ms=minutes(2))])
    assert world.open() == []
    world.look(minutes(3), [fact("hot", since_ms=minutes(3))])
    assert [alert.begun_ms for alert in world.open()] == [minutes(0)]


def test_between_the_marks_an_alert_stays_and_none_begins() -> None:
    world = World()
    world.look(minutes(0), [fact("disk", firm=False)])
    world.look(minutes(9), [fact("disk", firm=False)])
    assert world.open() == []
    world.look(minutes(10), [fact("disk", since_ms=minutes(8))])
    world.look(minutes(11), [fact("disk", firm=False)])
    assert [alert.calm_ms for alert in world.open()] == [None]
    world.look(minutes(12), [])
    assert [alert.calm_ms for alert in world.open()] == [minutes(12)]
    # Once calm, a figure between the marks does not call it back.
    world.look(minutes(22), [fact("disk", firm=False)])
    assert world.open() == []


def test_the_night_comes_as_one_letter_in_the_morning_but_what_is_urgent_does_not_wait() -> None:
    world = World()
    world.look(minutes(0), [fact("lost", "a"), fact("lost", "b"), fact("clone", "c")], quiet=True)
    assert [(letter.what, letter.alerts[0].kind) for _, _, letter in world.letters] == [("begun", "clone")]
    world.look(minutes(5), [fact("lost", "b"), fact("clone", "c")], quiet=True)
    world.look(minutes(20), [fact("lost", "b"), fact("clone", "c")], quiet=True)
    assert len(world.letters) == 1
    (letter,) = world.look(minutes(21), [fact("lost", "b"), fact("clone", "c")])
    assert letter.what == "summary"
    assert [(alert.subject, alert.ended_ms is not None) for alert in letter.alerts] == [("a", True), ("b", False)]
    assert world.look(minutes(22), [fact("lost", "b"), fact("clone", "c")]) == []


def test_what_is_calming_down_at_opening_is_told_when_it_is_over() -> None:
    world = World()
    world.look(minutes(0), [fact("lost")], quiet=True)
    world.look(minutes(5), [], quiet=True)
    assert world.look(minutes(6), []) == []
    (letter,) = world.look(minutes(15), [])
    assert [alert.ended_ms for alert in letter.alerts] == [minutes(5)]


def test_what_comes_together_is_one_letter() -> None:
    world = World()
    many = [fact("lost", f"t-{n}") for n in range(5)]
    (letter,) = world.look(minutes(0), many)
    assert (letter.what, len(letter.alerts)) == ("several", 5)
    world.look(minutes(1), many[:3])
    letters = world.look(minutes(11), many[:3])
    assert [letter.what for letter in letters] == ["ended", "ended"]


def test_a_hushed_alert_is_told_again_if_it_is_still_there() -> None:
    world = World()
    world.look(minutes(0), [fact("lost")])
    (alert,) = world.open()
    assert store.hush(world.conn, alert.id, minutes(60), "hanako")
    for n in (10, 59):
        assert world.look(minutes(n), [fact("lost")]) == []
    (letter,) = world.look(minutes(60), [fact("lost")])
    assert letter.what == "still"
    assert world.look(minutes(61), [fact("lost")]) == []
    assert [one.hushed_until_ms for one in world.open()] == [None]


@pytest.mark.parametrize("quiet", [True, False])
def test_a_hush_holds_for_urgent_ones_and_for_the_end(*, quiet: bool) -> None:
    world = World()
    world.look(minutes(0), [fact("clone")], quiet=quiet)
    (alert,) = world.open()
    store.hush(world.conn, alert.id, minutes(60), "hanako")
    world.look(minutes(1), [], quiet=quiet)
    assert world.look(minutes(12), [], quiet=quiet) == []
    (letter,) = world.look(minutes(60), [], quiet=quiet)
    assert (letter.what, letter.alerts[0].ended_ms) == ("summary", minutes(1))
    assert not store.hush(world.conn, alert.id, minutes(70), "hanako")
    assert not store.take(world.conn, alert.id, minutes(70), "hanako")


def test_while_the_hub_is_deaf_nobody_goes_and_nobody_comes_back() -> None:
    world = World()
    world.look(minutes(0), [fact("offline", "a", minutes(-9))])
    for n in range(1, 60):
        world.look(minutes(n), [], unsure=ABSENCE)
    assert [alert.calm_ms for alert in world.open()] == [None]
    world.look(minutes(60), [])
    assert [alert.calm_ms for alert in world.open()] == [minutes(60)]


def test_a_clock_that_is_ahead_begins_nothing_in_the_future() -> None:
    world = World()
    world.look(minutes(0), [fact("lost", since_ms=minutes(10_000))])
    assert [alert.begun_ms for alert in world.open()] == [minutes(0)]


def test_counts_and_details_are_kept_up() -> None:
    world = World()
    world.look(minutes(0), [fact("lost", n=3)])
    world.look(minutes(1), [fact("lost", n=7)])
    assert [alert.n for alert in world.open()] == [7]
    assert len(world.letters) == 1
