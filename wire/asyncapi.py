"""The wire as an AsyncAPI 3 document, made from the types: `python -m wire.asyncapi > docs/protocol/asyncapi.yaml`.

The examples are the golden files, so it runs where those lie (a checkout, or an installed package).
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from wire import topics
from wire.codec import PLAIN_BYTES
from wire.messages import (
    BATCH_BYTES,
    BATCH_PLAIN_BYTES,
    BATCHES_UNDER_WAY,
    BODY_BYTES,
    BODY_OF_KIND,
    LANE_OF_KIND,
    LANES,
    RECORDS_PER_BATCH,
    Ack,
    Batch,
    Certificate,
    Desired,
    Kit,
    Order,
    Paper,
    Presence,
    Roam,
    Roster,
)

GOLDEN = Path(__file__).parent / "golden"
_SCHEMAS = "#/components/schemas/"

_ABOUT = f"""\
What crosses between a device (terminal, tablet, access point) and the hub of a town hall, over any MQTT broker.

Who sent a message is known from its topic alone; a name inside a payload is never believed. Nothing is retained.
Every message is JSON; above {PLAIN_BYTES} bytes it is deflated (zlib, RFC 1950). The first byte tells: `{{` or 0x78.

Limits: {RECORDS_PER_BATCH} records a batch; {BATCH_BYTES} bytes a message on the wire; {BATCH_PLAIN_BYTES} bytes \
once inflated; {BODY_BYTES} bytes a record's body; {BATCHES_UNDER_WAY} batches under way in each lane.

The cursor rule:

1. A record is on the device's disk before anyone is told that it was taken.
2. The hub keeps one cursor for each (device, spool, lane): the `seq` through which it has everything.
3. It takes a batch whose `after` is not beyond the cursor: it stores the records past the cursor, moves the cursor
   in the same transaction, and only then answers with an ack.
4. A batch whose `after` is beyond the cursor does not join. Nothing of it is stored; the answer is the cursor as it is.
5. The device goes on from the ack's `through`, whether that is forward or back.

Fields are only added, with defaults; unknown ones are ignored; a kind is never reused.
"""
_UP = """\
A device's records, lane by lane. A record whose body the hub cannot read is kept in quarantine as it came and
counts as received; one without a readable `seq`, or out of ascending order, makes the whole batch unreadable, and
then there is no ack. A batch without records is allowed: its ack tells the cursor.
"""
_ACK = """\
The hub's answer, after its commit and never before. It may go with QoS 0: one that is lost is made again by the
batch that the device then repeats, after 30 s at first. A hub that begins to hear its broker sends one with `begins`
for each lane it knows: the device says its presence again, which may have been lost meanwhile.
"""
_PRESENCE = """\
Sent at each connection, and as the last will. `connection` never goes back: an `online: false` whose connection is
not the newest of its boot is ignored.
"""
_DOWN = """\
Desired state, rosters, kits, roaming grants, papers, orders and renewed certificates; `what` tells which. A device
ignores what it does not know.

The hub keeps what it has to say in its own database until the answer has come (a record of kind `reported`,
`roster_report`, `kit_report`, `paper_report`, `result` or `inventory`, or a presence that tells the generation) or its
time is over, and says it again at each new connection or after a minute. So each may come more than once: a device
obeys one order's `id` once, and a generation that it has is nothing new. The signature (Ed25519, RFC 8032) is over
these bytes: JSON in UTF-8 without white space, keys sorted by code point, no fractions, of

    {"device", "document", "generation", "incarnation", "purpose": "machinaka desired 1"}
    {"arguments", "device", "id", "name", "nonce", "not_after_ms", "purpose": "machinaka order 1"}
    {"device", "generation", "incarnation", "purpose": "machinaka roster 1", "sealed"}
    {"device", "generation", "incarnation", "purpose": "machinaka kit 1", "sealed"}
    {"device", "generation", "incarnation", "kind", "purpose": "machinaka paper 1", "sealed"}
    {"device", "grants", "made_ms", "purpose": "machinaka roam 1"}  (of each grant all fields)

where `device` is the device's own name. What is not signed, or for another, or too late, is not obeyed.

A roster's `sealed` (base64url without padding) is, in bytes: a new public key on P-256 (65 bytes, X9.62 uncompressed),
then AES-256-GCM over the content, its tag (16 bytes) at the end. Key (32 bytes) and nonce (12) are HKDF-SHA-256 without
salt of the ECDH secret of the new key and the device's, `info` being `machinaka seal 1`, the new public key and the
device's (65 bytes each). Additional data are the bytes that would be signed of

    {"device", "generation", "incarnation", "purpose": "machinaka roster content 1"}

