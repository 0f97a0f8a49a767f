"""The published document: equal to the code, whole in itself, true of the golden files and of the real programs."""

import asyncio
import copy
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import paho.mqtt.client as mqtt
import pytest
import yaml
from hypothesis import given, settings
from paho.mqtt.enums import CallbackAPIVersion

from hub.db import Connection, Db
from hub.fleet import outbox
from tests.broker import Broker
from tests.certificates import pki
from tests.hub_process import Hub
from tests.ingest.parts import running_hub, soon
from tests.uplink.test_uplink import Device, drained, running
from tests.wire import drawn
from tests.wire.golden import ACKS, BATCHES, DEVICE, DOWNS, PRESENCES, value
from tests.wire.schema import complaints, references, resolve
from wire import asyncapi, codec, messages, topics
from wire.messages import BODY_OF_KIND, LANE_OF_KIND, Ack, Batch, Down, Presence

FILE = Path(__file__).parents[2] / "docs/protocol/asyncapi.yaml"
DOCUMENT: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SCHEMAS = DOCUMENT["components"]["schemas"]


def fits(name: str, of: object) -> list[str]:
    """What is wrong with a value as a message of that name."""
    return complaints(of, DOCUMENT["components"]["messages"][name]["payload"], DOCUMENT)


def test_the_document_is_made_from_the_code() -> None:
    assert FILE.read_text(encoding="utf-8") == asyncapi.text(), (
        "run: python -m wire.asyncapi > docs/protocol/asyncapi.yaml"
    )
    assert asyncapi.document() == DOCUMENT, "the YAML says something else than the document"


def test_the_command_writes_it() -> None:
    written = subprocess.run(
        [sys.executable, "-m", "wire.asyncapi"], capture_output=True, check=True, cwd=FILE.parents[2]
    )
    assert written.stdout.decode() == asyncapi.text()


def test_every_reference_resolves() -> None:
    found = list(references(DOCUMENT))
    assert len(found) > 20
    for reference in found:
        assert resolve(DOCUMENT, reference)


def test_it_has_the_form_of_asyncapi_3() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert {"title", "version", "description"} <= DOCUMENT["info"].keys()
    for channel in DOCUMENT["channels"].values():
        assert {part[1:-1] for part in channel["address"].split("/") if part[:1] == "{"} == set(channel["parameters"])
    for operation in DOCUMENT["operations"].values():
        assert operation["action"] in ("send", "receive")
        assert resolve(DOCUMENT, operation["channel"]["$ref"])
        assert operation["bindings"]["mqtt"]["retain"] is False
    for message in DOCUMENT["components"]["messages"].values():
        assert {"name", "title", "payload", "examples"} <= message.keys()


def test_its_channels_are_the_topics() -> None:
    assert {channel["address"] for channel in DOCUMENT["channels"].values()} == {
        topics.topic("device", leaf).replace("device", "{device}") for leaf in topics.LEAVES
    }
    assert set(DOCUMENT["channels"]) == set(topics.LEAVES)
    assert set(DOCUMENT["channels"]["down"]["messages"]) == {value(name)["what"] for name in DOWNS}


def test_it_tells_the_limits_and_every_kind() -> None:
    about = DOCUMENT["info"]["description"]
    for limit in ("RECORDS_PER_BATCH", "BATCH_BYTES", "BATCH_PLAIN_BYTES", "BODY_BYTES", "BATCHES_UNDER_WAY"):
        assert f"{getattr(messages, limit)} " in about
    record = SCHEMAS["Record"]
    for kind in LANE_OF_KIND:
        assert kind in record["description"]
    assert [each["if"]["items"][1]["const"] for each in record["allOf"]] == list(BODY_OF_KIND)
    assert SCHEMAS["Batch"]["properties"]["records"]["maxItems"] == messages.RECORDS_PER_BATCH


def test_no_schema_shuts_out_a_field_of_a_newer_program() -> None:
    for name, schema in SCHEMAS.items():
        assert schema.get("additionalProperties", True) is not False, name


def test_its_examples_are_the_golden_files() -> None:
    expected = {
        "batch": sorted(name for name in BATCHES if name.endswith(".json")),
        "ack": sorted(ACKS),
        "presence": sorted(PRESENCES),
        **{value(name)["what"]: [name] for name in DOWNS},
    }
    assert set(expected) == set(DOCUMENT["components"]["messages"])
    for message, names in expected.items():
        examples = DOCUMENT["components"]["messages"][message]["examples"]
        assert sorted(f"{each['name']}.json" for each in examples) == names
        for example in examples:
            assert example["payload"] == value(f"{example['name']}.json")
            assert fits(message, example["payload"]) == []


def test_the_schemas_find_what_is_wrong() -> None:
    wrong: list[tuple[str, str, Any]] = [
        ("batch", "lane", "fast"),
        ("batch", "after", -1),
        ("batch", "spool", "9F3C0A7BE2D41568"),
        ("batch", "records", [[42, "punch"]]),
        ("ack", "through", 1.5),
        ("presence", "online", 1),
        ("presence", "boot", "b" * 201),
        ("desired", "what", "order"),
        ("desired", "document", []),
        ("order", "signature", "s" * 85),
        ("order", "id", "A" * 32),
        ("certificate", "chain", 7),
    ]
    golden = {"batch": "batch-punch.json", "ack": "ack.json", "presence": "presence.json"}
    golden |= {value(name)["what"]: name for name in DOWNS}
    for message, field, bad in wrong:
        assert fits(message, {**value(golden[message]), field: bad}), field
        assert fits(message, {key: each for key, each in value(golden[message]).items() if key != field}), field
    for kind in BODY_OF_KIND:
        batch = copy.deepcopy(value(f"batch-{kind}.json"))
        # An inventory may be empty; that of a device is never all wrong at once, so any one field will do.
        batch["records"][0][6] = {"tablet_state": {"battery_percent": "full"}, "inventory": {"model": 7}}.get(kind, {})
        assert fits("batch", batch), kind


