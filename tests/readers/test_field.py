"""Real nfcpy over its udp driver against the simulated field: which values come for which card, in which order."""

import json
import logging
import math
import signal
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from edge_agent.attendance.readers.cards import KINDS, Card, make_card
from edge_agent.attendance.readers.contactless import ContactlessReader, identify
from edge_agent.attendance.readers.field import ORDER, Field, UdpField
from tests.readers.commands import FieldProcess, free_port, tap
from tests.readers.ear import Ear, rest, signs, wait_until
from tests.readers.known import HOLD_S, NUMBER, SAID, TWO_S


@pytest.fixture
def field() -> Iterator[UdpField]:
    """An empty field that answers."""
    served = UdpField().start()
    yield served
    served.stop()


@pytest.fixture
def reader(field: UdpField) -> ContactlessReader:
    """A reader in that field."""
    return ContactlessReader(field.path)


class Counted:
    """Another card, and how often it was spoken to."""

    def __init__(self, card: Card) -> None:
        self._card = card
        self.asked = 0

    def power_up(self) -> None:
        """As the card does."""
        self._card.power_up()

    def answer(self, rate: str, frame: bytes) -> bytes | None:
        """As the card does."""
        reply = self._card.answer(rate, frame)
        self.asked += reply is not None
        return reply


class Topaz:
    """A Type 1 tag: it has no number that nfcpy gives as one, and answers nothing else."""

    def power_up(self) -> None:
        """Nothing changes."""

    def answer(self, rate: str, frame: bytes) -> bytes | None:
        """SENS_RES, and RID with a header ROM."""
        if rate == "106A" and frame == b"\x26":
            return b"\x00\x0c"
        return bytes.fromhex("114801020304") if rate == "106A" and frame[:1] == b"\x78" else None


def hold(field: UdpField, card: Card) -> None:
    """Holds a card for longer than the rule's time, and until it was spoken to more than a few times."""
    counted = Counted(card)
    field.place(counted)
    wait_until(lambda: counted.asked > 4, "the reader to find the card")
    time.sleep(HOLD_S)
    before = counted.asked
    wait_until(lambda: counted.asked > before + 2, "the reader to look again")


def test_the_visit_of_a_held_card_goes_on(field: UdpField, reader: ContactlessReader) -> None:
    with Ear(reader) as ear:
        field.place(make_card("felica", NUMBER))
        ear.until_told("ready", SAID["felica"])
        idm = bytes.fromhex(SAID["felica"].split()[1])
        began_ns = reader.visits.last_heard_ns(idm)
        wait_until(lambda: reader.visits.last_heard_ns(idm) != began_ns, "the visit to go on")


def test_each_kind_tells_what_it_is_once_and_in_order(field: UdpField, reader: ContactlessReader) -> None:
    expected = ["ready"]
    with Ear(reader) as ear:
        for at, kind in enumerate(KINDS, start=4):
            number = bytes([at]) + NUMBER[1:]
            field.place(make_card(kind, number))
            expected.append(SAID[kind].replace(NUMBER.hex(), number.hex()))
            ear.until_told(*expected)
            field.remove()
            signs(reader, 3)
        assert ear.heard == expected


@pytest.mark.parametrize("kind", ["felica", "mifare", "shortats"])
def test_a_held_card_is_one_tap_and_another_when_it_comes_again(
    field: UdpField, reader: ContactlessReader, kind: str
) -> None:
    with Ear(reader) as ear:
        hold(field, make_card(kind, NUMBER))
        ear.until_told("ready", SAID[kind])
        field.remove()
        rest(reader)
        field.place(make_card(kind, NUMBER))
        ear.until_told("ready", SAID[kind], SAID[kind])


def test_another_card_counts_at_once(field: UdpField, reader: ContactlessReader) -> None:
    with Ear(reader) as ear:
        field.place(make_card("felica", b"\x01\x01"))
        ear.until_told("ready", "felica 0101000000000000")
        field.remove()
        field.place(make_card("felica", b"\x01\x02"))
        ear.until_told("ready", "felica 0101000000000000", "felica 0102000000000000")


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["felica", "mifare"])
def test_a_card_held_for_a_minute_is_one_tap(field: UdpField, reader: ContactlessReader, kind: str) -> None:
    with Ear(reader) as ear:
        field.place(make_card(kind, NUMBER))
        ear.until_told("ready", SAID[kind])
        time.sleep(60)
        assert ear.heard == ["ready", SAID[kind]]


