"""Every topic × everybody who may try: allowed or refused as designed, at the real broker (checklist B1 to B4, A5)."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import mqtt5
import paho.mqtt.client as mqtt
import pytest
from cryptography.x509 import ExtendedKeyUsage, load_pem_x509_certificate
from paho.mqtt.enums import CallbackAPIVersion

from tests.broker import Broker
from tests.certificates import Pki
from tests.lock.parts import Client, Refused
from wire import topics
from wire.x509 import HUB_NAME, Withdrawn

OWN, OTHER = "terminal-1", "tablet-2"
TOPICS = [
    *(topics.topic(device, leaf) for device in (OWN, OTHER) for leaf in topics.LEAVES),
    "machinaka/1/terminal-1",
    "machinaka/1/terminal-1/up/more",
    "machinaka/1/terminal-1/up/../../tablet-2/up",
    "machinaka/2/terminal-1/up",
    "$SYS/broker/uptime",
    "$CONTROL/dynamic-security/v1",
    "anything",
]
MAY_PUBLISH = {
    OWN: {f"machinaka/1/{OWN}/up", f"machinaka/1/{OWN}/presence"},
    "hub": {f"machinaka/1/{device}/{leaf}" for device in (OWN, OTHER) for leaf in ("ack", "down")},
}
MAY_READ = {
    OWN: {f"machinaka/1/{OWN}/ack", f"machinaka/1/{OWN}/down"},
    "hub": {f"machinaka/1/{device}/{leaf}" for device in (OWN, OTHER) for leaf in ("up", "presence")},
}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    """A town of its own: one device of it is withdrawn, one has run out."""
    town = Pki(tmp_path_factory.mktemp("pki"))
    certificate = town.identity("revoked") / "certificate.pem"
    town.withdrawn.append(
        Withdrawn(load_pem_x509_certificate(certificate.read_bytes()).serial_number, datetime.now(UTC))
    )
    town.write_crl()
    town.identity("expired", days=0)
    return town


@pytest.fixture(scope="module")
def locked(town: Pki, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The locked broker; somebody with rights to everything stands beside and sends what others are to hear."""
    extra = "user everybody\ntopic readwrite #\ntopic readwrite $SYS/#\n"
    with Broker(tmp_path_factory.mktemp("broker"), of=town, also=extra) as broker:
        yield broker


def _name(who: str) -> str:
    return HUB_NAME if who == "hub" else who


@pytest.mark.parametrize("who", [OWN, "hub"])
@pytest.mark.parametrize("topic", TOPICS)
def test_b2_who_may_publish_where(town: Pki, locked: Broker, who: str, topic: str) -> None:
    client = Client(locked.port, town.context(who), _name(who))
    assert client.may_publish(topic) == (topic in MAY_PUBLISH[who])
    client.close()


@pytest.mark.parametrize("who", [OWN, "hub"])
def test_b2_who_hears_what_whatever_is_asked_for(town: Pki, locked: Broker, who: str) -> None:
    listener = Client(locked.port, town.context(who), _name(who))
    listener.listen("#", "+/+/+/+", "$SYS/#", "$share/g/machinaka/1/+/up", "machinaka/1/tablet-2/down", *TOPICS[:8])
    sender = Client(locked.port, town.context("everybody"), "everybody")
    for topic in TOPICS:
        if not topic.startswith("$"):
            assert sender.may_publish(topic)
    assert set(listener.heard()) == MAY_READ[who]
    listener.close()
    sender.close()


@pytest.mark.parametrize("who", ["revoked", "expired"])
def test_the_revoked_and_the_expired_are_not_let_in(town: Pki, locked: Broker, who: str) -> None:
    with pytest.raises(Refused):
        Client(locked.port, town.context(who), who)


def _bare(town: Pki) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(town.folder / "root.pem"))


def test_b1_without_a_certificate_nobody_is_let_in(town: Pki, locked: Broker) -> None:
    with pytest.raises(Refused):
        Client(locked.port, _bare(town), OWN)


