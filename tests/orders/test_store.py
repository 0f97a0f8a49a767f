"""Orders in the hub's database: results in any order, files in parts, what is over and what is taken back."""

import base64
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.db import Connection, Db
from hub.fleet import outbox
from hub.orders import giving, store
from hub.orders.giving import CannotOrder, Target
from hub.orders.progress import Progress
from hub.signing import Signing
from hub.told import Told
from wire import codec
from wire.messages import Bundle, Order, Result
from wire.orders import BUNDLE_PARTS, VERBS

NOW_MS = 1_795_476_240_000
ONE, TWO = Target(1, "terminal-1", "terminal"), Target(2, "ap-1", "access_point")


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Db]:
    """A hub's database with two devices, both online."""
    db = Db(tmp_path / "hub.db")
    db.open()

    def fill(conn: Connection) -> None:
        for one in (ONE, TWO):
            conn.execute(
                "INSERT INTO device (id, name, kind, first_heard_ms, last_heard_ms, online, boot, connection, version) "
                "VALUES (?, ?, ?, 0, 0, 1, 'b', 1, '')",
                (one.id, one.name, one.kind),
            )

    db.write_now(fill)
    yield db
    db.close()


@pytest.fixture
def signing(tmp_path: Path) -> Signing:
    """The hub's signature."""
    return Signing(tmp_path / "signing")


def _give(db: Db, signing: Signing, name: str = "ping", target: Target = ONE, **more: bool) -> str:
    arguments = {"process": "kiosk"} if name == "restart" else {}
    return db.write_now(lambda conn: giving.give(conn, signing, target, (name, arguments), "hanako", NOW_MS, **more))


def _take(db: Db, *bodies: Result | Bundle, device: Target = ONE, at_ms: int = NOW_MS + 1000) -> None:
    told = [Told(device.id, device.name, n, 0, at_ms, body) for n, body in enumerate(bodies)]
    take = store.take_results if isinstance(bodies[0], Result) else store.take_bundles
    db.write_now(lambda conn: take(conn, told))


def _row(db: Db, order_id: str, now_ms: int = NOW_MS) -> store.OrderRow:
    row = db.read(lambda conn: store.order(conn, order_id, now_ms))
    assert row is not None
    return row


def _due(db: Db, now_ms: int = NOW_MS) -> list[outbox.Outgoing]:
    return db.read(lambda conn: outbox.due(conn, now_ms, 100))


def test_what_is_given_is_signed_and_waits_to_be_sent(db: Db, signing: Signing) -> None:
    order_id = _give(db, signing)
    (due,) = _due(db)
    order = codec.decode_down(due.message)
    assert isinstance(order, Order)
    assert (order.id, order.name, order.not_after_ms) == (order_id, "ping", NOW_MS + VERBS["ping"].good_for_ms)
    assert _row(db, order_id).progress.state == "made"
    db.write_now(lambda conn: outbox.mark_sent(conn, [due], NOW_MS + 5))
    assert _row(db, order_id).progress == Progress("sent", sent_ms=NOW_MS + 5)


def test_it_is_sent_until_it_has_ended(db: Db, signing: Signing) -> None:
    order_id = _give(db, signing)
    db.write_now(lambda conn: outbox.mark_sent(conn, _due(db), NOW_MS + 5))
    _take(db, Result(order_id, "delivered"))
    assert _due(db, NOW_MS + 70_000)
    _take(db, Result(order_id, "done", "x"), at_ms=NOW_MS + 2000)
    assert _due(db, NOW_MS + 70_000) == []
    far = _row(db, order_id).progress
    assert far == Progress("done", NOW_MS + 5, NOW_MS + 1000, NOW_MS + 2000, "x")


def test_another_devices_word_is_not_taken(db: Db, signing: Signing) -> None:
    order_id = _give(db, signing)
    _take(db, Result(order_id, "done"), device=TWO)
    _take(db, Result("f" * 32, "done"))
    assert _row(db, order_id).progress.state == "made"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.permutations(["delivered", "done", "delivered", "done", "expired"]), st.integers(1, 5))
def test_results_in_any_order_and_in_any_groups(db: Db, signing: Signing, states: list[str], size: int) -> None:
    order_id = _give(db, signing)
    for start in range(0, len(states), size):
        _take(db, *(Result(order_id, state) for state in states[start : start + size]))  # type: ignore[arg-type]
    assert _row(db, order_id).progress.state == "done"


def test_many_results_at_once(db: Db, signing: Signing) -> None:
    ids = [_give(db, signing) for _ in range(1200)]
    _take(db, *(Result(one, "done") for one in ids))
    assert {_row(db, one).progress.state for one in ids} == {"done"}
    assert _due(db) == []


