"""Online or not: connections are counted, and a late last will puts nobody out."""

import pytest

from hub.fleet import store
from hub.fleet.presence import is_news
from hub.fleet.store import DeviceRow
from tests.broker import Broker
from tests.ingest.parts import Device, Hub, run_of, soon
from wire import codec, topics
from wire.messages import Presence

TOPIC = topics.topic("terminal-1", "presence")


@pytest.mark.parametrize(
    ("known", "told", "news"),
    [
        (("", 0), (True, "a", 1), True),
        (("a", 1), (True, "a", 2), True),
        (("a", 2), (True, "a", 2), True),
        (("a", 2), (True, "a", 1), False),
        (("a", 2), (True, "b", 1), True),
        (("a", 2), (False, "a", 2), True),
        (("a", 2), (False, "a", 1), False),
        (("a", 2), (False, "a", 3), True),
        (("b", 3), (False, "a", 2), False),
        (("b", 1), (False, "a", 9), False),
        (("", 0), (False, "a", 1), True),
    ],
)
def test_what_is_news(known: tuple[str, int], told: tuple[bool, str, int], news: bool) -> None:
    assert is_news(*known, Presence(*told)) is news


def _row(hub: Hub) -> DeviceRow | None:
    return hub.db.read(lambda conn: store.device(conn, "terminal-1"))


def _online(hub: Hub) -> bool:
    row = _row(hub)
    return row is not None and row.online


def test_a_device_comes_and_goes(hub: Hub, broker: Broker) -> None:
    will = codec.encode(Presence(online=False, boot="a", connection=1))
    device = Device(broker.port, will=will)
    device.send(codec.encode(Presence(True, "a", 1, version="1.2", device_kind="terminal")), TOPIC)
    assert soon(lambda: _online(hub))
    row = _row(hub)
    assert row is not None
    assert (row.version, row.kind, row.boot) == ("1.2", "terminal", "a")
    device.drop()
    assert soon(lambda: not _online(hub))


def test_a_late_will_puts_nobody_out(hub: Hub, broker: Broker) -> None:
    device = Device(broker.port)
    device.send(codec.encode(Presence(True, "a", 2)), TOPIC)
    assert soon(lambda: _online(hub))
    device.send(codec.encode(Presence(False, "a", 1)), TOPIC)
    device.send(codec.encode(Presence(True, "a", 2, version="after")), TOPIC)
    assert soon(lambda: (row := _row(hub)) is not None and row.version == "after")
    assert _online(hub)
    device.drop()


def test_records_tell_that_a_device_is_there(hub: Hub, broker: Broker) -> None:
    device = Device(broker.port)
    device.send(codec.encode(Presence(False, "a", 1)), TOPIC)
    assert soon(lambda: _row(hub) is not None)
    assert not _online(hub)
    device.deliver(run_of(0, 1))
    assert _online(hub)
    device.drop()


def test_a_presence_that_is_none_is_counted(hub: Hub, device: Device) -> None:
    device.send(b'{"online":"yes"}', TOPIC)
    assert soon(lambda: hub.db.read(store.totals).unreadable == 1)
