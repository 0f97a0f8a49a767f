"""Packets of RADIUS: made and read, believed only with the secret; accounting folds whatever the order."""

import hashlib
import hmac
import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.wifi import accounting, radius
from edge_agent.wifi.accounting import NotAccounting, Told
from edge_agent.wifi.radius import BadPacket
from wire.messages import WifiSession

SECRET = b"a secret of some length"
NEW = WifiSession("0" * 16 + "a" * 16, "b00t", 5, 0, 0, 0, 0, "f" * 32, "2026-11-25", way="staff")


def md5(data: bytes) -> bytes:
    """The protocol's sum."""
    return hashlib.md5(data, usedforsecurity=False).digest()


attributes = st.lists(st.tuples(st.integers(1, 79), st.binary(max_size=253)), max_size=12)


@given(st.sampled_from([radius.ACCOUNTING_REQUEST]), st.integers(0, 255), attributes)
def test_what_is_made_with_the_secret_is_read_with_it(
    code: int, identifier: int, told: list[tuple[int, bytes]]
) -> None:
    data = radius.request(code, identifier, told, SECRET)
    packet = radius.accounting_request(data, SECRET)
    assert packet.identifier == identifier
    assert list(packet.attributes[:-1]) == told
    with pytest.raises(BadPacket):
        radius.accounting_request(data, SECRET + b"x")


@given(attributes, st.data())
def test_no_bit_can_be_changed(told: list[tuple[int, bytes]], data: st.DataObject) -> None:
    made = radius.request(radius.ACCOUNTING_REQUEST, 7, told, SECRET)
    bit = data.draw(st.integers(0, len(made) * 8 - 1))
    changed = bytearray(made)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(BadPacket):
        radius.accounting_request(bytes(changed), SECRET)


@given(st.binary(max_size=300))
def test_bytes_of_anybody_are_a_packet_or_none_and_nothing_else(data: bytes) -> None:
    with pytest.raises(BadPacket):
        radius.accounting_request(data, SECRET)


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_a_packet_of_the_secrets_holder_with_any_attributes_never_breaks_the_reader(one: bytes, two: bytes) -> None:
    told = [(40, one[:4].rjust(4, b"\0")), (44, one), (31, two), (30, two), (42, one), (52, two), (49, two), (55, one)]
    packet = radius.accounting_request(radius.request(4, 1, told, SECRET), SECRET)
    try:
        said = accounting.told(packet)
    except NotAccounting:
        return
    folded = accounting.folded(None, said, NEW, said.event_ms or 0)
    assert msgspec.json.decode(msgspec.json.encode(folded), type=WifiSession) == folded


def test_a_message_authenticator_that_is_wrong_makes_a_packet_nothing() -> None:
    # Written out by hand: the request's own sum is right, the inner one is not.
    body = struct.pack("!BB16s", 80, 18, bytes(16))
    head = struct.pack("!BBH", 4, 9, 38)
    outer = md5(head + bytes(16) + body + SECRET)
    with pytest.raises(BadPacket, match="Message-Authenticator"):
        radius.accounting_request(head + outer + body, SECRET)
    inner = hmac.new(SECRET, head + bytes(16) + body, "md5").digest()
    body = struct.pack("!BB16s", 80, 18, inner)
    outer = md5(head + bytes(16) + body + SECRET)
    assert radius.accounting_request(head + outer + body, SECRET).identifier == 9


def test_an_answer_is_believed_with_the_requests_authenticator_and_the_secret() -> None:
    asked = radius.request(radius.DISCONNECT_REQUEST, 3, [(44, b"00")], SECRET)
    head = struct.pack("!BBH", radius.DISCONNECT_ACK, 3, 20)
    sum_ = md5(head + asked[4:20] + SECRET)
    assert radius.answer(asked, head + sum_, SECRET).code == radius.DISCONNECT_ACK
    for wrong in (head + bytes(16), struct.pack("!BBH", radius.DISCONNECT_ACK, 4, 20) + sum_, b"", head):
        with pytest.raises(BadPacket):
            radius.answer(asked, wrong, SECRET)


def test_the_answer_to_accounting_is_as_rfc_2866_says_and_repeats_what_proxies_put_in() -> None:
    asked = radius.accounting_request(radius.request(4, 200, [(33, b"proxy"), (44, b"x"), (33, b"2")], SECRET), SECRET)
    data = radius.accounting_response(asked, SECRET)
    body = b"\x21\x07proxy\x21\x032"
    head = struct.pack("!BBH", 5, 200, 20 + len(body))
    assert data == head + md5(head + asked.authenticator + body + SECRET) + body