@pytest.mark.parametrize("kinds", [("felica", "felica"), ("ntag", "mifare")])
def test_two_cards_are_said_once_and_the_one_that_stays_is_read(
    field: UdpField, reader: ContactlessReader, kinds: tuple[str, str]
) -> None:
    first, second = Counted(make_card(kinds[0], b"\x01\x01")), Counted(make_card(kinds[1], b"\x01\x02"))
    with Ear(reader) as ear:
        field.place(first, second)
        ear.until_told("ready", "two cards")
        time.sleep(TWO_S)
        before = first.asked
        wait_until(lambda: first.asked > before + 2, "the reader to look again")
        assert ear.heard == ["ready", "two cards"]
        field.remove()
        field.place(make_card("felica", NUMBER))
        ear.until_told("ready", "two cards", SAID["felica"])


def test_a_phone_shows_the_number_that_stays(field: UdpField, reader: ContactlessReader) -> None:
    # A phone speaks FeliCa and Type A at once: its IDm is fixed, its Type A number is not.
    with Ear(reader) as ear:
        field.place(make_card("phone", NUMBER), make_card("felica", NUMBER))
        # On a machine too slow to answer in time its other number may show first; it is never taken for a card.
        told = ear.until(lambda told: SAID["felica"] in told)
        cards = [words for words in told if words.split()[-1].isalnum() and words.split()[-1] != "cards"]
        assert {words for words in cards if " " in words} == {SAID["felica"]}, told


def test_a_card_without_a_number_is_refused_once_and_the_next_is_read(
    field: UdpField, reader: ContactlessReader
) -> None:
    with Ear(reader) as ear:
        hold(field, Topaz())
        ear.until_told("ready", "stumbled")
        field.remove()
        field.place(make_card("mifare", NUMBER))
        ear.until_told("ready", "stumbled", SAID["mifare"])


def test_a_field_that_dies_is_one_fault_and_comes_back_by_itself() -> None:
    port = free_port()
    with Ear(ContactlessReader(f"udp:127.0.0.1:{port}")) as ear:
        with FieldProcess(port) as process:
            ear.until_told("ready")
            process.signal(signal.SIGKILL)
        ear.until_told("ready", "fault")
        time.sleep(HOLD_S)
        with FieldProcess(port):
            ear.until_told("ready", "fault", "ready")
            assert tap("--field", f"127.0.0.1:{port}", "--kind", "mifare", "--card", NUMBER.hex()).returncode == 0
            ear.until_told("ready", "fault", "ready", SAID["mifare"])


def test_a_reader_that_is_not_there_is_a_fault_and_never_ready() -> None:
    with Ear(ContactlessReader("tty:nfc-that-is-not-there:pn532")) as ear:
        ear.until_told("fault")
        time.sleep(1)
        assert ear.heard == ["fault"]


def test_a_usb_reader_that_is_not_there_is_a_fault() -> None:
    with Ear(ContactlessReader("usb:0001:0001")) as ear:
        ear.until_told("fault")


class BadAir(UdpField):
    """A field that answers each poll with something that makes nfcpy raise, until the air is good again."""

    def __init__(self) -> None:
        super().__init__()
        self.good = threading.Event()

    def reply(self, data: bytes) -> bytes:
        """As the field does, once the air is good."""
        return super().reply(data) if self.good.is_set() else data.partition(b" ")[0] + b" zz"


def test_errors_without_a_card_are_the_readers_fault_until_they_end() -> None:
    field = BadAir()
    field.start()
    try:
        with Ear(ContactlessReader(field.path)) as ear:
            ear.until_told("fault")
            field.good.set()
            ear.until_told("fault", "ready")
            field.place(make_card("mifare", NUMBER))
            ear.until_told("fault", "ready", SAID["mifare"])
    finally:
        field.stop()


