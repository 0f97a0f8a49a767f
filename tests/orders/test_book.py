"""What is done with an order: never too late, never twice, never what is not in the list."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.orders import book
from edge_agent.orders.book import Answer, Do, Entry, Facts, Quiet
from wire.messages import Order
from wire.orders import VERBS

NOW_MS = 1_795_476_240_000


def _order(name: str = "ping", arguments: dict[str, Any] | None = None, not_after_ms: int = NOW_MS + 1) -> Order:
    return Order("a" * 32, name, arguments or {}, not_after_ms, "b" * 32, "c" * 86)


def _facts(**changes: Any) -> Facts:
    plain: dict[str, Any] = {
        "refusal": None,
        "entry": None,
        "nonce_used": False,
        "kind": "terminal",
        "clock": "synced",
        "now_ms": NOW_MS,
    }
    return Facts(**(plain | changes))


@pytest.mark.parametrize(
    ("order", "facts", "answer"),
    [
        (_order(), {"refusal": "signature"}, Answer("refused", "signature", remember=False)),
        (_order(), {"refusal": "no_key", "entry": Entry("a", "done", "")}, Answer("refused", "no_key", remember=False)),
        (_order(), {"entry": Entry("a", "begun", "")}, Quiet()),
        (_order(), {"entry": Entry("a", "done", "x")}, Answer("done", "x", remember=False)),
        (_order(not_after_ms=0), {"entry": Entry("a", "done", "x")}, Answer("done", "x", remember=False)),
        (_order(), {"nonce_used": True}, Answer("refused", "used_before", remember=False)),
        (_order("dance"), {}, Answer("refused", "unknown_order")),
        (_order("lock"), {"kind": "access_point"}, Answer("refused", "not_for_this_kind")),
        (_order("restart"), {}, Answer("refused", "arguments")),
        (_order("restart", {"process": "-rf /"}), {}, Answer("refused", "arguments")),
        (_order("ping", {"more": 1}), {}, Answer("refused", "arguments")),
        (_order("wipe", {"at_once": "yes"}), {}, Answer("refused", "arguments")),
        (_order("identify", {"seconds": 61}), {}, Answer("refused", "arguments")),
        (_order(not_after_ms=NOW_MS - 1), {}, Answer("expired")),
        (_order("reboot"), {"clock": "unset"}, Answer("refused", "clock_unset")),
        (_order("unlock"), {"clock": "unset"}, Answer("refused", "clock_unset")),
        (_order(), {"remembered": book.MOST}, Answer("refused", "too_many", remember=False)),
        (_order(), {"lost_ms": NOW_MS + 1}, Answer("refused", "used_before")),
    ],
)
def test_answers(order: Order, facts: dict[str, Any], answer: book.Decision) -> None:
    assert book.decide(order, _facts(**facts)) == answer


def test_what_is_done_despite_a_clock_that_is_not_set() -> None:
    done = {
        name
        for name in VERBS
        if isinstance(
            book.decide(_order(name, {"process": "kiosk"} if name == "restart" else {}), _facts(clock="unset")), Do
        )
    }
    assert done == {"ping", "identify", "wifi_scan", "diagnostics", "lock", "wipe"}


@given(
    st.sampled_from([*VERBS, "dance"]),
    st.dictionaries(
        st.sampled_from(["process", "seconds", "contact", "at_once", "x"]), st.text() | st.integers(), max_size=2
    ),
    st.integers(-(10**15), 10**15),
    st.builds(
        Facts,
        st.sampled_from([None, "signature", "no_key"]),
        st.none()
        | st.builds(Entry, st.just("a"), st.sampled_from(["begun", "done", "failed", "expired", "refused"]), st.text()),
        st.booleans(),
        st.sampled_from(["terminal", "tablet", "access_point", "toaster"]),
        st.sampled_from(["synced", "held", "unset"]),
        st.integers(0, 10**15),
        st.integers(0, book.MOST),
        st.integers(0, 10**15),
    ),
)
def test_it_is_done_only_when_everything_says_so(
    name: str, arguments: dict[str, Any], not_after_ms: int, facts: Facts
) -> None:
    decision = book.decide(_order(name, arguments, not_after_ms), facts)
    if isinstance(decision, Do):
        assert (facts.refusal, facts.entry, facts.nonce_used) == (None, None, False)
        assert facts.kind in decision.verb.kinds
        assert facts.now_ms <= not_after_ms or (facts.clock == "unset" and decision.verb.despite_clock)
        assert not_after_ms - decision.verb.good_for_ms >= facts.lost_ms