The content is zlib (RFC 1950) of JSON, at most 1 MiB: `card_key` (32 bytes in base64; a card's token is the first 32
hex digits of HMAC-SHA-256 under it over the card's number), `cards`, a list of `[token, "issued" or "lost", name,
kind]` (name and kind may be empty), and `kinds`, a list of `{"name", "technology", "key"}`: a FeliCa Lite-S card of
such a kind is authentic when its card key is the first 16 bytes of HMAC-SHA-256 under `key` over its IDm.

A kit is sealed in the same way (`machinaka kit content 1`): what an access point needs to receive guests while the hub
is away. Its content is described in `wire/kit.py`. A guest's device is named by the first 32 hex digits of HMAC-SHA-256
over its address (lower case, with colons) under the key of the day in Japan; the address itself crosses nowhere. What
identifies a guest (`contact` of a consent) is sealed to the month's key in the same way, bound to the bytes of
`{"purpose": "machinaka contact 1", "session"}`.

A paper is sealed in the same way, with its `kind` in the additional data (`machinaka paper content 1`). A `shelf` is
what a lent tablet shows (`wire/shelf.py`), a `purse` how much of which benefit a device may take (`wire/purse.py`).
"""


def document() -> dict[str, Any]:
    """The whole document as plain values."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "machinaka: the wire between devices and the hub",
            "version": topics.ROOT.split("/")[1],
            "license": {"name": "Apache-2.0"},
            "description": _ABOUT,
        },
        "defaultContentType": "application/json",
        "servers": {"town": _server()},
        "channels": {
            "up": _channel("up", _UP, "batch"),
            "presence": _channel("presence", _PRESENCE, "presence"),
            "ack": _channel("ack", _ACK, "ack"),
            "down": _channel("down", _DOWN, "desired", "order", "certificate", "roster", "kit", "roam", "paper"),
        },
        "operations": {
            "deviceSendsBatch": _operation("send", "up", "A device sends records.", qos=1),
            "hubTakesBatch": _operation("receive", "up", "The hub takes records in.", qos=1),
            "deviceSendsPresence": _operation("send", "presence", "A device comes, or goes in good order.", qos=1),
            "hubHearsPresence": _operation("receive", "presence", "The hub hears who is there.", qos=1),
            "hubSendsAck": _operation("send", "ack", "The hub says what it has.", qos=0),
            "deviceHearsAck": _operation("receive", "ack", "A device hears what the hub has.", qos=1),
            "hubSendsDown": _operation("send", "down", "The hub says what a device is to be or to do.", qos=0),
            "deviceHearsDown": _operation("receive", "down", "A device hears it.", qos=1),
        },
        "components": {"messages": _messages(), "schemas": _schemas()},
    }


def _server() -> dict[str, Any]:
    return {
        "host": "{broker}",
        "protocol": "mqtt",
        "description": "Only features of MQTT 3.1.1 carry meaning; any broker that ties a device's name to its topics.",
        "variables": {"broker": {"description": "Host and port of the town's broker."}},
        "bindings": {
            "mqtt": {
                "clientId": "the device's name",
                "cleanSession": True,
                "lastWill": {
                    "topic": f"{topics.ROOT}/<device>/presence",
                    "qos": 1,
                    "retain": False,
                    "message": "a presence with online: false",
                },
                "bindingVersion": "0.2.0",
            }
        },
    }


def _channel(leaf: topics.Leaf, description: str, *messages: str) -> dict[str, Any]:
    return {
        "address": f"{topics.ROOT}/{{device}}/{leaf}",
        "description": description,
        "servers": [{"$ref": "#/servers/town"}],
        "parameters": {
            "device": {
                "description": "The device's name, tied to its certificate: a lower-case DNS label of at most 63 "
                "characters."
            }
        },
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
    }


def _operation(action: str, leaf: topics.Leaf, summary: str, *, qos: int) -> dict[str, Any]:
    """Named after who carries it out: the document is for writers of devices and of hubs alike."""
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{leaf}"},
        "summary": summary,
        "bindings": {"mqtt": {"qos": qos, "retain": False, "bindingVersion": "0.2.0"}},
    }


# ---- messages


def _messages() -> dict[str, Any]:
    batches = sorted(path.stem for path in GOLDEN.glob("batch-*.json"))
    return {
        "batch": _message(Batch, "Records of one lane", batches),
        "ack": _message(Ack, "What the hub has", ["ack", "ack-of-one-run", "ack-of-a-beginning"]),
        "presence": _message(
            Presence, "Online or not", ["presence", "presence-of-a-terminal", "presence-of-a-tablet", "last-will"]
        ),
        "desired": _message(Desired, "What a device is to be", ["down-desired"]),
        "order": _message(Order, "One thing to do", ["down-order"]),
        "certificate": _message(Certificate, "A renewed identity", ["down-certificate"]),
        "roster": _message(Roster, "What a terminal is to know of cards", ["down-roster"]),
        "kit": _message(Kit, "What an access point needs to receive guests", ["down-kit"]),
        "roam": _message(Roam, "Who is known at the town's other access points", ["down-roam"]),
        "paper": _message(Paper, "What a tablet shows, or which benefits a device may take", ["down-paper"]),
    }


def _message(type_: type[msgspec.Struct], title: str, examples: list[str]) -> dict[str, Any]:
    return {
        "name": type_.__name__,
        "title": title,
        "contentType": "application/json",
        "payload": {"$ref": _SCHEMAS + type_.__name__},
        "examples": [
            {"name": name, "payload": json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))}
            for name in examples
        ],
    }


# ---- schemas


def _schemas() -> dict[str, Any]:
    types = [Batch, Ack, Presence, Desired, Order, Certificate, Roster, Kit, Roam, Paper, *BODY_OF_KIND.values()]
    _, components = msgspec.json.schema_components(types, ref_template=_SCHEMAS + "{name}")
    schemas: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(components))  # plain values: lists, no tuples
    record = schemas["Record"]
    # AsyncAPI's own schemas are of JSON Schema draft 07, where a list of `items` is by place.
    record["items"] = record.pop("prefixItems")
    record["allOf"] = [_body_of(kind, type_) for kind, type_ in BODY_OF_KIND.items()]
    for schema in schemas.values():
        schema["description"] = _flowing(schema["description"])
    schemas["Record"]["description"] += f"\n{_kinds()}"
    return dict(sorted(schemas.items()))


def _body_of(kind: str, type_: type[msgspec.Struct]) -> dict[str, Any]:
    return {
        "if": {"items": [{}, {"const": kind}]},
        "then": {"items": [*[{}] * 6, {"$ref": _SCHEMAS + type_.__name__}]},
    }


def _kinds() -> str:
    """The lanes and their kinds; those without a body here are reserved."""
    of_lane = {lane: [kind for kind, its in LANE_OF_KIND.items() if its == lane] for lane in LANES}
    reserved = [kind for kind in LANE_OF_KIND if kind not in BODY_OF_KIND]
    lines = [f"Kinds of the {lane} lane: {', '.join(kinds)}." for lane, kinds in of_lane.items()]
    return "\n".join([*lines, f"Without a body yet, and not for anything else: {', '.join(reserved)}."]) + "\n"


def _flowing(docstring: str) -> str:
    return "\n".join(line.strip() for line in docstring.splitlines()).replace(".  ", ". ") + "\n"


# ---- YAML


def text() -> str:
    """The document as YAML."""
    about = "# Made by `python -m wire.asyncapi > docs/protocol/asyncapi.yaml`; a test keeps it equal to the code."
    return "\n".join([about, *_lines(document(), "")]) + "\n"


def _lines(value: Any, indent: str) -> Iterator[str]:
    """A dictionary or a list in block style, line by line."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _entry(f"{indent}{_scalar(key)}:", each, indent)
        return
    for each in value:
        if isinstance(each, dict | list) and each:
            first, *rest = _lines(each, indent + "  ")
            yield f"{indent}- {first.strip()}"
            yield from rest
        else:
            yield from _entry(f"{indent}-", each, indent)


def _entry(head: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, dict | list) and value:
        yield head
        yield from _lines(value, indent + "  ")
    elif isinstance(value, str) and "\n" in value:
        yield f"{head} |"
        yield from (f"{indent}  {line}".rstrip() for line in value.splitlines())
    else:
        yield f"{head} {_scalar(value)}"


# Words that YAML takes for something else than text.
_TAKEN = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def _scalar(value: Any) -> str:
    """JSON is YAML; plain words go without quotes."""
    if isinstance(value, str) and value.replace("_", "").isalpha() and value.lower() not in _TAKEN:
        return value
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    sys.stdout.write(text())
