"""A device that the broker does not take any more: its next certificate by proof of its old key, or what a stolen one
is told all the same."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from hub import pages
from hub.db import Connection, Db
from hub.fleet import outbox
from hub.identity import enrolling, inviting, store
from hub.identity.authority import Authority
from hub.identity.enrolling import Chain, No, Wipe
from hub.signing import Signing
from tests.identity.conftest import NOW_MS
from tests.identity.parts import DAY_MS, NewDevice, OwnTown, ask_of, request_of, soon
from wire import codec, enrolment, x509
from wire.enrolment import Late, LateAnswer, Refusal

GRACE_MS = 60 * DAY_MS


class Device:
    """A device's side: its key, its chain, and what it asks with them."""

    def __init__(self, name: str, key: bytes, chain: str) -> None:
        self.name, self.key, self.chain = name, key, chain

    def late(self, signed_ms: int, request: str = "", *, key: bytes = b"", **changed: object) -> Late:
        """A late renewal, well signed unless something is changed afterwards."""
        request = request or request_of(self.name)[1]
        data = enrolment.late_bytes(self.name, self.chain, request, signed_ms)
        signature = enrolment.write_signature(x509.sign(x509.read_key(key or self.key), data))
        return msgspec.structs.replace(Late(self.name, self.chain, request, signed_ms, signature), **changed)


@pytest.fixture
def device(db: Db, authority: Authority) -> Device:
    """One that is enrolled."""
    return _enrol(db, authority, "t1")


def _enrol(db: Db, authority: Authority, name: str) -> Device:
    key, request = request_of(name)
    made = db.write_now(lambda conn: inviting.make_code(conn, name, "tablet", "", "hanako"))
    assert isinstance(made, inviting.Made)
    ask = ask_of(name, made.code, request=request)
    done = db.write_now(lambda conn: enrolling.enrol(conn, authority, ask, "here", pages.now_ms() + 1))
    assert isinstance(done, Chain)
    return Device(name, key, done.text)


def _ask(db: Db, authority: Authority, late: Late, days: float) -> Chain | No | Wipe:
    at_ms = NOW_MS + int(days * DAY_MS)
    return db.write_now(lambda conn: enrolling.renew_late(conn, authority, late, at_ms, GRACE_MS))


@pytest.mark.parametrize(("days", "given"), [(30, True), (89, True), (120, True), (149.9, True), (150.1, False)])
def test_a8_it_is_given_until_the_grace_is_over(
    db: Db, authority: Authority, device: Device, days: float, *, given: bool
) -> None:
    done = _ask(db, authority, device.late(NOW_MS), days)
    assert isinstance(done, Chain) == given
    if isinstance(done, No):
        assert "ended too long ago; a code is needed" in done.error


def test_the_same_request_again_gives_the_same_certificate(db: Db, authority: Authority, device: Device) -> None:
    late = device.late(NOW_MS)
    first, again = (_ask(db, authority, late, 100) for _ in range(2))
    assert isinstance(first, Chain)
    assert first == again
    assert len(db.read(lambda conn: store.of_device(conn, 1))) == 2


def test_only_from_the_newest_certificate(db: Db, authority: Authority, device: Device) -> None:
    """Whoever has an older copy of the card gets nothing by it."""
    key, request = request_of("t1")
    done = _ask(db, authority, device.late(NOW_MS, request), 100)
    assert isinstance(done, Chain)
    old = _ask(db, authority, device.late(NOW_MS), 101)
    assert isinstance(old, No)
    assert "has a newer certificate" in old.error
    assert isinstance(_ask(db, authority, Device("t1", key, done.text).late(NOW_MS), 200), Chain)


def test_what_is_not_proved_gets_nothing(db: Db, authority: Authority, device: Device) -> None:
    other = _enrol(db, authority, "t2")
    stranger = authority.issue(request_of("t1")[1].encode(), "t1", NOW_MS)
    tries = {
        "another key": device.late(NOW_MS, key=other.key),
        "another request": msgspec.structs.replace(device.late(NOW_MS), request=request_of("t1")[1]),
        "another time": device.late(NOW_MS, at_ms=NOW_MS + 1),
        "another name": device.late(NOW_MS, device="t2"),
        "another's chain": device.late(NOW_MS, chain=other.chain),
        "a certificate that is not in the register": Device("t1", device.key, stranger.chain).late(NOW_MS),
        "no signature": device.late(NOW_MS, signature=""),
        "no base64": device.late(NOW_MS, signature="é"),
        "no chain": device.late(NOW_MS, chain="x"),
    }
    for what, late in tries.items():
        done = _ask(db, authority, late, 100)
        assert isinstance(done, No), what
        assert done.guess, what
    wrong = _ask(db, authority, device.late(NOW_MS, request_of("t2")[1]), 100)
    assert isinstance(wrong, No)
    assert wrong.error.startswith("request: ")
    assert isinstance(_ask(db, authority, device.late(NOW_MS), 100), Chain)


