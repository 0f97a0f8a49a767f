"""How far an order is: the same whatever comes first, comes twice or comes late."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.orders import progress
from hub.orders.progress import ENDS, PATIENCE_MS, RANK, SAID, Heard, Progress

_HEARD = st.builds(
    Heard, st.sampled_from(sorted(RANK)), st.integers(0, 10**13), st.sampled_from(["", "fault", "wiped: 1"])
)


def _fold(heard: list[Heard], begin: Progress | None = None) -> Progress:
    found = begin or Progress()
    for one in heard:
        found = progress.after(found, one)
    return found


@given(st.lists(_HEARD, max_size=8), st.randoms(use_true_random=False), st.integers(0, 8))
def test_the_order_and_number_of_what_is_heard_do_not_matter(heard: list[Heard], chance: object, again: int) -> None:
    other = [*heard, *heard[:again]]
    chance.shuffle(other)  # type: ignore[attr-defined]
    assert _fold(heard) == _fold(other)


@given(st.lists(_HEARD, max_size=8), _HEARD)
def test_it_never_goes_back(heard: list[Heard], more: Heard) -> None:
    before = _fold(heard)
    after = progress.after(before, more)
    assert RANK[after.state] >= RANK[before.state]
    assert after.ended or not before.ended
    assert (after.ended_ms is not None) == after.ended
    if before.state == "done" and more.state != "done":
        assert (after.state, after.detail, after.ended_ms) == ("done", before.detail, before.ended_ms)


@given(st.lists(_HEARD, max_size=8))
def test_done_is_what_a_device_said(heard: list[Heard]) -> None:
    assert (_fold(heard).state == "done") == any(one.state == "done" for one in heard)


@pytest.mark.parametrize(
    ("heard", "state"),
    [
        (["sent"], "sent"),
        (["delivered", "sent"], "delivered"),
        (["sent", "delivered", "done"], "done"),
        (["done", "delivered", "sent", "done"], "done"),
        (["expired", "done"], "done"),
        (["failed", "expired", "refused"], "failed"),
        (["delivered", "refused"], "refused"),
    ],
)
def test_steps(heard: list[progress.State], state: str) -> None:
    assert _fold([Heard(one, number) for number, one in enumerate(heard)]).state == state


@given(st.lists(_HEARD, max_size=5), st.integers(0, 10**13), st.integers(0, 10**13))
def test_what_nobody_answered_in_time_has_expired(heard: list[Heard], not_after_ms: int, now_ms: int) -> None:
    before = _fold(heard)
    shown = progress.at(before, not_after_ms, now_ms)
    assert shown.ended or now_ms <= not_after_ms + PATIENCE_MS
    if before.ended or now_ms <= not_after_ms:
        assert shown == before
    # The device's own word, when it comes after all, is worth more.
    assert progress.after(shown, Heard("done", now_ms)).state == "done"


def test_an_order_that_a_device_has_is_waited_for_a_little_longer() -> None:
    delivered = _fold([Heard("sent", 1), Heard("delivered", 2)])
    assert progress.at(delivered, 100, 100 + PATIENCE_MS) == delivered
    shown = progress.at(delivered, 100, 101 + PATIENCE_MS)
    assert (shown.state, shown.detail) == ("expired", "no_answer")
    assert progress.at(_fold([Heard("sent", 1)]), 100, 101).detail == ""


def test_the_table_is_whole() -> None:
    assert set(SAID) - {"delivered"} == ENDS
    assert len(set(RANK.values())) == len(RANK)
