"""What holds of a grant is the fold of its decisions: against a slow day-by-day model, in any order of the rows."""

import random
from datetime import date, timedelta
from typing import get_args

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.waiver.application import MAY, Application, Asks, Decision, State, Waiver, fold, of_lines
from hub.waiver.rules.holding import holds
from hub.waiver.rules.profile import Share, WaiverRule

FIRST = date(2026, 4, 1)
DAYS = 400
# With whole days at both ends a model can be written down day by day.
RULES = {
    "full": WaiverRule(start="by_day", end="by_day"),
    "half": WaiverRule(share=Share(1, 2), start="by_day", end="by_day"),
}


def day(n: int) -> str:
    """The n-th day."""
    return (FIRST + timedelta(days=n)).isoformat()


def asked(number: int, asks: Asks, rule: str = "full", **more: object) -> Application:
    """An application that nobody has decided."""
    values: dict[str, object] = {
        "id": number,
        "number": str(number),
        "asks": asks,
        "of_id": None if asks == "grant" else 1,
        "resident_id": 7,
        "line_id": 3,
        "rule": rule,
        "applied_day": day(0),
        "accepted_day": day(0),
        "from_day": "",
        "reason": "",
        "entered_by": "clerk",
        "entered_ms": number,
    }
    return Application(**(values | more))  # type: ignore[arg-type]


def decided(one: Application, result: str = "granted", until: str = "", at_ms: int = 0) -> Application:
    """The same with a decision."""
    decision = Decision(result, f"N{one.id}", day(0), "", "", until, "boss", at_ms or one.id * 10)  # type: ignore[arg-type]
    return msgspec.structs.replace(one, decision=decision)


def held(waiver: Waiver) -> dict[int, set[str]]:
    """By which decisions each day is waived, as the rules read the fold."""
    found: dict[int, set[str]] = {n: set() for n in range(DAYS)}
    for grant in waiver.grants:
        days = holds(RULES[grant.rule], grant)
        for n in range(DAYS):
            if days is not None and days.first <= FIRST + timedelta(days=n) <= days.last:
                found[n].add(f"{grant.ref} {grant.rule}")
    return found


class Model:
    """The same written down day by day."""

    def __init__(self, begin: int, until: int | None) -> None:
        self.days: dict[int, set[str]] = {n: set() for n in range(DAYS)}
        self.until = until
        self._put(begin, until, "N1 full")

    def _put(self, begin: int, until: int | None, what: str) -> None:
        for n in range(begin, DAYS if until is None else until + 1):
            self.days[n].add(what)

    def _clear(self, begin: int) -> None:
        for n in range(begin, DAYS):
            self.days[n] = set()

    def take(self, one: Application, at: int, until: int | None) -> None:
        what = f"N{one.id} {one.rule}"
        match one.asks:
            case "revoke":
                self._clear(at)
            case "end":
                self._clear(at + 1)
            case "change":
                self._clear(at)
                self.until = until if until is not None else self.until
                self._put(at, self.until, what)
            case _:
                self.until = until
                self._put(at, until, what)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Application], Model]:
    """A grant and what was granted about it, each as the table of states allows it, with its model."""
    begin = draw(st.integers(0, 50))
    until = draw(st.none() | st.integers(begin, 200))
    root = decided(asked(1, "grant", applied_day=day(begin)), until="" if until is None else day(until))
    rows, model, state = [root], Model(begin, until), "granted"
    for number in range(2, draw(st.integers(2, 7))):
        may = sorted(MAY[state])  # type: ignore[index]
        if not may:
            break
        asks: Asks = draw(st.sampled_from(may))
        rule = draw(st.sampled_from(("full", "half"))) if asks == "change" else "full"
        at = draw(st.integers(begin + 1, 300))
        ends = draw(st.none() | st.integers(at, 390)) if asks in ("change", "renew") else None
        one = decided(asked(number, asks, rule, from_day=day(at)), until="" if ends is None else day(ends))
        rows.append(one)
        model.take(one, at, ends)
        state = {"change": "changed", "end": "ended", "revoke": "revoked"}.get(asks, state)
    return rows, model


