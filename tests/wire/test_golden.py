"""One golden file a message: each says what the types say, and the types only ever grow."""

import copy
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from tests.wire.golden import ACKS, BATCHES, BODIES, DOWNS, FOLDER, PRESENCES, payload, plain, same, value
from wire import codec
from wire.messages import (
    BODY_OF_KIND,
    LANE_OF_KIND,
    Ack,
    Batch,
    Certificate,
    Desired,
    Drift,
    Grant,
    Held,
    Interface,
    Kit,
    Network,
    Order,
    Paper,
    Presence,
    ProcessState,
    Roam,
    Roster,
    SelfCheck,
)
from wire.tablet import Modem

# The fields that must be there, for ever: one more would shut out every device in the field, one less
# would let a device leave out what older hubs need.
REQUIRED: dict[type[msgspec.Struct], tuple[str, ...]] = {
    Batch: ("spool", "lane", "after", "records"),
    Ack: ("spool", "lane", "through"),
    Presence: ("online", "boot", "connection"),
    BODY_OF_KIND["punch"]: ("card", "direction"),
    BODY_OF_KIND["health"]: (
        "cpu_permille",
        "memory_total",
        "memory_available",
        "disk_total",
        "disk_free",
        "uptime_s",
    ),
    ProcessState: ("name", "state"),
    BODY_OF_KIND["usage"]: ("interfaces",),
    Interface: ("name", "rx_bytes", "tx_bytes"),
    BODY_OF_KIND["clock"]: ("wall_ms", "mono_ms"),
    BODY_OF_KIND["dropped"]: ("counts", "lane", "first_seq", "last_seq"),
    BODY_OF_KIND["alarm"]: ("name", "state"),
    BODY_OF_KIND["reported"]: ("incarnation", "seen", "applied", "result"),
    Drift: ("key", "wanted", "found"),
    BODY_OF_KIND["roster_report"]: ("incarnation", "generation"),
    BODY_OF_KIND["result"]: ("order", "state"),
    BODY_OF_KIND["bundle"]: ("order", "part", "parts", "data"),
    BODY_OF_KIND["renewal"]: ("request",),
    BODY_OF_KIND["inventory"]: (),
    Desired: ("incarnation", "generation", "document", "signature"),
    Order: ("id", "name", "arguments", "not_after_ms", "nonce", "signature"),
    BODY_OF_KIND["wifi_session"]: (
        "session",
        "boot",
        "number",
        "began_ms",
        "last_ms",
        "up_bytes",
        "down_bytes",
        "guest",
        "day",
    ),
    BODY_OF_KIND["consent"]: ("session", "terms", "language"),
    BODY_OF_KIND["wifi_state"]: ("mode",),
    Network: ("name", "on_air"),
    SelfCheck: ("name", "ok", "at_ms"),
    BODY_OF_KIND["disaster_report"]: ("run", "state", "by"),
    BODY_OF_KIND["kit_report"]: ("incarnation", "generation"),
    BODY_OF_KIND["paper_report"]: ("kind", "incarnation", "generation"),
    BODY_OF_KIND["tablet_state"]: (),
    Modem: ("interface",),
    Held: ("kind", "incarnation", "generation"),
    BODY_OF_KIND["content"]: ("item", "what"),
    BODY_OF_KIND["answer"]: ("item", "answers"),
    BODY_OF_KIND["help_ask"]: ("ask",),
    BODY_OF_KIND["benefit_use"]: ("use", "allowance", "units", "used"),
    Paper: ("kind", "incarnation", "generation", "sealed", "signature"),
    Certificate: ("chain",),
    Kit: ("incarnation", "generation", "sealed", "signature"),
    Grant: ("origin", "guest", "day", "ends_ms"),
    Roam: ("grants", "made_ms", "signature"),
    Roster: ("incarnation", "generation", "sealed", "signature"),
}
JSON_BATCHES = sorted(name for name in BATCHES if name.endswith(".json"))


def test_every_message_and_kind_has_a_golden_file_and_no_file_is_idle() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == sorted([*BATCHES, *ACKS, *PRESENCES, *DOWNS])
    assert set(BODIES) == set(BODY_OF_KIND)
    assert set(BODY_OF_KIND) <= set(LANE_OF_KIND)


@pytest.mark.parametrize("name", sorted(BATCHES))
def test_a_batch_reads_as_its_types_and_writes_as_it_was(name: str) -> None:
    received = codec.decode_batch(payload(name))
    assert received.oddities == ()
    expected = BATCHES[name]
    assert same(received.batch, expected)
    assert received.through == expected.records[-1].seq
    for record, meant in zip(received.batch.records, expected.records, strict=True):
        body = codec.decode_body(record.kind, record.body)
        assert type(body) is BODY_OF_KIND[record.kind]
        assert body == codec.decode_body(meant.kind, meant.body)
    if name.endswith(".json"):
        assert plain(received.batch) == value(name)