def test_padding_behind_the_length_is_not_the_packets() -> None:
    made = radius.request(4, 1, [(44, b"A")], SECRET)
    assert radius.accounting_request(made + b"padding", SECRET).first(44) == b"A"


def said(status: int, *others: tuple[int, bytes]) -> Told:
    """An accounting request of one session."""
    told = [(40, radius.whole(status)), (44, b"00AB00CD00EF0012"), (31, b"02-00-00-00-00-C1"), *others]
    return accounting.told(radius.accounting_request(radius.request(4, 1, told, SECRET), SECRET))


def test_what_a_stop_says() -> None:
    stop = said(
        2,
        (30, b"02-00-00-00-00-01:\xe7\x94\xba\xe5\xbd\xb9\xe5\xa0\xb4"),
        (42, radius.whole(100)),
        (52, radius.whole(1)),
        (43, radius.whole(7)),
        (46, radius.whole(60)),
        (49, radius.whole(6)),
        (55, radius.whole(1_790_000_000)),
    )
    assert stop == Told(
        "stop",
        "00ab00cd00ef0012",
        0,
        1_790_000_000_000,
        60,
        (1 << 32) + 100,
        7,
        "admin",
        "02:00:00:00:00:c1",
        "町役場",
    )
    assert accounting.acct_name(accounting.session_name(stop.session)) == "00AB00CD00EF0012"
    assert accounting.acct_name("f" * 32) is None


@pytest.mark.parametrize("cause", range(20))
def test_every_cause_is_one_of_ours_and_only_a_stop_has_one(cause: int) -> None:
    assert said(2, (49, radius.whole(cause))).cause in ("user", "idle", "time", "admin", "lost")
    assert said(3, (49, radius.whole(cause))).cause == ""


@pytest.mark.parametrize("session", [b"", b"xyz", b"0123456789abcdef0", b"'; DROP", b"\xff" * 16])
def test_a_session_that_is_none_of_hostapds_is_not_taken(session: bytes) -> None:
    made = radius.request(4, 1, [(40, radius.whole(1)), (44, session)], SECRET)
    with pytest.raises(NotAccounting):
        accounting.told(radius.accounting_request(made, SECRET))


events = st.builds(
    Told,
    st.sampled_from(["start", "interim", "interim", "stop"]),
    st.just("a" * 16),
    event_ms=st.integers(0, 10_000).map(lambda n: n * 1000),
    up_bytes=st.integers(0, 2**40),
    down_bytes=st.integers(0, 2**40),
).map(lambda told: msgspec.structs.replace(told, cause="user" if told.status == "stop" else ""))


@given(st.lists(events, min_size=1, max_size=8))
def test_repeats_change_nothing_and_bytes_never_fall(told: list[Told]) -> None:
    kept: WifiSession | None = None
    for number, one in enumerate(told, start=10):
        before = kept
        new = msgspec.structs.replace(NEW, number=number)
        kept = accounting.folded(before, one, new, one.event_ms or 0)
        assert accounting.folded(kept, one, msgspec.structs.replace(NEW, number=99), one.event_ms or 0) is kept
        assert before is None or kept is before or kept.number > before.number
        assert before is None or not before.cause or (kept.cause, kept.last_ms) == (before.cause, before.last_ms)
    assert kept is not None
    assert kept.up_bytes == max(one.up_bytes for one in told)
    assert kept.down_bytes == max(one.down_bytes for one in told)
    assert bool(kept.cause) == any(one.status == "stop" for one in told)


def test_a_lost_start_is_made_good_and_a_late_interim_does_not_open_a_session_again() -> None:
    stop = Told("stop", "a" * 16, lasted_s=200, up_bytes=900, cause="user")
    ended = accounting.folded(None, stop, NEW, 1_000_000)
    assert (ended.began_ms, ended.last_ms, ended.cause) == (800_000, 1_000_000, "user")
    late = Told("interim", "a" * 16, lasted_s=160, up_bytes=500)
    assert accounting.folded(ended, late, NEW, 960_000) is ended


def test_a_session_that_nobody_tells_of_any_more_ended_at_its_last_sign_of_life() -> None:
    running = msgspec.structs.replace(NEW, last_ms=5000)
    assert accounting.lost(running, 9) == msgspec.structs.replace(running, cause="lost", number=9)
    ended = msgspec.structs.replace(running, cause="user")
    assert accounting.lost(ended, 9) is ended
