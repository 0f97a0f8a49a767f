"""The disaster switch's rule at the hub: who may, how far a run is, what an access point has made of it."""

from itertools import permutations
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.wifi import disaster
from hub.wifi.disaster import ACTS, ASKED_FOR_MS, MARK, SILENT_MS, Given, Run, Said
from tests.clock.hand_time import MORNING_MS
from wire.orders import VERBS, Disaster, read_arguments

HOUR_MS = 3_600_000
ASKED = Run(1, "disaster-1", False, "earthquake", 60, (), MORNING_MS, "hanako", "", None, "", None, None, "")


def _confirmed(**more: Any) -> Run:
    values: dict[str, Any] = {"decided": "confirm", "decided_ms": MORNING_MS, "decided_by": "taro"}
    return _with(ASKED, **{**values, "ends_ms": MORNING_MS + HOUR_MS, **more})


def _with(run: Run, **more: Any) -> Run:
    return Run(**{**{name: getattr(run, name) for name in Run.__struct_fields__}, **more})


@pytest.mark.parametrize(
    ("run", "begun", "after_ms", "status"),
    [
        (ASKED, False, 0, "asked"),
        (ASKED, False, ASKED_FOR_MS - 1, "asked"),
        (ASKED, False, ASKED_FOR_MS, "lapsed"),
        (_with(ASKED, decided="refuse"), False, 0, "refused"),
        (_with(ASKED, decided="withdraw"), False, 0, "withdrawn"),
        (_confirmed(), False, 0, "confirmed"),
        (_confirmed(), True, HOUR_MS - 1, "running"),
        (_confirmed(), True, HOUR_MS, "ended"),
        (_confirmed(ended_ms=MORNING_MS + 5), True, 10, "ended"),
        (_confirmed(decided="button"), True, 0, "running"),
    ],
)
def test_how_far_a_run_is(run: Run, begun: bool, after_ms: int, status: str) -> None:
    assert disaster.status(run, MORNING_MS + after_ms, begun=begun) == status


People = Literal["hanako", "taro", "jiro"]


class _Machine:
    """A run as one person after the other acts on it, by the rule alone."""

    def __init__(self, *, drill: bool) -> None:
        self.run, self.now_ms = _with(ASKED, drill=drill), MORNING_MS

    def act(self, do: disaster.Act, who: str, *, may: bool) -> str | None:
        refused = disaster.why_not(self.run, do, who, self.now_ms, may=may, real_runs=False)
        if refused is None:
            if do == "end":
                self.run = _with(self.run, ended_ms=self.now_ms, ended_by=who)
            else:
                ends_ms = self.now_ms + 60 * 60_000 if do == "confirm" else None
                self.run = _with(self.run, decided=do, decided_ms=self.now_ms, decided_by=who, ends_ms=ends_ms)
        return refused


_steps = st.lists(
    st.tuples(
        st.sampled_from(ACTS), st.sampled_from(["hanako", "taro", "jiro"]), st.booleans(), st.integers(0, HOUR_MS)
    ),
    max_size=12,
)


@given(st.booleans(), _steps)
def test_whatever_people_do_nobody_begins_it_alone_and_nothing_comes_back(
    drill: bool, steps: list[tuple[disaster.Act, str, bool, int]]
) -> None:
    machine = _Machine(drill=drill)
    order = ["asked", "refused", "withdrawn", "lapsed", "confirmed", "ended"]
    was = "asked"
    for do, who, may, later_ms in steps:
        machine.now_ms += later_ms
        before = disaster.status(machine.run, machine.now_ms, begun=False)
        refused = machine.act(do, who, may=may)
        now = disaster.status(machine.run, machine.now_ms, begun=False)
        assert refused is not None or may
        assert order.index(now) >= order.index(before) >= order.index(was)
        if refused is None:
            assert (before, do) in {
                ("asked", "confirm"),
                ("asked", "refuse"),
                ("asked", "withdraw"),
                ("confirmed", "end"),
            }
        was = now
    if machine.run.decided == "confirm":
        assert machine.run.decided_by != machine.run.asked_by
        assert machine.run.decided_ms - machine.run.asked_ms < ASKED_FOR_MS  # type: ignore[operator]