@given(histories())
@settings(max_examples=120, deadline=None)
def test_the_fold_is_what_a_model_comes_to_day_by_day(history: tuple[list[Application], Model]) -> None:
    rows, model = history
    (waiver,) = fold(rows)
    assert held(waiver) == model.days


@given(histories(), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_any_order_of_the_rows_comes_to_the_same(
    history: tuple[list[Application], Model], chance: random.Random
) -> None:
    rows, _ = history
    shuffled = rows.copy()
    chance.shuffle(shuffled)
    assert fold(shuffled) == fold(rows)


@given(
    histories(), st.sampled_from(("refused", "withdrawn", "")), st.sampled_from(("change", "end", "revoke", "renew"))
)
@settings(max_examples=100, deadline=None)
def test_what_was_not_granted_changes_nothing(
    history: tuple[list[Application], Model], result: str, asks: Asks
) -> None:
    rows, _ = history
    (before,) = fold(rows)
    more = asked(99, asks, "half", from_day=day(20))
    (after,) = fold([*rows, decided(more, result) if result else more])
    assert (after.grants, after.state) == (before.grants, before.state)
    assert after.waiting == (None if result else more)
    assert after.may == (before.may if result else frozenset())


def test_states_and_what_may_follow_are_one_table() -> None:
    assert set(MAY) == set(get_args(State))
    waiting = asked(1, "grant")
    rows: list[tuple[list[Application], State]] = [
        ([waiting], "waiting"),
        ([decided(waiting, "refused")], "refused"),
        ([decided(waiting, "withdrawn")], "withdrawn"),
        ([decided(waiting)], "granted"),
        ([decided(waiting), decided(asked(2, "change", from_day=day(9)))], "changed"),
        ([decided(waiting), decided(asked(2, "renew", from_day=day(9)))], "granted"),
        ([decided(waiting), decided(asked(2, "end", from_day=day(9)))], "ended"),
        ([decided(waiting), decided(asked(2, "revoke", from_day=day(9)))], "revoked"),
    ]
    for history, state in rows:
        (waiver,) = fold(history)
        assert waiver.state == state
        assert waiver.may == MAY[state]
    # What is over or was never granted is applied for anew.
    assert not any(MAY[state] for state in ("waiting", "withdrawn", "refused", "revoked"))
    assert MAY["ended"] == {"revoke"}


def test_a_revocation_reaches_back_over_everything() -> None:
    rows = [
        decided(asked(1, "grant", applied_day=day(10)), until=day(100)),
        decided(asked(2, "renew", from_day=day(101)), until=day(200)),
        decided(asked(3, "revoke", from_day=day(50))),
    ]
    (waiver,) = fold(rows)
    assert {n for n, by in held(waiver).items() if by} == set(range(10, 50))


@pytest.mark.parametrize("at_ms", [(20, 30), (30, 20)])
def test_decisions_count_in_the_order_in_which_they_were_taken(at_ms: tuple[int, int]) -> None:
    """Two changes of one day: the later decision's rule is the one that holds, whichever was entered first."""
    rows = [
        decided(asked(1, "grant")),
        decided(asked(2, "change", "half", from_day=day(30)), at_ms=at_ms[0]),
        decided(asked(3, "change", "full", from_day=day(30)), at_ms=at_ms[1]),
    ]
    (waiver,) = fold(rows)
    last = "N3 full" if at_ms == (20, 30) else "N2 half"
    assert held(waiver)[40] == {last}


def test_grants_go_to_the_line_they_are_for_or_to_every_line() -> None:
    one = fold([decided(asked(1, "grant"))])
    every = fold([decided(asked(5, "grant", line_id=None))])
    by_line, by_resident = of_lines([*one, *every])
    assert list(by_line) == [(7, 3)]
    assert list(by_resident) == [7]