def test_what_nfcpy_logs_about_cards_stays_out_of_the_log(
    field: UdpField, reader: ContactlessReader, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with Ear(reader) as ear:
        hold(field, make_card("mifare", NUMBER))
        ear.until_told("ready", SAID["mifare"])
    assert NUMBER.hex() not in caplog.text.lower()
    assert not [record for record in caplog.records if record.name.startswith("nfc")]


@given(st.binary(max_size=64))
def test_no_datagram_upsets_the_field(data: bytes) -> None:
    served = UdpField()
    try:
        assert isinstance(served.reply(data), bytes)
        assert isinstance(served.reply(ORDER + data), bytes)
    finally:
        served.stop()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
        lambda children: (
            st.lists(children, max_size=3)
            | st.dictionaries(st.sampled_from(["place", "hold_s", "kind", "id"]), children)
        ),
    )
)
@example({"place": [], "hold_s": math.nan})
@example({"place": [], "hold_s": math.inf})
@example({"place": [], "hold_s": 10**400})
@example({"place": [{"kind": "felica", "id": "01"}, {"kind": [], "id": "01"}], "hold_s": 1})
def test_no_order_upsets_the_field(order: object) -> None:
    served = UdpField()
    try:
        assert served.reply(ORDER + json.dumps(order).encode()).startswith(ORDER)
    finally:
        served.stop()


@given(st.lists(st.sampled_from(KINDS), max_size=3), st.sampled_from(["106A", "106B", "212F"]), st.binary(max_size=20))
def test_no_frame_upsets_a_card(kinds: list[str], rate: str, frame: bytes) -> None:
    lying = Field()
    for kind in kinds:
        lying.place(make_card(kind, NUMBER))
    assert isinstance(lying.answer(rate, frame, 0), bytes)


@pytest.mark.parametrize(
    ("kind", "rate", "frame", "answer"),
    [
        ("felica", "212F", "0600fe000000", "1201" + "04a1b2c300000000" + "0120220427678f8f"),
        ("felica", "212F", "0600fe000100", "1401" + "04a1b2c300000000" + "0120220427678f8f" + "fe00"),
        ("felica", "212F", "060012fc0000", ""),  # another system
        ("felica", "212F", "0c060102", ""),
        ("felica", "106A", "26", ""),
        ("ntag", "106A", "52", "4400"),
        ("ntag", "106A", "60", "0004040201001103"),
        ("ntag", "106A", "1b00000000", ""),
        ("mifare", "106A", "9320", "04a1b2c3d4"),
        ("mifare", "106A", "9370ffffffffff", ""),
        ("type4", "106A", "0200a4040007", "026a82"),
        ("type4", "106A", "c2", ""),
        ("typeb", "106B", "0200a4040007", "026a82"),
        ("typeb", "106B", "b2", "a2"),
        ("typeb", "106B", "ca01", "ca01"),
        ("typeb", "106B", "99", ""),
    ],
)
def test_cards_answer_as_their_kind(kind: str, rate: str, frame: str, answer: str) -> None:
    reply = make_card(kind, NUMBER).answer(rate, bytes.fromhex(frame))
    assert (reply or b"").hex() == answer


def test_a_card_goes_when_its_time_is_over() -> None:
    lying = Field()
    lying.place(make_card("mifare", NUMBER), until_ns=10)
    assert lying.answer("106A", b"\x26", 9)
    assert lying.answer("106A", b"\x26", 10) == b""


@pytest.mark.parametrize(
    ("kind", "number", "sentence"),
    [
        ("suica", b"\x01", "card 'suica': expected one of felica, ntag"),
        ("felica", b"", "card number '': a felica card has 1 to 8 bytes"),
        ("mifare", bytes(5), "card number '0000000000': a mifare card has 1 to 4 bytes"),
    ],
)
def test_a_card_that_cannot_be_is_refused_in_words(kind: str, number: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make_card(kind, number)


def test_identify_leaves_no_type_of_nfcpy() -> None:
    import nfc.clf

    target = nfc.clf.RemoteTarget("212F", sensf_res=bytearray.fromhex("01012e4cd8a9b3c4010120220427678f8f"))
    heard = identify(target, 7)
    assert heard.__class__.__name__ == "CardHeard"
    assert type(heard.identifier) is bytes  # type: ignore[union-attr]