@pytest.mark.parametrize(
    ("name", "target", "reason"),
    [
        ("dance", ONE, "unknown_order"),
        ("lock", TWO, "not_for_this_kind"),
        ("ping", Target(1, "terminal-1", ""), "not_for_this_kind"),
    ],
)
def test_what_cannot_be_ordered(db: Db, signing: Signing, name: str, target: Target, reason: str) -> None:
    with pytest.raises(CannotOrder, match=reason):
        _give(db, signing, name, target)
    assert _due(db) == []


def test_a_device_on_hold_is_given_nothing_but_what_is_meant_for_it(db: Db, signing: Signing) -> None:
    db.write_now(lambda conn: outbox.hold(conn, ONE.id, "stolen", NOW_MS, "hanako"))
    with pytest.raises(CannotOrder, match="held"):
        _give(db, signing)
    _give(db, signing, "wipe", despite_hold=True)
    assert len(_due(db)) == 1


def test_what_nobody_answers_expires_and_is_not_sent(db: Db, signing: Signing) -> None:
    order_id = _give(db, signing)
    over_ms = NOW_MS + VERBS["ping"].good_for_ms + 1
    assert _due(db, over_ms) == []
    assert _row(db, order_id, over_ms).progress.state == "expired"
    assert not db.read(lambda conn: store.is_overdue(conn, over_ms - 2))
    assert db.read(lambda conn: store.is_overdue(conn, over_ms))
    assert db.write_now(lambda conn: store.expire(conn, over_ms)) == ["terminal-1"]
    assert not db.read(lambda conn: store.is_overdue(conn, over_ms))
    assert db.read(lambda conn: outbox.sent(conn, ONE.id, "order", order_id)) is None
    # It was done in time, and told late.
    _take(db, Result(order_id, "done"), at_ms=over_ms + 10**6)
    assert _row(db, order_id, over_ms + 10**6).progress.state == "done"


def test_one_is_taken_back_only_while_no_device_has_it(db: Db, signing: Signing) -> None:
    first, second = _give(db, signing), _give(db, signing)
    _take(db, Result(second, "delivered"))
    assert db.write_now(lambda conn: store.withdraw(conn, first, NOW_MS))
    assert not db.write_now(lambda conn: store.withdraw(conn, second, NOW_MS))
    assert not db.write_now(lambda conn: store.withdraw(conn, "f" * 32, NOW_MS))
    assert _row(db, first).progress.detail == "withdrawn"
    assert len(_due(db)) == 1


def test_a_file_comes_in_parts(db: Db, signing: Signing) -> None:
    order_id = _give(db, signing, "diagnostics")
    data = secrets.token_bytes(25_000)
    parts = [data[start : start + 10_000] for start in range(0, len(data), 10_000)]
    bodies = [Bundle(order_id, n, 3, base64.b64encode(part).decode()) for n, part in enumerate(parts)]
    _take(db, bodies[2], bodies[0], bodies[2])
    assert db.read(lambda conn: store.bundle(conn, order_id)) is None
    assert db.read(lambda conn: store.parts(conn, [order_id]))[order_id] == store.Parts(2, 3, 15_000)
    _take(db, bodies[1])
    assert db.read(lambda conn: store.bundle(conn, order_id)) == data
    # Files are kept for so long as somebody may look at them.
    old_ms = NOW_MS + (store.BUNDLE_DAYS + 1) * 86_400_000
    db.write_now(lambda conn: store.expire(conn, old_ms))
    assert db.read(lambda conn: store.parts(conn, [order_id])) == {}


def test_parts_that_do_not_fit_are_not_taken(db: Db, signing: Signing) -> None:
    asked, other = _give(db, signing, "diagnostics"), _give(db, signing)
    text = base64.b64encode(b"x").decode()
    _take(db, Bundle(asked, 0, 2, text))
    _take(
        db,
        Bundle(asked, 1, 3, text),
        Bundle(asked, 2, 2, text),
        Bundle(asked, 1, 2, "no base64!"),
        Bundle(asked, 1, 2, base64.b64encode(bytes(10_501)).decode()),
        Bundle(asked, 0, BUNDLE_PARTS + 1, text),
        Bundle(other, 0, 1, text),
        Bundle("f" * 32, 0, 1, text),
    )
    _take(db, Bundle(asked, 1, 2, text), device=TWO)
    assert db.read(lambda conn: store.parts(conn, [asked, other])) == {asked: store.Parts(1, 2, 1)}


def test_the_newest_come_first_page_by_page(db: Db, signing: Signing) -> None:
    ids = [_give(db, signing, target=ONE if n % 2 else TWO) for n in range(10)]
    first = db.read(lambda conn: store.latest(conn, NOW_MS, 4))
    second = db.read(lambda conn: store.latest(conn, NOW_MS, 100, before=first[-1].number))
    assert [row.id for row in [*first, *second]] == ids[::-1]
    own = db.read(lambda conn: store.latest(conn, NOW_MS, 100, device_id=TWO.id))
    assert [row.id for row in own] == ids[::-1][1::2]
