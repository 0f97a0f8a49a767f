"""Noise on `up` at a real hub: it goes on, acks only what it stored, and shows the count of the rest."""

import random
import zlib
from pathlib import Path

import mqtt5

from hub.fleet import store
from tests.broker import Broker
from tests.hub_process import Hub
from tests.ingest.parts import SPOOL, Device, batch, punch, run_of
from tests.journey.parts import Ledger, soon
from wire import codec, topics
from wire.messages import Ack

GOOD = codec.encode(run_of(0, 50, spool="d" * 16))


def _noise(chosen: random.Random) -> bytes:
    """Bytes that are no batch: random, cut off, falsely deflated, a bomb, or a batch with one byte changed."""
    kind = chosen.randrange(5)
    if kind == 0:
        return chosen.randbytes(chosen.randrange(300))
    if kind == 1:
        return GOOD[: chosen.randrange(len(GOOD))]
    if kind == 2:
        return b"x\x9c" + chosen.randbytes(50)
    if kind == 3:
        return zlib.compress(b"[" * 5_000_000, 9)
    spoilt = bytearray(GOOD)
    spoilt[chosen.randrange(len(spoilt))] ^= 1 << chosen.randrange(8)
    return bytes(spoilt)


def _fits(payload: bytes) -> bool:
    try:
        codec.decode_batch(payload)
    except codec.Unreadable:
        return False
    return True


def test_a_hub_under_noise_goes_on_and_counts_it(tmp_path: Path) -> None:
    chosen = random.Random(20)
    with Broker(tmp_path) as broker, Hub(tmp_path, broker.port) as hub:
        hub.wait_until_it_hears()
        ledger = Ledger(hub.database)
        noisy, good = Device(broker.port, "noisy"), Device(broker.port, "good")
        unreadable = 0
        for number in range(400):
            noise = _noise(chosen)
            noisy.send(noise)
            unreadable += not _fits(noise)
            if number % 100 == 0:
                good.deliver(run_of(number // 100 * 10, 10))
        good.deliver(batch(0, punch(1), lane="urgent"))
        assert unreadable > 300
        assert soon(lambda: ledger.read(store.totals).unreadable == unreadable)
        # What was acknowledged is stored, though it came from the noisy one.
        acked = 0
        while (ack := noisy.ack(0.3)) is not None:
            acked = max(acked, ack.through)
        assert acked == max(ledger.through("noisy").values(), default=0)
        assert ledger.events("good") == {(SPOOL, "bulk"): list(range(1, 41)), (SPOOL, "urgent"): [1]}
        _check_untroubled(hub)
        noisy.drop()
        good.drop()


def test_a_device_that_sends_with_qos_0_disturbs_nobody(tmp_path: Path) -> None:
    with Broker(tmp_path) as broker, Hub(tmp_path, broker.port) as hub:
        hub.wait_until_it_hears()
        device = Device(broker.port)
        device._send(mqtt5.PublishPacket(topics.topic(device.name, "up"), codec.encode(run_of(0, 5))))
        assert device.ack() == Ack(SPOOL, "bulk", 5)
        device.deliver(run_of(5, 5))
        assert Ledger(hub.database).events(device.name) == {(SPOOL, "bulk"): list(range(1, 11))}
        _check_untroubled(hub)
        device.drop()


def _check_untroubled(hub: Hub) -> None:
    """It is the process that was started, and the broker never closed its connection."""
    assert hub.process is not None
    assert hub.process.poll() is None
    assert "away" not in hub.log.read_text()
