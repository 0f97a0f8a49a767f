"""Real nfcpy and the reader's loop over a PN532 on a pseudo terminal."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from edge_agent.attendance.readers import pn532
from edge_agent.attendance.readers.cards import KINDS, make_card
from edge_agent.attendance.readers.contactless import ContactlessReader
from tests.readers.ear import Ear, rest, signs, wait_until
from tests.readers.known import HOLD_S, NUMBER, SAID, TWO_S
from tests.readers.pn532_chip import Pn532

# nfcpy opens the device file once only to look at it, and leaves the rest to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:Exception ignored in.*nfcsim:pytest.PytestUnraisableExceptionWarning")
needs_dev = pytest.mark.skipif(
    not os.access("/dev", os.W_OK), reason="a PN532 needs its name in /dev, which needs root"
)


@pytest.fixture
def chip() -> Iterator[Pn532]:
    """A board that is plugged in."""
    board = Pn532(f"nfcsim{os.getpid()}")
    board.plug()
    yield board
    board.pull()


def open_ports(path: str) -> int:
    """How many files this process holds open at a path."""
    found = 0
    for one in Path("/proc/self/fd").iterdir():
        try:
            found += str(one.readlink()).startswith(path)
        except OSError:  # closed meanwhile
            continue
    return found


@needs_dev
def test_each_kind_tells_what_it_is_once_and_in_order(chip: Pn532) -> None:
    reader = ContactlessReader(chip.path)
    expected = ["ready"]
    with Ear(reader) as ear:
        for at, kind in enumerate(KINDS, start=4):
            number = bytes([at]) + NUMBER[1:]
            chip.place(make_card(kind, number))
            expected.append(SAID[kind].replace(NUMBER.hex(), number.hex()))
            ear.until_told(*expected)
            chip.remove()
            signs(reader, 3)
        assert ear.heard == expected
    assert chip.baud == 115_200, "the reader leaves the chip as it found it"


@needs_dev
def test_a_held_card_is_one_tap_and_another_when_it_comes_again(chip: Pn532) -> None:
    kind = "mifare"  # nfcpy lets go of it at once, and finds it again
    reader = ContactlessReader(chip.path)
    with Ear(reader) as ear:
        chip.place(make_card(kind, NUMBER))
        ear.until_told("ready", SAID[kind])
        time.sleep(HOLD_S)
        signs(reader, 3)
        assert ear.heard == ["ready", SAID[kind]]
        chip.remove()
        rest(reader)
        chip.place(make_card(kind, NUMBER))
        ear.until_told("ready", SAID[kind], SAID[kind])


@needs_dev
@pytest.mark.parametrize("kind", ["felica", "ntag", "type4"])
def test_a_held_card_is_asked_whether_it_is_there_and_not_listed_again(chip: Pn532, kind: str) -> None:
    reader = ContactlessReader(chip.path)
    with Ear(reader) as ear:
        # Not a maker's number that nfcpy looks at twice: it would set the receiver anew by itself.
        chip.place(make_card(kind, b"\x05" + NUMBER[1:]))
        ear.until_told("ready", SAID[kind].replace("04", "05", 1))

        def kept() -> bool:
            before = chip.listings
            signs(reader, 5)
            return chip.listings == before

        wait_until(kept, "the card to be kept")


@needs_dev
@pytest.mark.parametrize("kinds", [("felica", "felica"), ("ntag", "mifare")])
def test_two_cards_are_said_once_and_neither_is_a_tap(chip: Pn532, kinds: tuple[str, str]) -> None:
    reader = ContactlessReader(chip.path)
    with Ear(reader) as ear:
        chip.place(make_card(kinds[0], b"\x01\x01"), make_card(kinds[1], b"\x01\x02"))
        ear.until_told("ready", "two cards")
        time.sleep(TWO_S)
        signs(reader, 3)
        assert ear.heard == ["ready", "two cards"]
        chip.remove()
        rest(reader)
        chip.place(make_card("felica", NUMBER))
        ear.until_told("ready", "two cards", SAID["felica"])


@needs_dev
def test_a_chip_that_hangs_is_one_fault_until_it_answers_again(chip: Pn532) -> None:
    with Ear(ContactlessReader(chip.path)) as ear:
        ear.until_told("ready")
        chip.hangs = True
        ear.until_told("ready", "fault")
        # It was left at the higher rate: coming back needs it to be set back.
        assert chip.baud != 115_200
        time.sleep(HOLD_S)
        chip.hangs = False
        ear.until_told("ready", "fault", "ready")
        chip.place(make_card("mifare", NUMBER))
        ear.until_told("ready", "fault", "ready", SAID["mifare"])


@needs_dev
def test_a_board_that_is_pulled_out_and_plugged_in_again_works_on(chip: Pn532) -> None:
    with Ear(ContactlessReader(chip.path)) as ear:
        ear.until_told("ready")
        port = str(Path(pn532.device_file(chip.path)).readlink())
        chip.pull()
        ear.until_told("ready", "fault")
        wait_until(lambda: open_ports(port) == 0, "the port to be let go")
        chip.plug()
        ear.until_told("ready", "fault", "ready")
        chip.place(make_card("felica", NUMBER))
        ear.until_told("ready", "fault", "ready", SAID["felica"])


@needs_dev
@pytest.mark.parametrize("left_at", [921_600, 460_800, 230_400])
def test_a_chip_left_at_a_higher_rate_is_set_back(chip: Pn532, left_at: int) -> None:
    chip.baud = left_at
    assert pn532.recover(chip.path)
    wait_until(lambda: chip.baud == 115_200, "the usual rate")
    assert not pn532.recover(chip.path), "nothing is to be done for a chip that answers"


@needs_dev
def test_a_chip_left_at_a_higher_rate_is_ready_without_a_hand(chip: Pn532) -> None:
    chip.baud = 921_600
    with Ear(ContactlessReader(chip.path)) as ear:
        ear.until_told("ready")


@needs_dev
def test_a_port_that_somebody_else_holds_is_not_recovered(chip: Pn532) -> None:
    chip.baud = 921_600
    with serial.Serial(pn532.device_file(chip.path), 921_600, exclusive=True):
        assert not pn532.recover(chip.path)


@pytest.mark.parametrize("path", ["usb", "udp:127.0.0.1:47000", "tty:USB0:arygon", "tty:nfc-that-is-not-there:pn532"])
def test_other_readers_are_left_alone(path: str) -> None:
    assert not pn532.recover(path)


@pytest.mark.parametrize(
    ("path", "file"),
    [
        ("tty:USB0:pn532", "/dev/ttyUSB0"),
        ("tty:AMA0:pn532", "/dev/ttyAMA0"),
        ("tty:S0:pn532", "/dev/ttyS0"),
        ("tty:ACM12:pn532", "/dev/ttyACM12"),
        ("tty:nfc0:pn532", "/dev/nfc0"),
    ],
)
def test_the_device_file_is_the_one_that_nfcpy_opens(path: str, file: str) -> None:
    assert pn532.device_file(path) == file
