"""A device goes: one mail. The hub is killed. It comes back: one mail.  Real hub, broker and mail server."""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hub.alerts import post, store
from hub.alerts.addresses import Addresses
from hub.alerts.hours import Hours
from hub.alerts.post import Target
from hub.alerts.store import AlertSettings
from hub.db import Connection, Db
from tests.alerts.receivers import Receivers, receiving
from tests.broker import Broker
from tests.hub_process import Hub
from tests.identity.parts import FAKETIME, Clock, under
from tests.ingest.parts import BOOT, Device, batch, record, soon
from wire import codec, topics
from wire.messages import Presence

MINUTE = 1 / 1440

pytestmark = pytest.mark.skipif(FAKETIME is None, reason="libfaketime is not installed")


class Story:
    """A hub under a clock of the test's, with one receiver of mail."""

    def __init__(self, folder: Path, broker: Broker, receivers: Receivers) -> None:
        self.clock, self.minutes = Clock(folder), 0.0
        self.hub, self.broker, self.receivers = Hub(folder, broker.port), broker, receivers
        self.db = Db(self.hub.database)
        self.db.open()
        self._seq = 0
        ref = Addresses(self.hub.database.parent).add(receivers.mail_address)
        target = Target(0, ref, "it", "email", "it@town.example", "ja", False, "", 0)

        def set_up(conn: Connection) -> None:
            post.add_target(conn, target)
            store.write_settings(conn, AlertSettings(Hours(always=True)))

        self.db.write_now(set_up)

    def start(self) -> None:
        with under(self.clock):
            self.hub.start()
        self.hub.wait_until_it_hears()

    def later(self, minutes: float) -> None:
        self.minutes += minutes
        self.clock.set(self.minutes * MINUTE)

    def comes(self, connection: int) -> Device:
        will = codec.encode(Presence(online=False, boot=BOOT, connection=connection))
        device = Device(self.broker.port, will=will)
        device.send(
            codec.encode(Presence(online=True, boot=BOOT, connection=connection, device_kind="terminal")),
            topics.topic(device.name, "presence"),
        )
        self.says(device)
        return device

    def says(self, device: Device) -> None:
        self._seq += 1
        now_ms = time.time_ns() // 1_000_000
        device.deliver(batch(self._seq - 1, record(self._seq, at_ms=now_ms)))

    def soon(self, value: Callable[[Connection], object]) -> bool:
        return bool(soon(lambda: self.db.read(value), 60))

    @property
    def subjects(self) -> list[str]:
        return [mail.subject for mail in self.receivers.mails]


@pytest.fixture
def story(tmp_path: Path, broker: Broker) -> Iterator[Story]:
    with receiving() as receivers:
        found = Story(tmp_path, broker, receivers)
        try:
            yield found
        finally:
            with contextlib.suppress(AssertionError):
                found.hub.stop()
            found.db.close()


def test_one_mail_when_it_goes_and_one_when_it_is_back_though_the_hub_is_killed(story: Story) -> None:
    story.start()
    device = story.comes(1)
    story.receivers.refuse = True
    device.drop()
    assert story.soon(lambda conn: not conn.execute("SELECT online FROM device").fetchone()[0])
    story.later(5)
    # The mail server turns it away: the message waits, and outlives the hub.
    assert story.soon(lambda conn: [one for one in post.latest(conn, 9) if one.attempts])
    story.hub.stop(signal.SIGKILL)
    story.receivers.refuse = False
    story.later(2)
    story.start()
    assert soon(lambda: story.subjects, 60)
    (mail,) = story.receivers.mails
    assert mail.subject.startswith("terminal-1 がつながりません(")
    assert mail.subject.endswith("から)")
    assert "次にすること: 端末の電源とLANケーブル" in mail.text
    assert f"くわしく: {story.hub.url}/devices/terminal-1" in mail.text
    device = story.comes(2)
    assert story.soon(lambda conn: [one for one in store.open_alerts(conn) if one.calm_ms])
    for _ in range(4):
        story.later(3)
        story.says(device)
    assert soon(lambda: len(story.subjects) > 1, 60)
    (alert,) = story.db.read(lambda conn: store.ended_alerts(conn, store.Asked(), 9))
    assert (alert.kind, alert.subject, alert.times, alert.told) == ("offline", "terminal-1", 1, 2)
    assert story.subjects[1].startswith("【解消】terminal-1 がつながりません(")
    assert len(story.subjects) == 2
    device.drop()
    log = story.hub.log.read_text()
    assert "mailto" not in log
    assert "town.example" not in log


def test_a_hub_that_loses_its_broker_tells_that_and_not_every_device(story: Story, broker: Broker) -> None:
    story.start()
    device = story.comes(1)
    broker.stop(signal.SIGKILL)
    story.later(30)
    assert soon(lambda: story.subjects, 60)
    assert [subject.partition("(")[0] for subject in story.subjects] == ["端末からの通信を受け取れません"]
    device.drop()
    assert [one.kind for one in story.db.read(store.open_alerts)] == ["broker"]