@settings(max_examples=50)
@given(drawn.batches(), drawn.acks, drawn.presences, drawn.downs)
def test_whatever_the_code_can_send_fits(batch: Batch, ack: Ack, presence: Presence, down: Down) -> None:
    for name, message in (("batch", batch), ("ack", ack), ("presence", presence)):
        assert fits(name, json.loads(msgspec.json.encode(message))) == []
    plain = json.loads(msgspec.json.encode(down))
    assert fits(plain["what"], plain) == []


# ---- the real programs


@pytest.fixture
def open_broker(tmp_path: Path) -> Iterator[Broker]:
    """The product's broker, but for one client that may hear everything."""
    with Broker(tmp_path, also="user observer\ntopic read machinaka/1/#\n") as running_broker:
        yield running_broker


class Observer:
    """Hears everything that goes over a broker, with the quality it was sent with."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, int, bool, bytes]] = []
        self._ready = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="observer", protocol=mqtt.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe("#", 2)
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = lambda _client, _data, m: self.heard.append(
            (m.topic, m.qos, m.retain, bytes(m.payload))
        )
        self._client.tls_set_context(pki().context("observer"))
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        assert self._ready.wait(30)

    def stop(self) -> None:
        """Leaves."""
        self._client.disconnect()
        self._client.loop_stop()

    def payloads(self, leaf: str) -> set[bytes]:
        """What was heard on one leaf."""
        return {data for topic, _, _, data in self.heard if topic.endswith(f"/{leaf}")}

    def leaves(self) -> set[str]:
        """The last levels of the topics heard."""
        return {topic.rsplit("/", 1)[-1] for topic, _, _, _ in self.heard}


def sent_with(leaf: str) -> int:
    """The quality of service that the document gives to whoever sends on a channel."""
    (qos,) = [
        operation["bindings"]["mqtt"]["qos"]
        for operation in DOCUMENT["operations"].values()
        if operation["action"] == "send" and operation["channel"]["$ref"] == f"#/channels/{leaf}"
    ]
    return int(qos)


async def test_a_real_agent_and_a_real_hub_speak_as_the_document_says(tmp_path: Path, open_broker: Broker) -> None:
    observer = Observer(open_broker.port)
    with running_hub(tmp_path / "hub.db", open_broker.port):
        async with running(Device(tmp_path, open_broker.port)) as device:
            await device.punch(3)
            await device.bulk(40)
            await drained(device, 60)
        assert soon(lambda: sum(topic.endswith("/presence") for topic, _, _, _ in observer.heard) >= 2)
        assert soon(lambda: observer.leaves() == {"up", "presence", "ack"})
    observer.stop()
    for topic, qos, retain, data in observer.heard:
        address = topics.parse(topic)
        assert address is not None
        (message,) = DOCUMENT["channels"][address.leaf]["messages"]
        assert (qos, retain) == (sent_with(address.leaf), False), topic
        assert fits(message, json.loads(codec.inflate(data))) == []


def in_outbox(db: Db, name: str) -> bool:
    """Puts the golden messages down into a hub's outbox; False while it does not know the device."""

    def put(conn: Connection) -> bool:
        found = conn.execute("SELECT id FROM device WHERE name = ? AND online = 1", (name,)).fetchone()
        for message in DOWNS.values() if found else ():
            what = json.loads(msgspec.json.encode(message))["what"]
            outbox.put(conn, found[0], what, "golden", codec.encode(message), 1)
        return found is not None

    return db.write_now(put)


async def test_a_real_hub_sends_down_as_the_document_says(tmp_path: Path, open_broker: Broker) -> None:
    observer = Observer(open_broker.port)
    with Hub(tmp_path, open_broker.port) as hub:
        hub.wait_until_it_hears()
        db = Db(hub.database)
        async with running(Device(tmp_path, open_broker.port)) as device:
            assert await asyncio.to_thread(soon, lambda: in_outbox(db, DEVICE), 60)
            sent = {codec.encode(message) for message in DOWNS.values()}
            assert await asyncio.to_thread(soon, lambda: observer.payloads("down") >= sent, 60)
            assert not device.uplink.state.hub_away, "an agent takes what comes down for what it is, or leaves it"
        db.close()
    observer.stop()
    for topic, qos, retain, data in observer.heard:
        if not topic.endswith("/down"):
            continue
        message = json.loads(codec.inflate(data))
        assert (qos, retain) == (sent_with("down"), False), topic
        assert fits(message["what"], message) == []


@pytest.mark.parametrize("word", ["unheard", "oneOf"])
def test_the_check_does_not_pass_over_words_that_it_does_not_know(word: str) -> None:
    with pytest.raises(KeyError):
        complaints(1, {word: 1}, DOCUMENT)
