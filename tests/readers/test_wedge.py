"""Keyboard wedges: keys into numbers, and a keyboard that is there, is taken, goes and comes back."""

import os
import string
import threading
from collections import deque
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.attendance.readers.lines import LineReader, Typed, WedgeLine
from tests.readers.ear import Ear, rest, signs, wait_until

evdev = pytest.importorskip("evdev", reason="evdev is not installed (the optional part machinaka[wedge])")
from evdev import InputEvent, ecodes  # noqa: E402

hex_digits = st.text(string.digits + "ABCDEF", min_size=1, max_size=32)


def keys(text: str) -> list[str]:
    """The keys that a wedge presses for a text."""
    return ["KEY_ENTER" if one == "\n" else f"KEY_{one}" for one in text]


def numbers(typed: Typed, text: str) -> list[str]:
    """What comes of pressing them."""
    return [number.hex() for key in keys(text) if (number := typed.press(key)) is not None]


@given(st.lists(hex_digits, max_size=5))
def test_digits_up_to_enter_are_a_number(texts: list[str]) -> None:
    expected = [text.lower().rjust(len(text) + len(text) % 2, "0") for text in texts]
    assert numbers(Typed(), "".join(text + "\n" for text in texts)) == expected


@given(st.lists(st.sampled_from([*ecodes.keys.values(), "KEY_1", "KEY_A", "KEY_ENTER", ""]), max_size=80), hex_digits)
def test_no_key_upsets_it_and_the_next_number_is_right(pressed: list[str | tuple[str, ...]], text: str) -> None:
    typed = Typed()
    for key in pressed:
        typed.press(key if isinstance(key, str) else key[0])
    typed.press("KEY_ENTER")
    assert len(numbers(typed, text + "\n")) == 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("04A1B2C3\n", ["04a1b2c3"]),
        ("0012345678\n", ["0012345678"]),
        ("123456789\n", ["0123456789"]),
        ("\n\n", []),
        ("1" * 33 + "\n", []),
        ("1" * 33 + "\n04A1B2C3\n", ["04a1b2c3"]),
    ],
)
def test_forms(text: str, found: list[str]) -> None:
    assert numbers(Typed(), text) == found


def test_the_keys_of_the_number_pad_count() -> None:
    typed = Typed()
    for key in ("KEY_KP1", "KEY_KP2"):
        assert typed.press(key) is None
    assert typed.press("KEY_KPENTER") == b"\x12"


def test_what_was_typed_before_a_pause_and_what_lost_keys_is_no_number() -> None:
    typed = Typed()
    numbers(typed, "0102")
    typed.forget()
    assert numbers(typed, "0304\n") == ["0304"]
    numbers(typed, "01")
    typed.lost()
    assert numbers(typed, "0304\n0506\n") == ["0506"]


class Keyboard:
    """What evdev.InputDevice is to a reader: a file that can be waited for, grabbed and read."""

    def __init__(self, *, taken: bool = False) -> None:
        self._near, self._far = os.pipe()
        self._events: deque[InputEvent] = deque()
        self._lock = threading.Lock()
        self._taken = taken
        self.grabbed = self.closed = self._gone = False

    def fileno(self) -> int:
        """The file to wait for."""
        return self._near

    def grab(self) -> None:
        """Takes it for this program alone."""
        if self._taken:
            raise OSError(16, "Device or resource busy")
        self.grabbed = True

    def read(self) -> Iterator[InputEvent]:
        """The events that wait; raises as the kernel does when the keyboard was pulled out."""
        with self._lock:
            os.read(self._near, 4096)
            events = list(self._events)
            self._events.clear()
        if self._gone:
            raise OSError(19, "No such device")
        if not events:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return iter(events)

    def close(self) -> None:
        """Lets go of it."""
        if not self.closed:
            os.close(self._near)
            os.close(self._far)
        self.closed = True

    # ---- the hand

    def press(self, key: str) -> None:
        """A key goes down, repeats and goes up, each with the event that ends a report."""
        code = ecodes.ecodes[key]
        self.send(
            *((kind, at, value) for value in (1, 2, 0) for kind, at in ((ecodes.EV_KEY, code), (ecodes.EV_SYN, 0)))
        )

    def type(self, text: str) -> None:
        """Types a text."""
        for key in keys(text):
            self.press(key)

    def send(self, *events: tuple[int, int, int]) -> None:
        """Raw events."""
        with self._lock:
            self._events.extend(InputEvent(0, 0, kind, code, value) for kind, code, value in events)
            os.write(self._far, b"!")

    def pull(self) -> None:
        """Pulls it out."""
        self._gone = True
        self.send()


