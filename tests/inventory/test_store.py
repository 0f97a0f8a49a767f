"""What devices tell and what people know come together; loans begin and end once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import audit, db
from hub.db import Connection, Db
from hub.fleet import groups, listing
from hub.inventory import store
from hub.inventory.thing import Item
from tests.ingest.parts import NOW_MS
from tests.inventory.parts import device, lent, tells, thing
from wire.messages import INT64_MAX, Inventory

TODAY = "2026-11-24"


@pytest.fixture
def conn(tmp_path: Path) -> Iterator[Connection]:
    """A real database, inside one transaction."""
    hub = Db(tmp_path / "hub.db")
    hub.open()
    connection = hub._connect(read_only=False)
    connection.execute("BEGIN")
    yield connection
    connection.close()
    hub.close()


def _item(conn: Connection, name: str) -> Item:
    found = store.of_device(conn, name)
    assert found is not None
    return found


def test_the_latest_facts_are_kept(conn: Connection) -> None:
    device(conn, 1, "tablet-1")
    tells(conn, 1, Inventory("Pi", "S1", "Debian", "0.1", 100, 500, 3, 9))
    tells(conn, 1, Inventory("Pi", "S1", "Debian", "0.2"))
    fact = store.fact(conn, 1)
    assert fact is not None
    assert (fact.version, fact.wear_permille, fact.certificate_end_ms) == ("0.2", None, None)
    # What people said nothing about is what the device tells.
    assert _item(conn, "tablet-1").values["serial"] == "S1"
    assert _item(conn, "tablet-1").id == 0


def test_a_thing_in_its_box_finds_its_device_whichever_came_first(conn: Connection) -> None:
    first = thing(conn, asset="A-1", serial="abc123", place="図書館")
    device(conn, 1, "tablet-1")
    device(conn, 2, "tablet-2")
    tells(conn, 1, Inventory(serial="ABC123"))
    tells(conn, 2, Inventory(serial="S2"))
    second = thing(conn, asset="A-2", serial="s2")
    assert (_item(conn, "tablet-1").id, _item(conn, "tablet-2").id) == (first, second)
    assert groups.places_and_tags(conn) == {1: ("図書館", ()), 2: ("", ())}
    assert [(entry.did, entry.what, entry.who) for entry in audit.entries(conn)] == [
        ("joined", "tablet-2", "system"),
        ("joined", "tablet-1", "system"),
    ]
    # It stays there: a second telling changes nothing.
    tells(conn, 1, Inventory(serial="ABC123"))
    assert len(audit.entries(conn)) == 2


def test_two_devices_of_one_serial_number_are_for_a_person_to_tell_apart(conn: Connection) -> None:
    number = thing(conn, asset="A-1", serial="S1")
    for one in (1, 2):
        device(conn, one, f"tablet-{one}")
    store.take(conn, [])
    conn.execute("INSERT INTO device_fact VALUES (2, '', 'S1', '', '', NULL, NULL, NULL, NULL, 0)")
    tells(conn, 1, Inventory(serial="S1"))
    found = store.item(conn, number)
    assert found is not None
    assert found.device == ""


def test_a_device_that_was_entered_already_keeps_its_entry(conn: Connection) -> None:
    device(conn, 1, "tablet-1")
    own = thing(conn, 1, asset="A-1")
    thing(conn, asset="A-2", serial="S1")
    tells(conn, 1, Inventory(serial="S1"))
    assert _item(conn, "tablet-1").id == own


def test_odd_values_of_a_device_do_not_stop_the_intake(conn: Connection) -> None:
    device(conn, 1, "tablet-1")
    thing(conn, serial="x")
    for body in (
        Inventory("\0", "é" * 200, "'; DROP TABLE item", "\u202e", 1100, 1000, INT64_MAX, -INT64_MAX),
        Inventory(serial=" "),
        Inventory(serial="X" * 200),
        Inventory(),
    ):
        tells(conn, 1, body)
    assert store.fact(conn, 1) is not None


def test_a_thing_is_lent_once_at_a_time(conn: Connection) -> None:
    number = thing(conn, asset="A-1")
    lent(conn, number, "R8-001", "2026-11-01", "2026-11-20", "山田")
    with pytest.raises(db.Refused):
        lent(conn, number, "R8-002", "2026-11-02", "2026-11-30")
    assert store.overdue(conn, "2026-11-20") == 0
    assert store.overdue(conn, "2026-11-21") == 1
    store.prolong(conn, number, "2026-12-20")
    assert store.overdue(conn, TODAY) == 0
    store.take_back(conn, number, TODAY, "良好", "taro")
    lent(conn, number, "R8-002", TODAY, "2026-12-30")
    now, before = store.loans(conn, number)
    assert (now.number, now.returned) == ("R8-002", None)
    # The history is kept, the name is not.
    assert (before.number, before.name, before.until, before.returned, before.condition) == (
        "R8-001",
        "",
        "2026-12-20",
        TODAY,
        "良好",
    )
    assert (before.lent_by, before.returned_to) == ("hanako", "taro")


def test_names_are_forgotten_when_they_are_kept_no_more(conn: Connection) -> None:
    assert not store.names_kept(conn)
    store.keep_names(conn, kept=True)
    assert store.names_kept(conn)
    lent(conn, thing(conn, asset="A-1"), "1", TODAY, TODAY, "山田")
    assert store.keep_names(conn, kept=False) == 1
    assert not conn.execute("SELECT 1 FROM loan WHERE name != ''").fetchall()


def test_only_what_was_entered_by_mistake_can_be_removed(conn: Connection) -> None:
    device(conn, 1, "tablet-1")
    kept = [thing(conn, 1, asset="A-1"), thing(conn, asset="A-2")]
    lent(conn, kept[1], "1", TODAY, TODAY)
    store.take_back(conn, kept[1], TODAY, "", "hanako")
    assert not any(store.remove(conn, number) for number in kept)
    assert store.remove(conn, thing(conn, asset="A-3", tags="a b"))
    assert conn.execute("SELECT count(*) FROM item_tag").fetchone() == (0,)


def test_numbers_are_of_one_thing(conn: Connection) -> None:
    first = thing(conn, asset="A-1", serial="S-1")
    second = thing(conn, asset="A-2")
    assert store.taken(conn, "asset", "A-1", second) == "A-1"
    assert store.taken(conn, "asset", "A-1", first) == store.taken(conn, "serial", "", first) == ""
    with pytest.raises(db.Refused):
        store.change(conn, second, {"serial": "S-1"}, NOW_MS)


def test_a_draft_is_its_owner_s_for_an_hour(conn: Connection) -> None:
    store.keep_draft(conn, "t", "hanako", "x.csv", b"1", NOW_MS)
    assert store.draft(conn, "t", "hanako", NOW_MS + store.HOUR_MS) == ("x.csv", b"1")
    assert store.draft(conn, "t", "taro", NOW_MS) is None
    assert store.draft(conn, "t", "hanako", NOW_MS + store.HOUR_MS + 1) is None
    store.keep_draft(conn, "u", "hanako", "y.csv", b"2", NOW_MS)
    assert store.draft(conn, "t", "hanako", NOW_MS) is None


def test_places_and_tags_of_some_or_all(conn: Connection) -> None:
    for number in range(1, 4):
        device(conn, number, f"t-{number}")
    thing(conn, 1, place="役場", tags="b a")
    thing(conn, 2, tags="a")
    thing(conn, asset="box", place="倉庫", tags="c")
    assert groups.places_and_tags(conn) == {1: ("役場", ("a", "b")), 2: ("", ("a",))}
    assert groups.places_and_tags(conn, [2, 3, 999]) == {2: ("", ("a",))}
    assert groups.places_and_tags(conn, []) == {}
    assert groups.places(conn) == ["倉庫", "役場"]
    assert groups.tags(conn) == ["a", "b", "c"]


def test_a_line_of_the_list_tells_place_tags_and_loan(conn: Connection) -> None:
    for number, name in ((1, "t-1"), (2, "t-2"), (3, "t-3")):
        device(conn, number, name)
    lent(conn, thing(conn, 1, place="役場", tags="a b"), "R8-1", "2026-11-01", "2026-11-23")
    lent(conn, thing(conn, 2), "R8-2", "2026-11-01", TODAY)
    tells(conn, 3, Inventory(serial="S3"))
    box = thing(conn, asset="A-9", kind="terminal", place="倉庫", tags="new")
    one, two, three = listing.lines(conn, NOW_MS, TODAY)
    assert (one.thing.place, one.tags, one.thing.loan, one.thing.loan_number) == ("役場", ("a", "b"), "overdue", "R8-1")
    assert (two.thing.loan, two.thing.loan_until) == ("lent", TODAY)
    assert (three.thing.id, three.thing.loan, three.thing.serial) == (0, "", "S3")
    (boxed,) = listing.unheard(conn, TODAY)
    assert (boxed.row.id, boxed.row.kind, boxed.condition.word, boxed.tags) == (0, "terminal", "unheard", ("new",))
    assert (boxed.thing.id, boxed.thing.loan) == (box, "store")