def test_why_somebody_may_not_is_a_word() -> None:
    def why(run: Run, do: disaster.Act, who: str, *, may: bool = True, after_ms: int = 0, real: bool = False) -> Any:
        return disaster.why_not(run, do, who, MORNING_MS + after_ms, may=may, real_runs=real)

    assert why(ASKED, "confirm", "hanako") == "own"
    assert why(ASKED, "confirm", "taro") is None
    assert why(ASKED, "confirm", "taro", may=False) == "role"
    assert why(ASKED, "confirm", "taro", after_ms=ASKED_FOR_MS) == "lapsed"
    assert why(ASKED, "withdraw", "taro") == "not_own"
    assert why(ASKED, "end", "taro") == "status"
    assert why(_confirmed(), "confirm", "taro") == "status"
    assert why(_confirmed(), "end", "hanako") is None
    assert why(_with(ASKED, drill=True), "confirm", "taro", real=True) == "runs"
    assert why(ASKED, "confirm", "taro", real=True) is None


SAID = [
    Said("begun", "order", 0, (), MORNING_MS),
    Said("begun", "restart", 0, (), MORNING_MS + 5),
    Said("ended", "time", 0, (), MORNING_MS + 9),
    Said("refused", "order", 0, (), MORNING_MS - 5),
]


@pytest.mark.parametrize("count", range(len(SAID) + 1))
def test_reports_may_come_in_any_order(count: int) -> None:
    for some in permutations(SAID, count):
        found = {disaster.point_state(each, Given("done", MORNING_MS), MORNING_MS) for each in permutations(some)}
        assert len(found) == 1
        (state, _) = next(iter(found))
        words = {one.state for one in some}
        expected = "ended" if "ended" in words else "begun" if "begun" in words else "refused" if words else "told"
        assert state == expected


@pytest.mark.parametrize(
    ("state", "after_ms", "over", "expected"),
    [
        ("", 0, False, "held"),
        ("made", 0, False, "waiting"),
        ("sent", SILENT_MS - 1, False, "waiting"),
        ("sent", SILENT_MS, False, "silent"),
        ("delivered", 0, False, "told"),
        ("delivered", SILENT_MS, False, "silent"),
        ("expired", 0, False, "missed"),
        ("sent", 0, True, "missed"),
        ("done", SILENT_MS, True, "told"),
    ],
)
def test_who_has_not_answered_is_told_apart(state: str, after_ms: int, over: bool, expected: str) -> None:
    assert disaster.point_state([], Given(state, MORNING_MS), MORNING_MS + after_ms, over=over) == (expected, "")
    assert expected in MARK


def test_a_refusal_carries_its_word() -> None:
    assert disaster.point_state([], Given("failed", 0, "no_guests"), 0) == ("failed", "no_guests")
    assert disaster.point_state([], Given("refused", 0, "used_before"), 0) == ("refused", "used_before")


def test_a_drill_is_due_a_year_after_the_last_or_after_the_first_access_point() -> None:
    assert disaster.drill_due_ms(None, MORNING_MS) == MORNING_MS + 365 * 24 * HOUR_MS
    assert disaster.drill_due_ms(MORNING_MS + 5, MORNING_MS) == MORNING_MS + 5 + 365 * 24 * HOUR_MS


@pytest.mark.parametrize("minutes", [*disaster.LASTS, *disaster.DRILL_LASTS])
def test_every_length_that_can_be_chosen_can_be_ordered(minutes: int) -> None:
    plain = {"action": "begin", "run": "r", "minutes": minutes, "until_ms": MORNING_MS}
    assert read_arguments(VERBS["disaster"], plain) == Disaster("begin", "r", minutes, MORNING_MS)
    assert disaster.lasting(minutes, drill=False) == (minutes in disaster.LASTS)
    assert disaster.lasting(minutes, drill=True) == (minutes in disaster.DRILL_LASTS)
