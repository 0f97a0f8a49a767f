"""Sealing: only the right key opens, at the right place; any changed byte is refused. And what a roster holds."""

import base64
import zlib

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire.golden import DEVICE, DOWNS, INCARNATION, ROSTER
from tests.wire.golden_keys import HUB, TERMINAL
from wire import codec, roster, sealed, signed, x509
from wire.messages import Roster
from wire.roster import BadRoster, CardKind, RosterCard, RosterContent
from wire.sealed import CannotOpen

KEY, OTHER = x509.make_key(), x509.make_key()
tokens = st.binary(min_size=16, max_size=16).map(bytes.hex)
names = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
keys = st.binary(min_size=32, max_size=32)
contents = st.builds(
    RosterContent,
    keys,
    st.lists(st.builds(RosterCard, tokens, st.sampled_from(["issued", "lost"]), names, names), max_size=20).map(tuple),
    st.lists(st.builds(CardKind, names, st.just("felica"), keys), max_size=3).map(tuple),
)


@given(st.binary(max_size=2000), st.binary(max_size=100))
def test_what_was_sealed_opens_with_its_key_and_place(plain: bytes, about: bytes) -> None:
    closed = sealed.seal(KEY.public_key(), plain, about)
    assert len(closed) == len(plain) + sealed.OVERHEAD_BYTES
    assert sealed.unseal(KEY, closed, about) == plain
    with pytest.raises(CannotOpen):
        sealed.unseal(OTHER, closed, about)
    with pytest.raises(CannotOpen):
        sealed.unseal(KEY, closed, about + b"x")


@given(st.binary(min_size=1, max_size=200), st.data())
def test_any_changed_byte_is_refused(plain: bytes, data: st.DataObject) -> None:
    closed = bytearray(sealed.seal(KEY.public_key(), plain, b"about"))
    at = data.draw(st.integers(0, len(closed) - 1))
    closed[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CannotOpen):
        sealed.unseal(KEY, bytes(closed), b"about")


@given(st.integers(0, 300))
def test_what_is_cut_off_or_longer_is_refused(length: int) -> None:
    closed = sealed.seal(KEY.public_key(), b"x" * 100, b"")
    for other in (closed[: min(length, len(closed) - 1)], closed + b"\0"):
        with pytest.raises(CannotOpen):
            sealed.unseal(KEY, other, b"")


def test_the_short_form_of_the_point_is_refused() -> None:
    closed = sealed.seal(KEY.public_key(), b"x", b"")
    once = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), closed[:65])
    short = once.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    with pytest.raises(CannotOpen):
        sealed.unseal(KEY, short + closed[65:], b"")


def test_a_seal_is_another_each_time() -> None:
    assert len({sealed.seal(KEY.public_key(), b"x", b"") for _ in range(20)}) == 20


@settings(max_examples=200)
@given(contents)
def test_a_roster_is_packed_and_unpacked(content: RosterContent) -> None:
    assert roster.unpack(roster.pack(content)) == content
    assert roster.pack(content) == roster.pack(roster.unpack(roster.pack(content)))


@given(st.binary(max_size=300))
def test_other_bytes_are_no_roster_and_the_sentence_repeats_nothing(data: bytes) -> None:
    for of in (data, zlib.compress(data)):
        with pytest.raises(BadRoster, match=r"not a roster \(\w+\)|whole"):
            roster.unpack(of)


def test_a_roster_is_not_more_than_it_may_be() -> None:
    with pytest.raises(BadRoster, match="at most"):
        roster.unpack(zlib.compress(b" " * (roster.PLAIN_BYTES + 1)))
    good = roster.pack(ROSTER)
    for bad in (good[:-1], good + b"x"):
        with pytest.raises(BadRoster):
            roster.unpack(bad)


def test_a_name_never_stands_in_an_error() -> None:
    bad = zlib.compress(msgspec.json.encode({"card_key": "AAAA", "cards": [["山田花子"]]}))
    with pytest.raises(BadRoster) as caught:
        roster.unpack(bad)
    assert "山田" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_golden_roster_opens_and_is_signed() -> None:
    message = DOWNS["down-roster.json"]
    assert isinstance(message, Roster)
    HUB.public_key().verify(
        base64.urlsafe_b64decode(message.signature + "=="),
        signed.roster_bytes(DEVICE, INCARNATION, 7, message.sealed),
    )
    raw = base64.urlsafe_b64decode(message.sealed + "=" * (-len(message.sealed) % 4))
    place = signed.roster_place_bytes(DEVICE, INCARNATION, 7)
    assert roster.unpack(sealed.unseal(TERMINAL, raw, place)) == ROSTER
    for other in (("terminal-2", INCARNATION, 7), (DEVICE, "x", 7), (DEVICE, INCARNATION, 8)):
        with pytest.raises(CannotOpen):
            sealed.unseal(TERMINAL, raw, signed.roster_place_bytes(*other))


def test_nothing_of_it_is_readable_on_the_way() -> None:
    wire = codec.inflate(codec.encode(DOWNS["down-roster.json"]))
    for secret in ("山田", ROSTER.cards[0].token, base64.b64encode(ROSTER.card_key).decode()):
        assert secret.encode() not in wire
