"""Serial frames: what is found in any noise, and what must never be taken for a card."""

from functools import reduce
from operator import xor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.attendance.readers.frames import LONGEST_BYTES, SHORTEST_BYTES, Checksum, FrameParser
from tests.readers.known import framed

numbers = st.binary(min_size=SHORTEST_BYTES, max_size=LONGEST_BYTES)
checksums: st.SearchStrategy[Checksum] = st.sampled_from(["xor", "none"])
# Noise that looks like the thing itself is the worst of all.
noise = st.binary(max_size=80) | st.text("\x02\x03\r\n0123456789ABCDEFabcdefG", max_size=160).map(str.encode)


@given(checksums, noise, numbers, noise, st.sampled_from([b"", b"\r\n"]))
def test_a_good_frame_is_found_in_any_noise(
    checksum: Checksum, before: bytes, number: bytes, after: bytes, ends: bytes
) -> None:
    assert number in FrameParser(checksum).feed(before + framed(number, checksum, ends=ends) + after)


@given(noise, numbers, st.sampled_from([b"\r", b"\n", b"\r\n"]), noise)
def test_a_good_line_is_found_in_any_noise(before: bytes, number: bytes, end: bytes, after: bytes) -> None:
    assert number in FrameParser("none").feed(before + end + number.hex().encode() + end + after)


@given(checksums, st.lists(noise, max_size=6))
def test_the_pieces_do_not_matter(checksum: Checksum, pieces: list[bytes]) -> None:
    whole, bit_by_bit = FrameParser(checksum), FrameParser(checksum)
    assert whole.feed(b"".join(pieces)) == [number for piece in pieces for number in bit_by_bit.feed(piece)]


@given(checksums, noise)
def test_noise_never_raises_and_gives_no_odd_number(checksum: Checksum, data: bytes) -> None:
    for number in FrameParser(checksum).feed(data):
        assert SHORTEST_BYTES <= len(number) <= LONGEST_BYTES
        assert number.hex().encode() in data.lower()


@given(numbers, st.integers(min_value=1, max_value=255), st.data())
def test_one_wrong_byte_is_dropped(number: bytes, error: int, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(number) - 1))
    wrong = bytearray(number)
    wrong[at] ^= error
    frame = b"\x02" + (bytes(wrong) + bytes([reduce(xor, number)])).hex().encode() + b"\x03"
    assert FrameParser("xor").feed(frame) == []


@pytest.mark.parametrize(
    ("checksum", "heard", "found"),
    [
        # RDM6300: the manual's own example of the form
        ("xor", b"\x0262E3086CED08\x03", ["62e3086ced"]),
        ("xor", b"\x02010203040505\r\n\x03", []),
        ("xor", b"\x02010203040501\r\n\x03", ["0102030405"]),
        ("xor", b"\x02AAAA\x02010203040501\x03", ["0102030405"]),
        ("xor", b"0102030405\r\n", []),
        ("xor", b"\x020000\x03", []),
        ("none", b"04A1B2C3\r\n04A1B2C4\r", ["04a1b2c3", "04a1b2c4"]),
        ("none", b"\x0204a1b2c3\x03", ["04a1b2c3"]),
        ("none", b"04a1b2c3\x03", []),
        ("none", b"04a1b2c\r", []),
        ("none", b"0102\r", []),
        # half a number is another card's: a hole, or a digit too many, spoils the line
        ("none", b"04a1b2c3xx04a1b2c4\r", []),
        ("none", b"0" * 67 + b"04a1b2c3\r", []),
        ("none", b"\x02" + b"0" * 67 + b"04a1b2c3\x03", []),
        ("none", b"\x02zz\r04a1b2c3\r", ["04a1b2c3"]),
        ("none", b"\x02\r\n04a1b2c3\r", ["04a1b2c3"]),
        ("none", b"\r\n\r\n", []),
    ],
)
def test_forms(checksum: Checksum, heard: bytes, found: list[str]) -> None:
    assert [number.hex() for number in FrameParser(checksum).feed(heard)] == found
