"""Messages to bytes and back; and whatever else comes is Unreadable, never anything worse."""

import os
import zlib
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.wire import drawn
from tests.wire.golden import BATCHES, DOWNS, payload, value
from wire import codec
from wire.codec import Unreadable
from wire.messages import (
    BATCH_BYTES,
    BATCH_PLAIN_BYTES,
    BODY_OF_KIND,
    INT64_MAX,
    LANE_OF_KIND,
    RECORDS_PER_BATCH,
    Ack,
    Batch,
    Down,
    Presence,
    Record,
)

SPOOL = "0123456789abcdef"
HEAD = f'{{"spool":"{SPOOL}","lane":"bulk","after":0,"records":['.encode()
READERS: tuple[Callable[[bytes], object], ...] = (
    codec.decode_batch,
    codec.decode_ack,
    codec.decode_presence,
    codec.decode_down,
)
GOOD = b'[%d,"alarm","b",1,2,"synced",{"name":"x","state":"begun"}]'


def of(*records: bytes) -> bytes:
    """A batch of these records, as they are."""
    return HEAD + b",".join(records) + b"]}"


def padded(length: int) -> bytes:
    """A good batch of exactly so many bytes of JSON."""
    return of() + b" " * (length - len(of()))


# ---- round trips


@given(drawn.batches())
def test_a_batch_comes_back(batch: Batch) -> None:
    received = codec.decode_batch(codec.encode(batch))
    assert received.oddities == ()
    assert (received.batch.spool, received.batch.lane) == (batch.spool, batch.lane)
    assert (received.batch.after, received.batch.missing) == (batch.after, batch.missing)
    assert [_plain(record) for record in received.batch.records] == [_plain(record) for record in batch.records]
    assert received.through == (batch.records[-1].seq if batch.records else batch.after)


def _plain(record: Record) -> tuple[Any, ...]:
    return (*msgspec.structs.astuple(record)[:6], bytes(record.body))


@given(drawn.acks)
def test_an_ack_comes_back(ack: Ack) -> None:
    assert codec.decode_ack(codec.encode(ack)) == ack


@given(drawn.presences)
def test_a_presence_comes_back(presence: Presence) -> None:
    assert codec.decode_presence(codec.encode(presence)) == presence


@given(drawn.downs)
def test_what_goes_down_comes_back_as_what_it_was(message: Down) -> None:
    read = codec.decode_down(codec.encode(message))
    assert read == message
    assert type(read) is type(message)


@pytest.mark.parametrize("what", ["", "Order", "orders", "ack", None, 7, ["order"]])
def test_a_message_down_of_no_known_kind_is_unreadable(what: object) -> None:
    for name in DOWNS:
        with pytest.raises(Unreadable, match="what"):
            codec.decode_down(msgspec.json.encode({**value(name), "what": what}))


@given(st.data())
@pytest.mark.parametrize("kind", sorted(BODY_OF_KIND))
def test_a_body_comes_back(kind: str, data: st.DataObject) -> None:
    body = data.draw(drawn.BODIES[kind])
    assert codec.decode_body(kind, codec.encode_body(body)) == body


@given(drawn.unknown_bodies)
def test_a_body_of_an_unknown_kind_is_its_plain_value(kind_and_body: tuple[str, bytes]) -> None:
    kind, body = kind_and_body
    assert codec.decode_body(kind, body) == msgspec.json.decode(body)
    assert codec.decode_body(kind, msgspec.Raw(body)) == msgspec.json.decode(body)


def test_only_what_is_long_is_deflated() -> None:
    short, long = Presence(True, "b", 1), Presence(True, "b" * 200, 1, "v" * 200, "k" * 200)
    assert codec.encode(short)[:1] == b"{"
    assert codec.encode(long)[:1] == b"\x78"
    assert len(codec.encode(long)) < codec.PLAIN_BYTES
    assert codec.decode_presence(codec.encode(long)) == long


# ---- limits


@pytest.mark.parametrize("length", [len(of()), BATCH_BYTES - 1, BATCH_BYTES])
def test_plain_bytes_up_to_the_limit_are_read(length: int) -> None:
    assert codec.decode_batch(padded(length)).batch.records == ()


@pytest.mark.parametrize("read", READERS)
def test_more_bytes_than_a_message_may_have_are_refused_before_they_are_read(read: Callable[[bytes], object]) -> None:
    with pytest.raises(Unreadable, match=f"{BATCH_BYTES + 1} bytes; at most {BATCH_BYTES}"):
        read(padded(BATCH_BYTES + 1))


@pytest.mark.parametrize("length", [BATCH_PLAIN_BYTES - 1, BATCH_PLAIN_BYTES])
def test_a_deflated_batch_may_inflate_to_the_limit(length: int) -> None:
    assert codec.decode_batch(zlib.compress(padded(length))).batch.records == ()