class Desk:
    """Where a keyboard is plugged in, or not."""

    def __init__(self) -> None:
        self.plugged: Keyboard | None = None

    def open(self) -> WedgeLine:
        """As opening the device file does."""
        keyboard = self.plugged
        if keyboard is None:
            raise FileNotFoundError(2, "No such file or directory")
        return WedgeLine(keyboard)


@pytest.fixture
def desk() -> Desk:
    """A desk with a keyboard."""
    made = Desk()
    made.plugged = Keyboard()
    return made


def reader_at(desk: Desk) -> LineReader:
    """The terminal's reader."""
    return LineReader("wedge:/dev/input/by-id/reader", "wedge", desk.open)


def test_a_card_is_one_tap_and_another_when_it_comes_again(desk: Desk) -> None:
    reader, keyboard = reader_at(desk), desk.plugged
    assert keyboard is not None
    with Ear(reader) as ear:
        ear.until_told("ready")
        assert keyboard.grabbed
        keyboard.type("04A1B2C3\n04A1B2C3\n")
        ear.until_told("ready", "wedge 04a1b2c3")
        signs(reader, 3)
        assert ear.heard == ["ready", "wedge 04a1b2c3"]
        rest(reader)
        keyboard.type("04A1B2C3\n")
        ear.until_told("ready", "wedge 04a1b2c3", "wedge 04a1b2c3")
    assert keyboard.closed


def test_half_a_number_before_a_pause_is_forgotten(desk: Desk) -> None:
    reader, keyboard = reader_at(desk), desk.plugged
    assert keyboard is not None
    with Ear(reader) as ear:
        keyboard.type("FFFF")
        signs(reader, 4)
        rest(reader)
        keyboard.type("04A1B2C3\n")
        ear.until_told("ready", "wedge 04a1b2c3")


def test_a_number_with_lost_keys_is_dropped(desk: Desk) -> None:
    keyboard = desk.plugged
    assert keyboard is not None
    with Ear(reader_at(desk)) as ear:
        lost = (ecodes.EV_SYN, ecodes.SYN_DROPPED, 0)
        enter = (ecodes.EV_KEY, ecodes.KEY_ENTER, 1)
        digit = (ecodes.EV_KEY, ecodes.KEY_1, 1)
        keyboard.send(digit, digit, lost, digit, digit, enter, digit, digit, digit, digit, enter)
        ear.until_told("ready", "wedge 1111")


def test_a_key_with_several_names_is_no_digit(desk: Desk) -> None:
    keyboard = desk.plugged
    assert keyboard is not None
    with Ear(reader_at(desk)) as ear:
        keyboard.press("KEY_MUTE")
        keyboard.type("04A1B2C3\n")
        ear.until_told("ready", "wedge 04a1b2c3")


def test_a_keyboard_that_is_pulled_out_and_plugged_in_again_works_on(desk: Desk) -> None:
    keyboard = desk.plugged
    assert keyboard is not None
    with Ear(reader_at(desk)) as ear:
        ear.until_told("ready")
        desk.plugged = None
        keyboard.pull()
        ear.until_told("ready", "fault")
        wait_until(lambda: keyboard.closed, "the device to be let go")
        desk.plugged = again = Keyboard()
        ear.until_told("ready", "fault", "ready")
        again.type("04A1B2C3\n")
        ear.until_told("ready", "fault", "ready", "wedge 04a1b2c3")


def test_a_keyboard_that_another_program_holds_is_a_fault_and_is_let_go(desk: Desk) -> None:
    desk.plugged = taken = Keyboard(taken=True)
    with Ear(reader_at(desk)) as ear:
        ear.until_told("fault")
        assert taken.closed
        desk.plugged = Keyboard()
        ear.until_told("fault", "ready")


def test_a_call_without_a_key_is_no_fault(desk: Desk) -> None:
    reader, keyboard = reader_at(desk), desk.plugged
    assert keyboard is not None
    with Ear(reader) as ear:
        ear.until_told("ready")
        keyboard.send()
        signs(reader, 3)
        assert ear.heard == ["ready"]
