"""The checklist of identity and enrolment, A6 to A8: the next certificate. See also `test_late.py`."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from edge_agent.identity import renewal
from hub import pages
from hub.db import Connection, Db
from hub.identity import enrolling, inviting, store
from hub.identity.authority import Authority
from hub.identity.enrolling import Chain
from hub.told import Told
from tests.identity.parts import DAY_MS, ask_of, request_of
from wire import codec
from wire.messages import Certificate, Renewal

NOW = datetime.now(UTC).replace(microsecond=0)
NOW_MS = int(NOW.timestamp()) * 1000
ROOT = Path(__file__).resolve().parents[2]


# ---- A6


def test_a6_500_devices_of_one_hour_renew_spread_out_and_in_time(authority: Authority) -> None:
    minutes: Counter[int] = Counter()
    chain = authority.issue(request_of("t1")[1].encode(), "t1", NOW_MS).chain.encode()
    begin_ms, end_ms = NOW_MS - 300_000, NOW_MS + 90 * DAY_MS
    for number in range(500):
        due_ms = renewal.due_ms(begin_ms, end_ms, chain + str(number).encode())
        assert 56 * DAY_MS < due_ms - NOW_MS < 60 * DAY_MS
        minutes[due_ms // 60_000] += 1
    assert max(minutes.values()) <= 5


@given(st.integers(0, 2**41), st.integers(60_000, 400 * DAY_MS), st.binary(max_size=64))
def test_a6_every_certificate_is_due_between_six_and_seven_tenths_of_its_life(
    begin_ms: int, life_ms: int, certificate: bytes
) -> None:
    due_ms = renewal.due_ms(begin_ms, begin_ms + life_ms, certificate)
    assert begin_ms + life_ms * 6 // 10 <= due_ms <= begin_ms + life_ms * 2 // 3
    assert due_ms == renewal.due_ms(begin_ms, begin_ms + life_ms, certificate)
    assert renewal.is_to_ask(due_ms, due_ms, None)
    assert not renewal.is_to_ask(due_ms - 1, due_ms, None)
    assert not renewal.is_to_ask(due_ms + DAY_MS - 1, due_ms, due_ms)
    assert renewal.is_to_ask(due_ms + DAY_MS, due_ms, due_ms)
    # A clock that went back does not silence it.
    assert renewal.is_to_ask(due_ms, due_ms, due_ms + 1)


def test_a6_the_old_certificate_stays_good_and_a_key_gets_one(db: Db, authority: Authority) -> None:
    _first(db, authority, "t1")
    chain, again = _renewed(db, authority, "t1"), _renewed(db, authority, "t1")
    assert chain
    assert again
    assert chain != again
    found = db.read(lambda conn: store.of_device(conn, store.device_id(conn, "t1") or 0))
    assert [one.revoked_ms for one in found] == [None] * 3
    # The same request again: the same certificate, not another.
    request = request_of("t1")[1]
    assert _renewed(db, authority, "t1", request) == _renewed(db, authority, "t1", request)
    assert len(db.read(lambda conn: store.of_device(conn, store.device_id(conn, "t1") or 0))) == 4


def _first(db: Db, authority: Authority, device: str) -> None:
    made = db.write_now(lambda conn: inviting.make_code(conn, device, "tablet", "", "hanako"))
    assert isinstance(made, inviting.Made)
    done = db.write_now(
        lambda conn: enrolling.enrol(conn, authority, ask_of(device, made.code), "here", pages.now_ms() + 1)
    )
    assert isinstance(done, Chain)


def _renewed(db: Db, authority: Authority, device: str, request: str = "") -> str:
    """What goes down to a device that asked over MQTT; empty when nothing does."""
    body = Renewal(request or request_of(device)[1])

    def take(conn: Connection) -> None:
        id_ = store.device_id(conn, device)
        store.take_renewals(conn, [Told(id_ or 0, device, 1, NOW_MS, NOW_MS, body)])
        conn.execute("DELETE FROM outbox")

    db.write_now(take)
    for one in db.read(lambda conn: store.asked(conn, 10)):
        db.write_now(lambda conn, one=one: enrolling.renew(conn, authority, one, pages.now_ms() + 1))  # type: ignore[misc]
    messages = db.read(lambda conn: conn.execute("SELECT message FROM outbox WHERE what = 'certificate'").fetchall())
    if not messages:
        return ""
    told = codec.decode_down(bytes(messages[0][0]))
    assert isinstance(told, Certificate)
    return told.chain


# ---- A7


def test_a7_no_renewal_for_a_device_that_the_register_does_not_know(db: Db, authority: Authority) -> None:
    db.write_now(lambda conn: store.make_device(conn, "stranger", "tablet", NOW_MS))
    assert _renewed(db, authority, "stranger") == ""


def test_a7_no_renewal_once_withdrawn_even_before_the_list_is_out(db: Db, authority: Authority) -> None:
    _first(db, authority, "t1")
    assert _renewed(db, authority, "t1")
    before = authority.crl()
    db.write_now(lambda conn: inviting.withdraw(conn, "t1", "lost", "hanako"))
    assert _renewed(db, authority, "t1") == ""
    assert authority.crl() == before
    # Asked once and refused: it is not answered later by a change of mind, only by a new question.
    assert db.read(lambda conn: store.asked(conn, 10)) == []


def test_a7_another_device_s_name_in_a_request_gets_nothing(db: Db, authority: Authority) -> None:
    for name in ("t1", "t2"):
        _first(db, authority, name)
    assert _renewed(db, authority, "t1", request_of("t2")[1]) == ""
    assert _renewed(db, authority, "t1", "nonsense") == ""


# ---- A8: see also test_late.py and test_renewal.py


def test_a8_an_ended_certificate_is_refused_and_a_new_code_works(db: Db, authority: Authority) -> None:
    _first(db, authority, "t1")
    long_after = NOW_MS + 160 * DAY_MS
    assert not db.read(lambda conn: store.is_good(conn, store.device_id(conn, "t1") or 0, long_after))
    made = db.write_now(lambda conn: inviting.make_code(conn, "t1", "tablet", "", "hanako"))
    assert isinstance(made, inviting.Made)
    used = db.write_now(lambda conn: enrolling.enrol(conn, authority, ask_of("t1", made.code), "x", pages.now_ms() + 1))
    assert isinstance(used, Chain)
    assert used.withdrew