@pytest.mark.parametrize("length", [BATCH_PLAIN_BYTES + 1, 50 * BATCH_PLAIN_BYTES])
def test_a_bomb_is_refused(length: int) -> None:
    bomb = zlib.compress(padded(length), 9)
    assert len(bomb) <= BATCH_BYTES
    with pytest.raises(Unreadable, match=f"more than {BATCH_PLAIN_BYTES} bytes"):
        codec.decode_batch(bomb)


def test_deflated_data_is_whole_and_alone() -> None:
    good = payload("batch-deflated.hex")
    for length in range(1, len(good)):
        with pytest.raises(Unreadable):
            codec.decode_batch(good[:length])
    for trailing in (b"\x00", b"{}", good):
        with pytest.raises(Unreadable, match="followed by more"):
            codec.decode_batch(good + trailing)
    with pytest.raises(Unreadable, match="broken"):
        codec.decode_batch(good[:-4] + b"sum!")


def test_a_record_too_many_is_refused() -> None:
    most = [GOOD % seq for seq in range(1, RECORDS_PER_BATCH + 2)]
    assert len(codec.decode_batch(zlib.compress(of(*most[:-1]))).batch.records) == RECORDS_PER_BATCH
    with pytest.raises(Unreadable, match=f"{RECORDS_PER_BATCH + 1} records; at most {RECORDS_PER_BATCH}"):
        codec.decode_batch(zlib.compress(of(*most)))


@pytest.mark.parametrize("seq", [b"0", b"-1", str(INT64_MAX + 1).encode(), b"1.5", b'"1"', b"null"])
def test_a_record_without_a_place_makes_the_batch_unreadable(seq: bytes) -> None:
    with pytest.raises(Unreadable):
        codec.decode_batch(of(b'[%b,"alarm","b",1,2,"synced",{}]' % seq))


def test_the_highest_seq_is_read() -> None:
    assert codec.decode_batch(of(GOOD % INT64_MAX)).through == INT64_MAX


# ---- order


@pytest.mark.parametrize("bad", [(2, 1), (1, 1), (1, 3, 2)])
@pytest.mark.parametrize("odd", [False, True])
def test_records_come_in_ascending_order_readable_or_not(bad: tuple[int, ...], odd: bool) -> None:
    shape = b'[%d,"Alarm"]' if odd else GOOD
    with pytest.raises(Unreadable, match="does not come after"):
        codec.decode_batch(of(*(shape % seq for seq in bad)))


@given(st.integers(0, 5), st.lists(st.integers(1, 12), max_size=5))
def test_order_is_read_as_it_is_defined(after: int, seqs: list[int]) -> None:
    data = of(*(GOOD % seq for seq in seqs)).replace(b'"after":0', b'"after":%d' % after)
    if seqs == sorted(set(seqs)) and all(seq > after for seq in seqs):
        assert codec.decode_batch(data).through == max(seqs, default=after)
    else:
        with pytest.raises(Unreadable):
            codec.decode_batch(data)


# ---- one that cannot be read does not hold up the rest

ODD = {
    "kind_in_capitals": b'[2,"Alarm","b",1,2,"synced",{}]',
    "kind_empty": b'[2,"","b",1,2,"synced",{}]',
    "kind_with_a_line_feed": b'[2,"alarm\\n","b",1,2,"synced",{}]',
    "kind_too_long": b'[2,"%b","b",1,2,"synced",{}]' % (b"k" * 33),
    "kind_a_number": b'[2,7,"b",1,2,"synced",{}]',
    "too_short": b'[2,"alarm","b",1,2,"synced"]',
    "only_a_seq": b"[2]",
    "clock_unheard_of": b'[2,"alarm","b",1,2,"atomic",{}]',
    "boot_too_long": b'[2,"alarm","%b",1,2,"synced",{}]' % (b"b" * 201),
    "boot_not_utf8": b'[2,"alarm","\xff",1,2,"synced",{}]',
    "time_out_of_range": b'[2,"alarm","b",1,9223372036854775808,"synced",{}]',
    "time_a_fraction": b'[2,"alarm","b",1.5,2,"synced",{}]',
}


@pytest.mark.parametrize("name", sorted(ODD))
def test_an_odd_record_is_set_aside_as_it_came(name: str) -> None:
    received = codec.decode_batch(of(GOOD % 1, ODD[name], GOOD % 3))
    assert [record.seq for record in received.batch.records] == [1, 3]
    (oddity,) = received.oddities
    assert (oddity.seq, oddity.raw) == (2, ODD[name])
    assert oddity.reason
    assert received.through == 3


def test_through_is_the_last_record_even_if_that_is_odd() -> None:
    assert codec.decode_batch(of(GOOD % 1, ODD["only_a_seq"])).through == 2
    assert codec.decode_batch(of(ODD["only_a_seq"])).through == 2


@pytest.mark.parametrize("kind", ["a", "a_b", "k" * 32, "unheard_of"])
def test_a_kind_that_fits_the_pattern_is_read_though_nobody_knows_it(kind: str) -> None:
    received = codec.decode_batch(of(b'[1,"%b","b",1,2,"synced",[]]' % kind.encode()))
    assert received.oddities == ()
    assert codec.lane_of(kind) == "bulk"