def test_a7_nothing_once_withdrawn_or_on_hold(db: Db, authority: Authority, device: Device) -> None:
    db.write_now(lambda conn: outbox.hold(conn, 1, "clone", NOW_MS, "hanako"))
    assert isinstance(_ask(db, authority, device.late(NOW_MS), 100), No)
    db.write_now(lambda conn: outbox.release(conn, 1))
    assert isinstance(_ask(db, authority, device.late(NOW_MS), 100), Chain)
    other = _enrol(db, authority, "t2")
    db.write_now(lambda conn: inviting.withdraw(conn, "t2", "retired", "hanako"))
    done = _ask(db, authority, other.late(NOW_MS), 1)
    assert isinstance(done, No)
    assert "was withdrawn" in done.error


def test_a_stolen_device_hears_its_orders_and_gets_no_certificate(
    db: Db, authority: Authority, device: Device, tmp_path: Path
) -> None:
    order = codec.encode(Signing(tmp_path).order("t1", "0" * 32, "wipe", {}, NOW_MS + 400 * DAY_MS))
    _steal(db, 1, order)
    done = _ask(db, authority, device.late(NOW_MS), 300)
    assert done == Wipe((order.decode(),))
    made = db.write_now(lambda conn: inviting.make_code(conn, "t1", "tablet", "", "hanako"))
    assert isinstance(made, str)
    assert "was reported stolen" in made


def _steal(db: Db, device_id: int, order: bytes) -> None:
    def steal(conn: Connection) -> None:
        store.revoke(conn, device_id, "stolen", NOW_MS)
        outbox.hold(conn, device_id, "stolen", NOW_MS, "hanako")
        outbox.put(conn, device_id, "order", "0" * 32, order, NOW_MS, despite_hold=True)
        outbox.put(conn, device_id, "order", "1" * 32, b"{}", NOW_MS)

    db.write_now(steal)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[OwnTown]:
    """A town whose hub runs, and whose broker has ended."""
    town = OwnTown(tmp_path / "town")
    with town.hub:
        yield town


def test_a_device_that_the_broker_shuts_out_asks_the_hub(town: OwnTown) -> None:
    """The real agent: no broker for longer than its patience; a new certificate, or what a stolen one must do."""
    device = NewDevice(town, late_after_s=1)
    assert device.enrol("--invitation", town.invite(device.name).text).returncode == 0
    first = device.serial
    with device:
        assert soon(lambda: device.serial != first, 120), device.log.read_text()
    assert town.how(device.name) == ["code", "late"]

    signing = Signing(town.folder / "hub")
    order = codec.encode(signing.order(device.name, "a" * 32, "lock", {}, NOW_MS + DAY_MS))
    database = Db(town.hub.database)
    _steal(database, 1, order)
    database.close()
    with device:
        assert soon(lambda: "result" in _kinds(device), 120), device.log.read_text()


def _kinds(device: NewDevice) -> set[str]:
    """Kinds of the records on a device's disk."""
    with contextlib.closing(sqlite3.connect(f"file:{device.state / 'spool.db'}?mode=ro", uri=True)) as conn:
        return {kind for (kind,) in conn.execute("SELECT DISTINCT kind FROM record")}


def test_an_old_request_that_somebody_kept_is_not_answered(town: OwnTown) -> None:
    key, request = request_of("t1")
    answer = town.ask(ask_of("t1", town.invite("t1").code, request=request))
    device = Device("t1", key, msgspec.json.decode(answer.content, type=enrolment.Given).chain)
    old = town.ask(device.late(NOW_MS - DAY_MS), enrolment.RENEW_PATH)
    assert old.status_code == 409
    now_ms = msgspec.json.decode(old.content, type=Refusal).now_ms
    assert now_ms is not None
    new = town.ask(device.late(now_ms), enrolment.RENEW_PATH)
    assert new.status_code == 200
    assert msgspec.json.decode(new.content, type=LateAnswer).chain
