"""The smallest hub that keeps the promise: cursors in memory, acks by the rule of the wire."""

import threading

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.certificates import pki
from wire import codec, topics
from wire.messages import Ack, Batch, Presence, Record


class TinyHub:
    """Stores records by (device, spool, lane, seq) in plain dictionaries."""

    def __init__(self, port: int) -> None:
        self.cursors: dict[tuple[str, str, str], int] = {}
        self.records: dict[tuple[str, str, str], list[Record]] = {}
        self.batches: list[Batch] = []
        self.presences: list[tuple[str, Presence]] = []
        self.missing = 0
        self.deaf = False
        self._ready = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="tiny-hub", protocol=mqtt.MQTTv5)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = lambda client, *_: client.subscribe(
            [(topics.every("up"), 1), (topics.every("presence"), 1)]
        )
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = lambda _client, _data, message: self._heard(message.topic, bytes(message.payload))
        self._client.tls_set_context(pki().context("hub"))
        self._client.connect("127.0.0.1", port)

    def start(self) -> None:
        """Listens from now on."""
        self._client.loop_start()
        assert self._ready.wait(10)

    def stop(self) -> None:
        """Is away."""
        self._client.disconnect()
        self._client.loop_stop()

    def begin(self) -> None:
        """Tells every lane its cursor, as a hub does whose broker does not know it."""
        for (device, spool, lane), cursor in self.cursors.items():
            ack = Ack(spool, lane, cursor, begins=True)  # type: ignore[arg-type]
            self._client.publish(topics.topic(device, "ack"), codec.encode(ack), qos=1)

    def key(self, device: str, lane: str) -> tuple[str, str, str]:
        """The one spool of a device, in a lane."""
        (found,) = (key for key in self.cursors if (key[0], key[2]) == (device, lane))
        return found

    def seqs(self, device: str, lane: str) -> list[int]:
        """All seqs stored of a device's lane, in the order they came."""
        return [r.seq for key, rows in self.records.items() if (key[0], key[2]) == (device, lane) for r in rows]

    def _heard(self, topic: str, payload: bytes) -> None:
        address = topics.parse(topic)
        assert address is not None
        if address.leaf == "presence":
            self.presences.append((address.device, codec.decode_presence(payload)))
        elif not self.deaf:
            self._batch(address.device, codec.decode_batch(payload).batch)

    def _batch(self, device: str, batch: Batch) -> None:
        self.batches.append(batch)
        key = (device, batch.spool, batch.lane)
        cursor = self.cursors.get(key, 0)
        if batch.after <= cursor:
            fresh = [r for r in batch.records if r.seq > cursor]
            self.records.setdefault(key, []).extend(fresh)
            self.cursors[key] = cursor = max([cursor, *(r.seq for r in fresh)])
            self.missing += batch.missing if fresh else 0
        payload = codec.encode(Ack(batch.spool, batch.lane, cursor))
        self._client.publish(topics.topic(device, "ack"), payload, qos=1)