def test_a_body_that_cannot_be_read_is_still_a_record() -> None:
    """The hub puts it in quarantine; here it stays as it came."""
    received = codec.decode_batch(of(b'[1,"punch","b",1,2,"synced",{"card":7}]'))
    assert received.oddities == ()
    (record,) = received.batch.records
    with pytest.raises(Unreadable, match=r"^punch: "):
        codec.decode_body(record.kind, record.body)


def test_lanes_are_as_the_table_says() -> None:
    assert {kind: codec.lane_of(kind) for kind in LANE_OF_KIND} == LANE_OF_KIND


@pytest.mark.parametrize("ending", ["", "0", "\\n", "\\u0000", " "])
def test_a_card_is_32_digits_and_nothing_after(ending: str) -> None:
    body = f'{{"card":"{"c" * 32}{ending}","direction":"clock_in"}}'.encode()
    if ending:
        with pytest.raises(Unreadable, match="card"):
            codec.decode_body("punch", body)
    else:
        codec.decode_body("punch", body)


# ---- never anything worse than Unreadable


def _try(data: bytes) -> None:
    for read in READERS:
        try:
            found = read(data)
        except Unreadable as error:
            said = str(error)
        else:
            said = "read"
            if isinstance(found, codec.Received):
                _try_bodies(found)
        assert said
        assert "\n" not in said


def _try_bodies(received: codec.Received) -> None:
    seqs = sorted([r.seq for r in received.batch.records] + [o.seq for o in received.oddities])
    assert seqs == sorted(set(seqs))
    assert received.through >= received.batch.after
    for record in received.batch.records:
        try:
            codec.decode_body(record.kind, record.body)
        except Unreadable:
            continue


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    _try(data)
    _try(b"\x78\x9c" + data)
    _try(zlib.compress(data))
    _try(of(data))
    for kind in (*BODY_OF_KIND, "unheard_of"):
        try:
            codec.decode_body(kind, data)
        except Unreadable:
            continue


@settings(max_examples=300)
@given(st.data())
def test_any_mutation_of_a_good_message(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted([*BATCHES, *DOWNS])))
    mutated = bytearray(codec.inflate(payload(name)) if data.draw(st.booleans()) else payload(name))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(mutated)))
        until = at + data.draw(st.integers(0, 5))
        mutated[at:until] = data.draw(
            st.binary(max_size=4) | st.sampled_from([b"[", b"]", b"{", b'"', b",", b"-", b"9"])
        )
    _try(bytes(mutated))
    _try(zlib.compress(bytes(mutated)))


def test_random_bytes_of_every_length() -> None:
    for length in range(0, 4000, 37):
        _try(os.urandom(length))


@pytest.mark.parametrize("depth", [10, 500, 5_000, 400_000])
@pytest.mark.parametrize("brackets", [(b"[", b"]"), (b'{"a":', b"}")])
def test_deep_nesting_is_read_or_refused_and_nothing_falls_over(depth: int, brackets: tuple[bytes, bytes]) -> None:
    deep = brackets[0] * depth + b"1" + brackets[1] * depth
    for data in (deep, of(b'[1,"alarm","b",1,2,"synced",%b]' % deep), of(deep)):
        _try(data)
        _try(zlib.compress(data, 9))
    if depth <= 500:
        assert codec.decode_batch(of(b'[1,"unheard_of","b",1,2,"synced",%b]' % deep)).through == 1
        codec.decode_body("unheard_of", deep)
    else:
        with pytest.raises(Unreadable):
            codec.decode_body("unheard_of", deep)


@pytest.mark.parametrize(
    "raw",
    [
        b"1" * 5_000,
        b"1e999",
        b"-1e999",
        b"NaN",
        b"Infinity",
        b'"\\ud800"',
        b'"\xff"',
        b"",
        b" ",
        b"{}x",
        b"\xef\xbb\xbf{}",
    ],
)
def test_json_that_is_none_is_unreadable(raw: bytes) -> None:
    for kind in ("unheard_of", "punch"):
        with pytest.raises(Unreadable):
            codec.decode_body(kind, raw)


@pytest.mark.parametrize(
    "change",
    [
        (b'"lane":"bulk"', b'"lane":"fast"'),
        (SPOOL.encode(), b"0123456789ABCDEF"),
        (SPOOL.encode(), b"0123456789abcdef0"),
        (SPOOL.encode(), b"0123456789abcdef\\n"),
        (b'"after":0', b'"after":-1'),
        (b'"after":0', b'"after":9223372036854775808'),
        (b'"after":0', b'"after":null'),
        (b'"records":[', b'"records":[7,'),
        (b'"records":[', b'"records":[[],'),
        (b'"records":[', b'"missing":-1,"records":['),
    ],
)
def test_an_envelope_that_is_wrong_is_unreadable(change: tuple[bytes, bytes]) -> None:
    assert change[0] in of(GOOD % 1)
    with pytest.raises(Unreadable):
        codec.decode_batch(of(GOOD % 1).replace(*change))
