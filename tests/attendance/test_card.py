"""A card's token: the same card is the same, nothing leads back, and another town sees another card."""

import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.attendance import card
from wire import codec
from wire.messages import Punch

_keys = st.binary(min_size=card.KEY_BYTES, max_size=card.KEY_BYTES)
_numbers = st.binary(min_size=1, max_size=16)


def _hmac_by_hand(key: bytes, message: bytes) -> str:
    """RFC 2104, section 2, with SHA-256's block of 64 bytes."""
    padded = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in padded) + message).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in padded) + inner).hexdigest()


@given(_keys, _numbers)
def test_a_token_is_a_keyed_hash_that_the_wire_takes(key: bytes, number: bytes) -> None:
    token = card.token(key, number)
    assert token == _hmac_by_hand(key, number)[:32]
    assert codec.decode_body("punch", codec.encode_body(Punch(token, "clock_in"))).card == token


@given(_keys, _keys, _numbers, _numbers)
def test_cards_and_keys_do_not_meet(key: bytes, other_key: bytes, number: bytes, other: bytes) -> None:
    assert (card.token(key, number) == card.token(key, other)) == (number == other)
    assert (card.token(key, number) == card.token(other_key, number)) == (key == other_key)


@given(_keys, st.binary(min_size=4, max_size=16))
def test_the_number_is_not_in_the_token(key: bytes, number: bytes) -> None:
    assert number.hex() not in card.token(key, number)


@pytest.mark.parametrize("key", [b"", b"k" * 31, b"k" * 33])
def test_a_key_of_another_length_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match=re.escape(f"the card key has {len(key)} bytes, not 32")):
        card.token(key, b"number")


def test_a_card_without_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="a card without a number"):
        card.token(b"k" * 32, b"")