def test_b1_a_certificate_of_another_town_is_worth_nothing(town: Pki, locked: Broker, tmp_path: Path) -> None:
    other = Pki(tmp_path / "other").identity(OWN)
    context = _bare(town)
    context.load_cert_chain(other / "certificate.pem", other / "key.pem")
    with pytest.raises(Refused):
        Client(locked.port, context, OWN)


def test_a5_a_server_s_certificate_is_no_client_s(town: Pki, locked: Broker) -> None:
    context = _bare(town)
    context.load_cert_chain(town.folder / "broker.pem", town.folder / "broker.key")
    with pytest.raises(Refused):
        Client(locked.port, context, OWN)


def test_a5_a_device_s_certificate_is_no_server_s(town: Pki) -> None:
    leaf = load_pem_x509_certificate((town.identity(OWN) / "certificate.pem").read_bytes())
    usage = leaf.extensions.get_extension_for_class(ExtendedKeyUsage).value
    assert [each.dotted_string for each in usage] == ["1.3.6.1.5.5.7.3.2"]


def test_b1_older_tls_is_refused(town: Pki, locked: Broker) -> None:
    context = _bare(town)
    identity = town.identity(OWN)
    context.load_cert_chain(identity / "certificate.pem", identity / "key.pem")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(Refused):
        Client(locked.port, context, OWN)


def test_b3_the_client_id_is_the_certificate_s_name(town: Pki, locked: Broker) -> None:
    victim = Client(locked.port, town.context(OTHER), OTHER)
    attacker = Client(locked.port, town.context(OWN), OTHER)
    assert not victim.is_out(1)
    assert attacker.may_publish(f"machinaka/1/{OWN}/up")
    victim.close()
    attacker.close()


def test_b4_nothing_is_retained_and_nothing_is_larger_than_64_kib(town: Pki, locked: Broker) -> None:
    topic = f"machinaka/1/{OWN}/up"
    for packet in (
        mqtt5.PublishPacket(topic, b"x", retain=True),
        mqtt5.PublishPacket(topic, bytes(70_000), qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=1),
        mqtt5.PublishPacket(topic, b"x", qos=mqtt5.QoS.EXACTLY_ONCE, packet_id=1),
    ):
        client = Client(locked.port, town.context(OWN), OWN)
        client.send(packet)
        assert client.is_out()
        client.close()


def test_b4_a_will_on_another_s_topic_is_not_sent(town: Pki, locked: Broker) -> None:
    listener = Client(locked.port, town.context("hub"), HUB_NAME)
    listener.listen(topics.every("up"), topics.every("presence"))
    for topic in (f"machinaka/1/{OTHER}/presence", f"machinaka/1/{OWN}/presence"):
        Client(locked.port, town.context(OWN), OWN, will_topic=topic).close()
    assert listener.heard(2) == [f"machinaka/1/{OWN}/presence"]
    listener.close()


def test_nothing_is_written_to_the_disk(locked: Broker) -> None:
    folder = locked.pki.folder.parent
    assert not list(folder.rglob("mosquitto.db*"))
    config = (Path(locked._config)).read_text()
    assert "persistence false" in config
    assert config.count("\nlistener ") == 1


def test_b2_the_older_protocol_reaches_no_further(town: Pki, locked: Broker) -> None:
    """MQTT 3.1.1 has no word for a refusal: the message must simply not arrive."""
    listener = Client(locked.port, town.context("everybody"), "everybody")
    listener.listen("machinaka/#")
    for topic in TOPICS:
        old = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=OWN, protocol=mqtt.MQTTv311)
        old.tls_set_context(town.context(OWN))
        old.connect("127.0.0.1", locked.port)
        old.loop_start()
        old.publish(topic, b"old", qos=1).wait_for_publish(5)
        old.disconnect()
        old.loop_stop()
    assert set(listener.heard(1)) == MAY_PUBLISH[OWN]
    listener.close()
