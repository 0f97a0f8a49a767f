"""A FeliCa Lite-S card proves itself to the real reader's library, over the simulated air; a copy does not."""

from collections.abc import Iterator

import pytest

from edge_agent.attendance.readers.cards import Card, make_card
from edge_agent.attendance.readers.contactless import ContactlessReader
from edge_agent.attendance.readers.field import UdpField
from edge_agent.attendance.readers.heard import CardHeard, CardUnreadable
from tests.readers.ear import Ear, rest
from tests.roster.lite_s import CK, LiteS, Silent
from wire.roster import proof_key

IDM = bytes.fromhex("012e4cd8a9b3c4f1")
MASTER = bytes(range(32))
KEY = proof_key(MASTER, IDM)


@pytest.fixture
def field() -> Iterator[UdpField]:
    """An empty field that answers."""
    served = UdpField().start()
    yield served
    served.stop()


class Hearing(Ear):
    """An ear that also knows the values themselves."""

    def __init__(self, reader: ContactlessReader) -> None:
        super().__init__(reader)
        self.reader = reader

    def __enter__(self) -> "Hearing":
        """Begins to listen."""
        super().__enter__()
        return self

    def card(self, after: int = 0) -> CardHeard | CardUnreadable:
        """The first card that was told, past so many others."""
        self.until(lambda told: sum(one not in ("ready", "fault") for one in told) > after)
        return [one for one in self._heard if isinstance(one, CardHeard | CardUnreadable)][after]

    def settled(self, field: UdpField, card: Card, after: int = 0) -> CardHeard:
        """What became of a card that stays; on a busy machine an answer may come late, as through a bad contact."""
        for attempt in range(after, after + 6):
            field.place(card)
            heard = self.card(attempt)
            if isinstance(heard, CardHeard):
                return heard
            field.remove()
            rest(self.reader)
        raise AssertionError(f"never settled: {self.heard}")


def reading(field: UdpField, *must: bytes) -> Hearing:
    """A reader that asks the cards of these numbers for a proof."""
    return Hearing(ContactlessReader(field.path, lambda number: KEY if number in must else None))


def test_a_card_that_knows_its_key_is_genuine_and_nothing_is_written_that_lasts(field: UdpField) -> None:
    genuine = LiteS(IDM, KEY)
    with reading(field, IDM) as ear:
        heard = ear.settled(field, genuine)
    assert (heard.identifier, heard.proved) == (IDM, True)
    assert genuine.written == []


def test_a_card_with_the_key_that_nfcpy_and_its_own_way_write_is_the_same_card(field: UdpField) -> None:
    # As an issuing program writes it: each half the other way round.
    issued = LiteS(IDM, bytes(16))
    issued._write(bytes([1, 9, 0, 1, 0x80, CK]) + KEY[7::-1] + KEY[15:7:-1])
    with reading(field, IDM) as ear:
        heard = ear.settled(field, issued)
    assert heard.proved


@pytest.mark.parametrize(
    "copy",
    [
        LiteS(IDM, bytes(16)),
        LiteS(IDM, proof_key(bytes(32), IDM)),
        # The key of another genuine card.
        LiteS(IDM, proof_key(MASTER, IDM[:-1] + b"\x00")),
        Silent(IDM, KEY),
        make_card("felica", IDM),
    ],
    ids=["factory key", "another town's", "another card's", "number alone", "another chip"],
)
def test_a_copy_of_the_number_is_told_as_not_proved(field: UdpField, copy: LiteS) -> None:
    with reading(field, IDM) as ear:
        heard = ear.settled(field, copy)
    assert (heard.identifier, heard.proved) == (IDM, False)


def test_a_card_that_goes_away_in_the_middle_is_held_against_nobody(field: UdpField) -> None:
    stays = LiteS(IDM, KEY)
    with reading(field, IDM) as ear:

        class Gone(LiteS):
            """Is found, and is gone when it is spoken to."""

            def answer(self, rate: str, frame: bytes) -> bytes | None:
                if frame[1:2] != b"\x00":
                    self.leaves_after = 0
                return super().answer(rate, frame)

        field.place(Gone(IDM, KEY))
        # On a busy machine it is gone before anybody has spoken to it, and then nothing is told.
        rest(ear.reader)
        field.remove()
        rest(ear.reader)
        told = [one for one in ear._heard if isinstance(one, CardHeard | CardUnreadable)]
        assert [one.reason if isinstance(one, CardUnreadable) else "heard" for one in told] in ([], ["stumbled"])
        assert ear.settled(field, stays, after=len(told)).proved


def test_a_card_that_need_not_is_told_at_once_and_not_asked(field: UdpField) -> None:
    plain = LiteS(IDM, KEY)
    with reading(field) as ear:
        field.place(plain)
        heard = ear.card()
    assert isinstance(heard, CardHeard)
    assert (heard.proved, plain.asked) == (False, 0)


def test_a_card_is_told_once_while_it_lies_there(field: UdpField) -> None:
    lying = LiteS(IDM, KEY)
    with reading(field, IDM) as ear:
        ear.settled(field, lying)
        asked = lying.asked
        rest(ear.reader)
        assert [one for one in ear.heard if one.startswith("felica")] == [f"felica {IDM.hex()}"]
        assert lying.asked == asked
