"""The re-arm rule: one visit is one tap, and only listening without the card ends a visit."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edge_agent.attendance.readers.collision import AFTER_NS, GAP_NS, Lasting
from edge_agent.attendance.readers.visit import AWAY_NS, Visits

moments = st.integers(min_value=0, max_value=2 * AWAY_NS)


def test_a_held_card_begins_once() -> None:
    visits = Visits()
    assert [visits.begins("a", at) for at in range(0, 60 * AWAY_NS, AWAY_NS // 10)].count(True) == 1


def test_a_card_that_was_away_begins_anew() -> None:
    visits = Visits()
    assert visits.begins("a", 0)
    visits.nobody(AWAY_NS - 1)
    assert not visits.begins("a", AWAY_NS)
    visits.nobody(2 * AWAY_NS)
    assert visits.begins("a", 2 * AWAY_NS)


def test_time_that_nobody_listened_in_ends_no_visit() -> None:
    visits = Visits()
    assert visits.begins("a", 0)
    assert not visits.begins("a", 100 * AWAY_NS)


def test_another_card_begins_at_once_and_hearing_it_is_listening_without_the_first() -> None:
    visits = Visits()
    assert visits.begins("a", 0)
    assert visits.begins("b", 1)
    assert not visits.begins("a", 2)
    assert not visits.begins("b", AWAY_NS)
    assert visits.begins("a", 2 + 2 * AWAY_NS) is False  # b was heard too soon after it
    assert not visits.begins("a", 3 + 2 * AWAY_NS)
    assert visits.begins("b", 4 + 2 * AWAY_NS), "a was heard long after b"


class Visiting(RuleBasedStateMachine):
    """Any order of hearings and of listening in vain, against the rule said plainly."""

    def __init__(self) -> None:
        super().__init__()
        self.visits = Visits()
        self.now = 0
        # When each card was last heard, and the last time at which the reader listened without it.
        self.heard: dict[str, int] = {}
        self.missed: dict[str, int] = {}

    @rule(card=st.sampled_from("abc"), after=moments)
    def hears(self, card: str, after: int) -> None:
        """A card is heard."""
        self.now += after
        away = card not in self.heard or self.missed.get(card, 0) - self.heard[card] >= AWAY_NS
        assert self.visits.begins(card, self.now) is away
        self.heard[card] = self.now
        self.missed.pop(card, None)
        self._misses(but=card)

    @rule(after=moments)
    def listens(self, after: int) -> None:
        """The reader listens in vain."""
        self.now += after
        self.visits.nobody(self.now)
        self._misses()

    def _misses(self, but: str = "") -> None:
        self.missed |= {card: self.now for card in self.heard if card != but}

    @invariant()
    def forgets(self) -> None:
        """No more is kept than cards that may still lie there."""
        for card, heard in self.heard.items():
            gone = self.missed.get(card, 0) - heard >= AWAY_NS
            assert self.visits.last_heard_ns(card) == (None if gone else heard)


test_any_order = Visiting.TestCase


@given(st.lists(st.tuples(st.booleans(), st.integers(1, GAP_NS)), max_size=60))
def test_two_cards_are_said_once_while_they_lie_there(looks: list[tuple[bool, int]]) -> None:
    lasting, now, said = Lasting(), 0, 0
    for seen, after in looks:
        now += after
        said += lasting.look(now, seen=seen)
    ended = sum(1 for a, b in pairwise(looks) if not a[0] and not b[0])
    assert said <= 1 + ended


def test_two_cards_are_said_after_a_second_and_anew_after_they_were_gone() -> None:
    lasting = Lasting()
    assert not lasting.look(1, seen=True)
    assert lasting.look(1 + AFTER_NS, seen=True)
    assert not lasting.look(1 + 100 * AFTER_NS, seen=True), "time that nobody looked in ends nothing"
    begin = 1 + 100 * AFTER_NS + GAP_NS + 1
    assert not lasting.look(begin, seen=False)
    assert not lasting.look(begin, seen=True)
    assert lasting.look(begin + AFTER_NS, seen=True)


def test_one_card_that_is_read_ends_it() -> None:
    lasting = Lasting()
    lasting.look(1, seen=True)
    lasting.end()
    assert not lasting.look(1 + AFTER_NS, seen=True)
