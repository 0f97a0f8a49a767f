"""Listens at a town's broker for which devices are there: the same word that the hub hears."""

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from provisioning.ports import HOST
from wire import codec, topics


class Presence:
    """A listener on a thread of its own. `ready` when it hears, `online` the devices it has heard."""

    def __init__(self, port: int) -> None:
        self.ready = False
        self.online: frozenset[str] = frozenset()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe(topics.every("presence"), qos=1)
        self._client.on_subscribe = self._subscribed
        self._client.on_message = self._heard
        self._client.connect_async(HOST, port)
        self._client.loop_start()

    def has(self, device: str) -> bool:
        """Whether a device has said that it is there."""
        return device in self.online

    def close(self) -> None:
        """Stops listening."""
        self._client.disconnect()
        self._client.loop_stop()

    def _subscribed(self, *_: object) -> None:
        self.ready = True

    def _heard(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        address = topics.parse(message.topic)
        try:
            told = codec.decode_presence(bytes(message.payload))
        except codec.Unreadable:
            return
        if address:
            one = {address.device}
            self.online = self.online | one if told.online else self.online - one
