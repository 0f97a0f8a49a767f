"""PC/SC readers: a real pcscd with a virtual reader; and the rule that reads an ATR."""

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.attendance.readers.heard import CardHeard, ReaderFault
from edge_agent.attendance.readers.pcsc import PcscReader, classify
from tests.readers.card_daemon import CardDaemon, LyingCard, storage_atr, why_not
from tests.readers.ear import PATIENCE_S, Ear, rest, said, signs, wait_until
from tests.readers.known import HOLD_S

pytest.importorskip("smartcard", reason="pyscard is not installed (the optional part machinaka[pcsc])")

IDM = bytes.fromhex("012e4cd8a9b3c401")
UID = bytes.fromhex("04a1b2c3d4e5f6")
FELICA, TYPE_A, TYPE_B = storage_atr(0x11), storage_atr(0x03), storage_atr(0x05)
# ISO/IEC 14443-4: historical bytes of the card's ATS, or for Type B what its ATQB said
ISO_DEP_A = bytes.fromhex("3b8180018080")
ISO_DEP_B = bytes.fromhex("3b8880010000000000817100f9")


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[CardDaemon]:
    """A pcscd that can be started and ended."""
    if reason := why_not():
        pytest.skip(reason)
    with CardDaemon(tmp_path) as daemon:
        yield daemon


def test_each_kind_tells_what_it_is_once_and_in_order(daemon: CardDaemon) -> None:
    daemon.start()
    expected = ["ready"]
    reader = PcscReader("Town")
    with Ear(reader) as ear:
        for atr, identifier, told in (
            (FELICA, IDM, f"felica {IDM.hex()}"),
            (TYPE_A, UID, f"type_a {UID.hex()}"),
            (TYPE_B, UID[:4], "type_b"),
            (TYPE_A, b"\x08\x01\x02\x03", "random_identifier"),
            (TYPE_A, b"", "stumbled"),
        ):
            with LyingCard(daemon.port, atr, identifier):
                expected.append(told)
                ear.until_told(*expected)
            signs(reader, 2)
        assert ear.heard == expected


def test_a_held_card_is_one_tap_and_another_when_it_comes_again(daemon: CardDaemon) -> None:
    daemon.start()
    reader = PcscReader()
    with Ear(reader) as ear:
        with LyingCard(daemon.port, FELICA, IDM):
            ear.until_told("ready", f"felica {IDM.hex()}")
            time.sleep(HOLD_S)
            # While it lies there its visit goes on, although pcscd says nothing.
            lay_there_ns = reader.visits.last_heard_ns(IDM)
            wait_until(lambda: reader.visits.last_heard_ns(IDM) != lay_there_ns, "the visit to go on")
            assert ear.heard == ["ready", f"felica {IDM.hex()}"]
        rest(reader)
        with LyingCard(daemon.port, FELICA, IDM):
            ear.until_told("ready", f"felica {IDM.hex()}", f"felica {IDM.hex()}")


def test_a_card_that_is_swiped_too_fast_is_not_refused(daemon: CardDaemon) -> None:
    daemon.start()
    reader = PcscReader()
    with Ear(reader) as ear:
        with LyingCard(daemon.port, FELICA, IDM, swiped=True) as card:
            wait_until(lambda: card.asked, "the question for its number")
            signs(reader, 4)
        with LyingCard(daemon.port, FELICA, IDM):
            ear.until_told("ready", f"felica {IDM.hex()}")


def test_a_card_that_says_nothing_is_asked_once_more_and_then_refused_once(daemon: CardDaemon) -> None:
    daemon.start()
    reader = PcscReader()
    with Ear(reader) as ear, LyingCard(daemon.port, FELICA, IDM, mute=True):
        ear.until_told("ready", "stumbled")
        signs(reader, 3)
        assert ear.heard == ["ready", "stumbled"]


def test_each_end_of_pcscd_is_a_fault_and_it_comes_back_by_itself(daemon: CardDaemon) -> None:
    with Ear(PcscReader()) as ear:
        ear.until_told("fault")
        daemon.start()
        ear.until_told("fault", "ready")
        daemon.end(signal.SIGKILL)
        ear.until_told("fault", "ready", "fault")
        daemon.start(reader=False)
        time.sleep(HOLD_S)
        daemon.end(signal.SIGTERM)
        daemon.start()
        ear.until_told("fault", "ready", "fault", "ready")
        with LyingCard(daemon.port, TYPE_A, UID):
            ear.until_told("fault", "ready", "fault", "ready", f"type_a {UID.hex()}")


def test_a_pcscd_without_the_reader_is_a_fault_in_words(daemon: CardDaemon) -> None:
    daemon.start()
    told: list[object] = []
    stop = threading.Event()
    thread = threading.Thread(target=PcscReader("RC-S300").listen, args=(told.append, stop), daemon=True)
    thread.start()
    wait_until(lambda: told, "a word")
    stop.set()
    thread.join(PATIENCE_S)
    assert told == [ReaderFault("no card reader is connected")]


@pytest.mark.parametrize(
    ("atr", "identifier", "told"),
    [
        (FELICA, IDM, f"felica {IDM.hex()}"),
        (TYPE_A, UID, f"type_a {UID.hex()}"),
        (TYPE_A, b"\x08\x01\x02\x03", "random_identifier"),
        (storage_atr(0x03), b"\x08\x01\x02\x03\x04\x05\x06", "type_a 08010203040506"),
        (TYPE_B, UID[:4], "type_b"),
        (storage_atr(0x06), UID[:4], "type_b"),
        (ISO_DEP_A, UID, f"type_a {UID.hex()}"),
        (ISO_DEP_A, UID[:4], f"type_a {UID[:4].hex()}"),
        (ISO_DEP_A, b"\x08\x01\x02\x03", "random_identifier"),
        (ISO_DEP_B, UID[:4], "type_b"),
        (ISO_DEP_B, b"\x08\x01\x02\x03", "type_b"),
        # 13 bytes with 11 where a storage card would have it, but no name of PC/SC before it
        (bytes.fromhex("3b8980010102030405060708110d"), UID, f"type_a {UID.hex()}"),
        (FELICA, b"", "stumbled"),
        (b"", UID, f"type_a {UID.hex()}"),
    ],
)
def test_an_atr_tells_the_technology(atr: bytes, identifier: bytes, told: str) -> None:
    assert said(classify(list(atr), identifier, 0)) == told


@given(st.binary(max_size=33), st.binary(max_size=10))
def test_no_atr_upsets_the_rule_and_no_number_is_made_up(atr: bytes, identifier: bytes) -> None:
    heard = classify(list(atr), identifier, 0)
    assert not isinstance(heard, CardHeard) or heard.identifier == identifier != b""


@pytest.mark.parametrize(
    ("wanted", "names", "picked"),
    [
        ("", [], None),
        ("", ["SONY FeliCa RC-S300/S (1234567) 00 00"], "SONY FeliCa RC-S300/S (1234567) 00 00"),
        ("RC-S300", ["Town 00 00", "SONY FeliCa RC-S300/S 01 00"], "SONY FeliCa RC-S300/S 01 00"),
        ("", ["ACS ACR1252 [SAM] 00 00", "ACS ACR1252 [PICC] 01 00"], "ACS ACR1252 [PICC] 01 00"),
        ("OMNIKEY", ["Town 00 00"], None),
    ],
)
def test_the_reader_that_is_wanted_is_picked(wanted: str, names: list[str], picked: str | None) -> None:
    assert PcscReader(wanted).pick(names) == picked
