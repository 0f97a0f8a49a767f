"""Devices that are known by their serial number: a person approves, or the list says that none need look."""

from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec

from hub.db import Db
from hub.identity import enrol_store, enrolling, inviting
from hub.identity.authority import Authority
from hub.identity.enrolling import Chain, No
from tests.identity.parts import OwnTown, ask_of, request_of
from wire import enrolment, x509
from wire.enrolment import Given

NOW = datetime.now(UTC).replace(microsecond=0)
NOW_MS = int(NOW.timestamp()) * 1000
ROOT = Path(__file__).resolve().parents[2]


# ---- the allow-list of serial numbers


def test_a_serial_number_waits_for_a_person_or_is_let_in_at_once(db: Db, authority: Authority) -> None:
    def ask(request: str, device: str, serial: str) -> object:
        one = ask_of(device, serial=serial, request=request)
        return db.write_now(lambda conn: enrolling.enrol(conn, authority, one, "10.0.0.7", NOW_MS))

    first = request_of("t1")[1]
    assert isinstance(ask(first, "t1", "S1"), No)
    for serial, device, at_once in (("S1", "t1", False), ("S2", "t2", True)):
        one = enrol_store.Expected(serial, device, "tablet", at_once, "hanako", NOW_MS)
        assert db.write_now(lambda conn, one=one: inviting.expect(conn, one))  # type: ignore[misc]
        assert not db.write_now(lambda conn, one=one: inviting.expect(conn, one))  # type: ignore[misc]
    waits = ask(first, "t1", "S1")
    assert isinstance(waits, enrolling.Wait)
    key_name = x509.key_name(x509.check_request(first.encode(), "t1").public_key())
    assert waits.compare == enrolment.compare_text(key_name)
    assert ask(first, "t1", "S1") == waits
    # Another key of the same machine: the older question is nobody's any more.
    second = request_of("t1")[1]
    assert isinstance(ask(second, "t1", "S1"), enrolling.Wait)
    (pending,) = db.read(enrol_store.waiting)
    assert pending.key_name != key_name
    assert db.write_now(lambda conn: inviting.decide(conn, pending.key_name, "hanako", approve=True))
    assert db.write_now(lambda conn: inviting.decide(conn, pending.key_name, "taro", approve=False)) is None
    given_now, again = ask(second, "t1", "S1"), ask(second, "t1", "S1")
    assert isinstance(given_now, Chain)
    assert isinstance(again, Chain)
    assert given_now.text == again.text
    # At once, but never in place of a device that is there: a serial number can be read off the case.
    assert isinstance(ask(request_of("t2")[1], "t2", "S2"), Chain)
    assert isinstance(ask(request_of("t2")[1], "t2", "S2"), enrolling.Wait)
    # A refused one is told so.
    third = request_of("t1")[1]
    ask(third, "t1", "S1")
    refused = next(one for one in db.read(enrol_store.waiting) if one.device == "t1")
    db.write_now(lambda conn: inviting.decide(conn, refused.key_name, "hanako", approve=False))
    assert isinstance(ask(third, "t1", "S1"), No)
    assert isinstance(ask(second, "t1", "wrong"), No)


def test_an_approved_device_gets_its_certificate_when_it_asks_again(town: OwnTown) -> None:
    from hub.identity.enrol_store import Expected

    ask = ask_of("tablet-wait", serial="W1")
    database = Db(town.hub.database)
    one = Expected("W1", "tablet-wait", "tablet", False, "hanako", NOW_MS)
    database.write_now(lambda conn: inviting.expect(conn, one))
    answer = town.ask(ask)
    assert answer.status_code == 202
    waiting = msgspec.json.decode(answer.content, type=enrolment.Waiting)
    assert waiting.compare
    (pending,) = [each for each in database.read(enrol_store.waiting) if each.device == "tablet-wait"]
    database.write_now(lambda conn: inviting.decide(conn, pending.key_name, "hanako", approve=True))
    database.close()
    answer = town.ask(ask)
    assert answer.status_code == 200
    given = msgspec.json.decode(answer.content, type=Given)
    root = x509.read_certificate(given.root.encode())
    assert x509.check_chain(given.chain.encode(), root, "tablet-wait")
    assert httpx.get(f"{town.hub.url}/device/root").text == given.root
