"""Serial readers: pyserial on a pseudo terminal, with a reader that speaks at the other end."""

import os
import threading
import time
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest
import serial

from edge_agent.attendance.readers.choose import make_reader
from edge_agent.attendance.readers.frames import Checksum
from edge_agent.attendance.readers.lines import LineReader
from edge_agent.settings import ReaderSettings
from tests.readers.ear import Ear, rest, signs
from tests.readers.known import HOLD_S, framed

NUMBER = bytes.fromhex("62e3086ced")
TOLD = f"serial {NUMBER.hex()}"


class SerialSimulator:
    """A reader at the far end of a serial line, under a name that stays when it is plugged in again."""

    def __init__(self, folder: Path) -> None:
        self.name = folder / "ttyUSB0"
        self._ends: tuple[int, int] | None = None

    def plug(self) -> None:
        """Plugs it in."""
        master, slave = os.openpty()
        tty.setraw(slave)
        # The near end stays open here as well, so that the line outlives a reader that closes it.
        self._ends = (master, slave)
        self.name.symlink_to(os.ttyname(slave))

    def pull(self) -> None:
        """Pulls it out."""
        self.name.unlink(missing_ok=True)
        for end in self._ends or ():
            os.close(end)
        self._ends = None

    def say(self, data: bytes) -> None:
        """Sends bytes, as many as the line takes."""
        assert self._ends is not None
        while data:
            data = data[os.write(self._ends[0], data) :]


@pytest.fixture
def line(tmp_path: Path) -> Iterator[SerialSimulator]:
    """A reader that is plugged in."""
    simulator = SerialSimulator(tmp_path)
    simulator.plug()
    yield simulator
    simulator.pull()


def reader_of(line: SerialSimulator, checksum: Checksum = "xor") -> LineReader:
    """The terminal's reader at the near end."""
    reader = make_reader(ReaderSettings(reader=f"serial:{line.name}", serial_checksum=checksum))
    assert isinstance(reader, LineReader)
    return reader


def test_frames_are_heard_and_noise_is_not(line: SerialSimulator) -> None:
    with Ear(reader_of(line)) as ear:
        ear.until_told("ready")  # what was said before is stale, and dropped
        line.say(framed(NUMBER, "xor"))
        ear.until_told("ready", TOLD)
        line.say(b"\x0262E3086CED09\x03")  # wrong sum
        line.say(b"\x0262E3" + framed(b"\x01\x02\x03\x04\x05", "xor", ends=b"\r\n"))  # cut short, then a whole one
        ear.until_told("ready", TOLD, "serial 0102030405")
        line.say(b"\x02" + b"0" * 5000 + b"\x03\xff\x00zz" + framed(b"\x01\x02\x03\x04\x06", "xor"))
        ear.until_told("ready", TOLD, "serial 0102030405", "serial 0102030406")


def test_lines_are_heard(line: SerialSimulator) -> None:
    with Ear(reader_of(line, "none")) as ear:
        ear.until_told("ready")
        line.say(b"62E3086CED\r\n01020304\n05060708\r\x0204a1b2c3\x03")
        ear.until_told("ready", TOLD, "serial 01020304", "serial 05060708", "serial 04a1b2c3")


def test_a_frame_in_pieces_is_heard(line: SerialSimulator) -> None:
    reader = reader_of(line)
    frame = framed(NUMBER, "xor")
    with Ear(reader) as ear:
        ear.until_told("ready")
        for piece in (frame[:1], frame[1:6], frame[6:]):
            line.say(piece)
            signs(reader, 2)
        ear.until_told("ready", TOLD)


def test_a_card_that_is_repeated_while_it_lies_there_is_one_tap(line: SerialSimulator) -> None:
    reader = reader_of(line)
    with Ear(reader) as ear:
        held = threading.Event()

        def hold() -> None:
            while not held.wait(0.05):
                line.say(framed(NUMBER, "xor"))

        thread = threading.Thread(target=hold)
        thread.start()
        ear.until_told("ready", TOLD)
        time.sleep(HOLD_S)
        signs(reader, 3)
        held.set()
        thread.join()
        assert ear.heard == ["ready", TOLD]
        rest(reader)
        line.say(framed(NUMBER, "xor"))
        ear.until_told("ready", TOLD, TOLD)


def test_a_reader_that_is_pulled_out_and_plugged_in_again_works_on(line: SerialSimulator) -> None:
    with Ear(reader_of(line)) as ear:
        ear.until_told("ready")
        line.pull()
        ear.until_told("ready", "fault")
        time.sleep(HOLD_S)
        line.plug()
        ear.until_told("ready", "fault", "ready")
        line.say(framed(NUMBER, "xor"))
        ear.until_told("ready", "fault", "ready", TOLD)


def test_noise_without_an_end_does_not_keep_the_reader_from_ending(line: SerialSimulator) -> None:
    reader = reader_of(line)
    done = threading.Event()

    def babble() -> None:
        while not done.wait(0.001):
            line.say(b"\xff" * 32)

    thread = threading.Thread(target=babble)
    with Ear(reader) as ear:
        ear.until_told("ready")
        thread.start()
        signs(reader, 3)
        ear.stop()
    done.set()
    thread.join()


def test_a_line_that_another_program_holds_is_a_fault(line: SerialSimulator) -> None:
    with serial.Serial(str(line.name), exclusive=True), Ear(reader_of(line)) as ear:
        ear.until_told("fault")
