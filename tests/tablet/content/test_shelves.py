"""Who a shelf is for: the registers' districts, lines and loans, and what the town says of itself."""

import zlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from hub import shown
from hub.db import Connection, Db
from hub.tablet import shelf_store
from hub.tablet.shelf import Town
from hub.waiver import line_allowance
from tests.certificates import pki
from tests.roster.parts import certify
from wire.shelf import Allowance, ShelfContent, Telephone, unpack

# 2026-11-25 in Japan.
NOW_MS = 1_795_570_000_000
DAY_MS = 86_400_000
KEY = bytes(32)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Db]:
    """A hub's database with three tablets: lent with a line, lent without, in the store."""
    made = Db(tmp_path / "hub.db")
    made.open()
    made.write_now(_fill)
    for name in ("tablet-1", "tablet-2", "tablet-3"):
        certify(made, name, pki().identity(name), NOW_MS)
    yield made
    made.close()


def _fill(conn: Connection) -> None:
    for n in (1, 2, 3):
        conn.execute(
            "INSERT INTO device (id, name, kind, first_heard_ms, last_heard_ms) VALUES (?, ?, 'tablet', 0, 0)",
            (n, f"tablet-{n}"),
        )
        conn.execute("INSERT INTO item (id, device_id, changed_ms) VALUES (?, ?, 0)", (n, n))
    conn.execute("INSERT INTO device (name, kind, first_heard_ms, last_heard_ms) VALUES ('clock-1', 'terminal', 0, 0)")
    conn.executemany(
        "INSERT INTO resident (id, number, district, changed_ms) VALUES (?, ?, ?, 0)",
        [(1, "R-1", "東町"), (2, "R-2", "西町"), (3, "R-3", "南町")],
    )
    conn.executemany(
        "INSERT INTO loan (item_id, number, since, until, returned, lent_by) VALUES (?, ?, ?, '2027-03-31', ?, 'x')",
        [(1, "R-1", "2026-10-01", None), (2, "R-3", "2026-05-01", "2026-06-01"), (2, "R-2", "2026-10-01", None)],
    )
    conn.executemany(
        "INSERT INTO line (id, phone, iccid, from_day, changed_ms) VALUES (?, ?, ?, '2026-01-01', 0)",
        [(1, "090-1", "8981"), (2, "090-2", "8982")],
    )
    conn.executemany(
        "INSERT INTO line_tariff (line_id, from_month, code) VALUES (?, ?, ?)",
        [(1, "2026-01", "old"), (1, "2026-11", "now"), (1, "2026-12", "later"), (2, "2026-01", "now")],
    )
    conn.executemany(
        "INSERT INTO tariff (code, from_month, body, entered_by, entered_ms) VALUES (?, '2026-01', ?, 'x', 0)",
        [
            (code, f'{{"base_yen": 1480, "included_bytes": {gb}000000000}}')
            for code, gb in (("old", 1), ("now", 3), ("later", 9))
        ],
    )
    # The second line's use is over.
    conn.executemany(
        "INSERT INTO line_use (line_id, resident_id, item_id, from_day, to_day, from_ms, changed_ms) "
        "VALUES (?, ?, ?, '2026-11-01', ?, ?, 0)",
        [(1, 1, 1, "", 1_793_500_000_000), (2, 2, 2, "2026-11-10", 0)],
    )


def _shelves(db: Db, now_ms: int = NOW_MS) -> dict[int, ShelfContent]:
    def read(conn: Connection) -> dict[int, bytes]:
        return shelf_store.contents(conn, KEY, line_allowance.by_device(conn, now_ms), now_ms)

    return {id_: unpack(zlib.compress(plain)) for id_, plain in db.read(read).items()}


def test_who_has_which_tablet_comes_from_line_and_loan(db: Db) -> None:
    found = {
        one.device_id: (one.number, one.district) for one in db.read(lambda conn: shelf_store.tablets(conn, NOW_MS))
    }
    assert found == {1: ("R-1", "東町"), 2: ("R-2", "西町"), 3: ("", "")}


def test_the_allowance_is_that_of_the_month_and_since_the_hand_over(db: Db) -> None:
    shelves = _shelves(db)
    assert shelves[1].allowance == Allowance("8981", 3_000_000_000, 1_793_500_000_000)
    # Lent, its line given back: only since when.
    assert shelves[2].allowance == Allowance(since_ms=shown.day_start_ms(date(2026, 10, 1)))
    assert shelves[3].allowance is None
    december = _shelves(db, NOW_MS + 10 * DAY_MS)
    assert december[1].allowance == Allowance("8981", 9_000_000_000, 1_793_500_000_000)


def test_each_tablet_has_a_ticket_of_its_own_that_stays(db: Db) -> None:
    tickets = {id_: one.ticket for id_, one in _shelves(db).items()}
    assert len(set(tickets.values())) == 3
    assert tickets == {id_: one.ticket for id_, one in _shelves(db, NOW_MS + DAY_MS).items()}
    # Nothing of it is in the database.
    for ticket in tickets.values():
        secret = ticket.rpartition(".")[2]
        dump = "\n".join(str(row) for row in db.read(lambda conn: list(conn.execute("SELECT * FROM paper"))))
        assert secret not in dump


def test_a_tablet_without_a_good_certificate_has_no_shelf(db: Db) -> None:
    db.write_now(lambda conn: conn.execute("UPDATE certificate SET revoked_ms = 1 WHERE device_id = 2"))
    assert set(_shelves(db)) == {1, 3}


def test_what_the_town_says_of_itself_is_on_every_shelf_and_marks_them(db: Db) -> None:
    before = db.read(lambda conn: conn.execute("SELECT touched FROM paper_state WHERE kind = 'shelf'").fetchone())
    assert before is None
    town = Town("モデル町役場", (Telephone("保健センター", "0123-45-6789"),))
    db.write_now(lambda conn: shelf_store.set_town(conn, town))
    assert {one.town for one in _shelves(db).values()} == {"モデル町役場"}
    assert {one.telephones for one in _shelves(db).values()} == {town.telephones}
    after = db.read(lambda conn: conn.execute("SELECT touched FROM paper_state WHERE kind = 'shelf'").fetchone())
    assert after == (1,)


def test_the_same_town_says_the_same_bytes(db: Db) -> None:
    def read(conn: Connection) -> dict[int, bytes]:
        return shelf_store.contents(conn, KEY, {}, NOW_MS)

    assert db.read(read) == db.read(read)