@pytest.mark.parametrize("kind", sorted(BODY_OF_KIND))
def test_bodies_are_the_expected_values(kind: str) -> None:
    batch = codec.decode_batch(payload(f"batch-{kind}.json")).batch
    assert tuple(codec.decode_body(kind, record.body) for record in batch.records) == BODIES[kind]
    assert {record.kind for record in batch.records} == {kind}
    assert batch.lane == codec.lane_of(kind)


def test_the_deflated_batch_is_smaller_and_says_the_same() -> None:
    deflated = payload("batch-deflated.hex")
    assert deflated[0] == 0x78
    assert plain(codec.decode_batch(deflated).batch) == value("batch-mixed.json")
    assert len(deflated) < len(msgspec.json.encode(value("batch-mixed.json")))


def test_the_mixed_batch_mixes_and_the_missing_one_tells() -> None:
    assert len({record.kind for record in BATCHES["batch-mixed.json"].records}) > 2
    assert codec.decode_batch(payload("batch-missing.json")).batch.missing == 2


@pytest.mark.parametrize("name", sorted(ACKS))
def test_an_ack_reads_and_writes_as_it_was(name: str) -> None:
    ack = codec.decode_ack(payload(name))
    assert ack == ACKS[name]
    assert plain(ack) == value(name)


@pytest.mark.parametrize("name", sorted(PRESENCES))
def test_a_presence_reads_and_writes_as_it_was(name: str) -> None:
    presence = codec.decode_presence(payload(name))
    assert presence == PRESENCES[name]
    assert plain(presence) == value(name)


@pytest.mark.parametrize("name", sorted(DOWNS))
def test_a_message_down_reads_and_writes_as_it_was(name: str) -> None:
    message = codec.decode_down(payload(name))
    assert message == DOWNS[name]
    assert plain(message) == value(name)
    assert value(name)["what"] == name.removeprefix("down-").removesuffix(".json")


# ---- growing


def _objects(of: Any, type_: type[msgspec.Struct]) -> Iterator[tuple[type[msgspec.Struct], dict[str, Any]]]:
    """An object and those inside it, each with its type."""
    yield type_, of
    inner: dict[str, type[msgspec.Struct]] = {
        "interfaces": Interface,
        "processes": ProcessState,
        "drift": Drift,
        "networks": Network,
        "checks": SelfCheck,
        "grants": Grant,
        "modems": Modem,
        "papers": Held,
    }
    for field in inner.keys() & of.keys():
        for each in of[field]:
            yield from _objects(each, inner[field])


def _all_objects() -> Iterator[tuple[type[msgspec.Struct], dict[str, Any]]]:
    for name in JSON_BATCHES:
        yield Batch, value(name)
        for record in value(name)["records"]:
            yield from _objects(record[6], BODY_OF_KIND[record[1]])
    for name in ACKS:
        yield Ack, value(name)
    for name in PRESENCES:
        yield from _objects(value(name), Presence)
    for name, message in DOWNS.items():
        yield from _objects({key: each for key, each in value(name).items() if key != "what"}, type(message))


def _field_sets(type_: type[msgspec.Struct]) -> list[set[str]]:
    return [set(found) for each, found in _all_objects() if each is type_]


@pytest.mark.parametrize("type_", list(REQUIRED), ids=lambda type_: type_.__name__)
def test_golden_files_show_every_field_and_the_fewest(type_: type[msgspec.Struct]) -> None:
    """A field that is taken away, added, or made required does not go unnoticed."""
    fields = msgspec.structs.fields(type_)
    assert tuple(field.name for field in fields if field.required) == REQUIRED[type_]
    shown = _field_sets(type_)
    assert {field.name for field in fields} in shown, "no golden file has every field"
    assert set(REQUIRED[type_]) in shown, "no golden file has only the required fields"


def _grown(of: Any) -> Any:
    """The same value as a newer program would send it: each object has a field more, each record an item more."""
    if isinstance(of, dict):
        return {**{key: _grown(each) for key, each in of.items()}, "unheard_of": {"a": [1, None, "b"]}}
    if isinstance(of, list):
        return [_grown(each) for each in of]
    return of


