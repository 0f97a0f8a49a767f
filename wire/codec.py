"""Messages to bytes and back: JSON, deflated (zlib) above 512 bytes; the first byte tells which.

JSON here always opens with `{` (0x7b) and a zlib stream with 0x78, so no byte is spent on telling.
"""

import re
import zlib
from typing import Any, TypeVar

import msgspec

from wire.fields import KIND_PATTERN, Spool, Through
from wire.messages import (
    BATCH_BYTES,
    BATCH_PLAIN_BYTES,
    BODY_OF_KIND,
    LANE_OF_KIND,
    RECORDS_PER_BATCH,
    Ack,
    Batch,
    Down,
    Lane,
    Presence,
    Record,
)

PLAIN_BYTES = 512
_ZLIB = 0x78
_KIND = re.compile(KIND_PATTERN)

_encoder = msgspec.json.Encoder()
_batch = msgspec.json.Decoder(Batch)
_ack = msgspec.json.Decoder(Ack)
_presence = msgspec.json.Decoder(Presence)
_down: msgspec.json.Decoder[Down] = msgspec.json.Decoder(Down)
_body = {kind: msgspec.json.Decoder(type_) for kind, type_ in BODY_OF_KIND.items()}
_record = msgspec.json.Decoder(Record)


class Unreadable(Exception):
    """Bytes that are not the message they should be; the text says what was expected, in one line."""


class _Envelope(msgspec.Struct, frozen=True):
    spool: Spool
    lane: Lane
    after: Through
    records: list[msgspec.Raw]
    missing: Through = 0


class Oddity(msgspec.Struct, frozen=True):
    """A record that cannot be read but whose place in the lane is known; `raw` is what came."""

    seq: int
    raw: bytes
    reason: str


class Received(msgspec.Struct, frozen=True):
    """A batch as it came: its envelope, the records that can be read, and those that cannot."""

    batch: Batch
    oddities: tuple[Oddity, ...] = ()

    @property
    def through(self) -> int:
        """The seq of its last record, or `after` when it has none."""
        records, oddities = self.batch.records, self.oddities
        last = records[-1].seq if records else self.batch.after
        return max(last, oddities[-1].seq) if oddities else last


_envelope = msgspec.json.Decoder(_Envelope)


def encode(message: Batch | Ack | Presence | Down) -> bytes:
    """The bytes of a message, deflated when that is worth it."""
    plain = _encoder.encode(message)
    return plain if len(plain) <= PLAIN_BYTES else zlib.compress(plain, 1)


def encode_body(body: msgspec.Struct) -> bytes:
    """The JSON of a record's body, as it is kept in the spool."""
    return _encoder.encode(body)


def encode_record(record: Record) -> bytes:
    """The JSON of one record, as it stands in a batch."""
    return _encoder.encode(record)


def decode_record(raw: bytes) -> Record:
    """One record, as `encode_record` wrote it. Raises Unreadable."""
    return _decode(_record, raw)


def decode_body(kind: str, raw: bytes | msgspec.Raw) -> Any:
    """The body of a known kind, or its plain JSON value for an unknown one. Raises Unreadable."""
    try:
        decoder = _body.get(kind)
        return decoder.decode(raw) if decoder else msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"{kind}: {error}") from error


def decode_batch(data: bytes) -> Received:
    """A batch from the `up` topic. Raises Unreadable when its envelope is not readable or its order wrong."""
    plain = inflate(data)
    try:
        batch = _batch.decode(plain)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _lenient(plain)
    if not all(map(_is_kind, {record.kind for record in batch.records})):
        return _lenient(plain)
    _check_order(batch.after, [record.seq for record in batch.records])
    return Received(batch)


def decode_ack(data: bytes) -> Ack:
    """An ack from the `ack` topic. Raises Unreadable."""
    return _decode(_ack, inflate(data))


def decode_presence(data: bytes) -> Presence:
    """A presence or last will. Raises Unreadable."""
    return _decode(_presence, inflate(data))


def decode_down(data: bytes) -> Down:
    """What the hub sends on the `down` topic. Raises Unreadable."""
    return _decode(_down, inflate(data))


def lane_of(kind: str) -> Lane:
    """The lane that records of a kind travel in."""
    return LANE_OF_KIND.get(kind, "bulk")


_T = TypeVar("_T")


def _decode(decoder: msgspec.json.Decoder[_T], data: bytes) -> _T:
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(str(error)) from error


def inflate(data: bytes) -> bytes:
    """The JSON of a message as it came, plain or deflated. Raises Unreadable when it is too long or broken."""
    if len(data) > BATCH_BYTES:
        raise Unreadable(f"{len(data)} bytes; at most {BATCH_BYTES} are allowed")
    if data[:1] != bytes((_ZLIB,)):
        return data
    inflater = zlib.decompressobj()
    try:
        # One byte more than is allowed: with none to spare zlib would not reach the end of the longest.
        plain = inflater.decompress(data, BATCH_PLAIN_BYTES + 1)
    except zlib.error as error:
        raise Unreadable(f"deflated data is broken: {error}") from error
    if len(plain) > BATCH_PLAIN_BYTES:
        raise Unreadable(f"inflates to more than {BATCH_PLAIN_BYTES} bytes")
    if not inflater.eof or inflater.unused_data:
        raise Unreadable("deflated data is cut off or followed by more")
    return plain


def _lenient(plain: bytes) -> Received:
    """The same batch read record by record: those that cannot be read become oddities."""
    envelope = _decode(_envelope, plain)
    if len(envelope.records) > RECORDS_PER_BATCH:
        raise Unreadable(f"{len(envelope.records)} records; at most {RECORDS_PER_BATCH} are allowed")
    seqs = [_decode(_seq, bytes(raw)).seq for raw in envelope.records]
    _check_order(envelope.after, seqs)
    records: list[Record] = []
    oddities: list[Oddity] = []
    for seq, raw in zip(seqs, envelope.records, strict=True):
        try:
            record = _record.decode(raw)
            if not _is_kind(record.kind):
                raise msgspec.ValidationError(f"kind {record.kind!r} is not of the form {KIND_PATTERN}")
            records.append(record)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            oddities.append(Oddity(seq, bytes(raw), str(error)))
    batch = Batch(envelope.spool, envelope.lane, envelope.after, tuple(records), envelope.missing)
    return Received(batch, tuple(oddities))


def _is_kind(kind: str) -> bool:
    return kind in LANE_OF_KIND or _KIND.fullmatch(kind) is not None


class _SeqOnly(msgspec.Struct, array_like=True, frozen=True):
    seq: Through


_seq = msgspec.json.Decoder(_SeqOnly)


def _check_order(after: int, seqs: list[int]) -> None:
    """Ascending, past `after`: the cursor rule rests on it."""
    for seq in seqs:
        if seq <= after:
            raise Unreadable(f"seq {seq} does not come after {after}")
        after = seq