# Not the dropped one: its counts are a table by kind, in which every key is known.
@pytest.mark.parametrize("name", [name for name in JSON_BATCHES if name != "batch-dropped.json"])
def test_unknown_fields_of_a_batch_are_ignored(name: str) -> None:
    grown = _grown(value(name))
    grown["records"] = [[*record, "one more"] for record in grown["records"]]
    received = codec.decode_batch(msgspec.json.encode(grown))
    assert received.oddities == ()
    for record, meant in zip(received.batch.records, BATCHES[name].records, strict=True):
        assert codec.decode_body(record.kind, record.body) == codec.decode_body(meant.kind, meant.body)
    without = msgspec.structs.replace(received.batch, records=BATCHES[name].records)
    assert same(without, BATCHES[name])


def test_unknown_fields_of_a_dropped_body_are_ignored() -> None:
    body = {**value("batch-dropped.json")["records"][0][6], "unheard_of": 1}
    assert codec.decode_body("dropped", msgspec.json.encode(body)) == BODIES["dropped"][0]


def test_unknown_fields_of_acks_and_presences_are_ignored() -> None:
    assert codec.decode_ack(msgspec.json.encode(_grown(value("ack.json")))) == ACKS["ack.json"]
    for name, meant in PRESENCES.items():
        assert codec.decode_presence(msgspec.json.encode(_grown(value(name)))) == meant


@pytest.mark.parametrize("name", sorted(DOWNS))
def test_a_message_down_ignores_unknown_fields_and_needs_all_its_own(name: str) -> None:
    assert codec.decode_down(msgspec.json.encode({**value(name), "unheard_of": {"a": 1}})) == DOWNS[name]
    for field in value(name):
        without = {key: each for key, each in value(name).items() if key != field}
        with pytest.raises(codec.Unreadable, match=field):
            codec.decode_down(msgspec.json.encode(without))


@pytest.mark.parametrize("kind", sorted(BODY_OF_KIND))
def test_each_optional_field_may_be_absent_and_each_required_one_may_not(kind: str) -> None:
    whole = value(f"batch-{kind}.json")["records"][0][6]
    required = REQUIRED[BODY_OF_KIND[kind]]
    for field in whole:
        without = {key: each for key, each in whole.items() if key != field}
        raw = msgspec.json.encode(without)
        if field in required:
            with pytest.raises(codec.Unreadable, match=field):
                codec.decode_body(kind, raw)
        else:
            expected = msgspec.structs.replace(BODIES[kind][0], **{field: _default(BODY_OF_KIND[kind], field)})
            assert codec.decode_body(kind, raw) == expected


def _default(type_: type[msgspec.Struct], field: str) -> Any:
    (found,) = [each for each in msgspec.structs.fields(type_) if each.name == field]
    return found.default


@pytest.mark.parametrize("name", ["batch-punch.json", *ACKS, *PRESENCES])
def test_a_required_field_of_an_envelope_may_not_be_absent(name: str) -> None:
    read, type_ = {
        **dict.fromkeys(BATCHES, (codec.decode_batch, Batch)),
        **dict.fromkeys(ACKS, (codec.decode_ack, Ack)),
        **dict.fromkeys(PRESENCES, (codec.decode_presence, Presence)),
    }[name]
    for field in value(name):
        without = {key: each for key, each in value(name).items() if key != field}
        if field in REQUIRED[type_]:  # type: ignore[index]
            with pytest.raises(codec.Unreadable, match=field):
                read(msgspec.json.encode(without))
        else:
            read(msgspec.json.encode(without))


def _retyped(of: Any) -> Iterator[tuple[Any, tuple[str | int, ...]]]:
    """Copies of a value, in each of which one leaf has another type."""
    for path in _leaves(of, ()):
        changed = copy.deepcopy(of)
        inner = changed
        for step in path[:-1]:
            inner = inner[step]
        was = inner[path[-1]]
        inner[path[-1]] = {"not": "this"} if not isinstance(was, dict) else 7
        yield changed, path


def _leaves(of: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    if isinstance(of, dict | list):
        steps: list[Any] = list(of) if isinstance(of, dict) else list(range(len(of)))
        for step in steps:
            yield from _leaves(of[step], (*path, step))
    if path:
        yield path


@pytest.mark.parametrize("kind", sorted(BODY_OF_KIND))
def test_each_field_of_a_body_has_the_type_that_the_golden_file_shows(kind: str) -> None:
    tried = 0
    for changed, path in _retyped(value(f"batch-{kind}.json")["records"][0][6]):
        tried += 1
        with pytest.raises(codec.Unreadable):
            codec.decode_body(kind, msgspec.json.encode(changed))
        assert path
    assert tried >= len(REQUIRED[BODY_OF_KIND[kind]])
