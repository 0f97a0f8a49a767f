"""What the hub keeps of devices' words: odd uses, purses, and the ledger."""

import secrets
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from hub import shown
from hub.benefit import account_store, booking, purse, purse_store, store, use_store
from hub.benefit.purse import Given
from hub.db import Connection, Db
from hub.papers.store import PACKED_BYTES, NoContent
from hub.signing import Signing
from hub.told import Told
from hub.waiver import ledger_store
from tests.benefit.parts import DAY_MS, HANA, NOW_MS, TAXI, TOME, begin, takes_benefits
from wire.purse import Allowance, PurseContent
from wire.tablet import BenefitUse, PaperReport


class Office:
    """A hub's database with one resident and three terminals; the clock of the tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.db = Db(folder / "hub.db")
        self.db.open()
        self.signing = Signing(folder)
        self.resident_id, self.devices = begin(self.db, self.signing, 5, "genkan-1", "kominkan-1", "toshokan-1")
        self.serial = 0

    def rows(self) -> list[account_store.AllowanceRow]:
        """The allowances, by device."""
        found = self.db.read(lambda conn: account_store.allowances(conn, [self.resident_id]))
        return sorted(found, key=lambda one: one.device_id)

    def use(self, units: int = 1, *, device: int = 0, at_ms: int = NOW_MS, **changes: object) -> BenefitUse:
        """A use as a device tells it, taken in twice."""
        row = self.rows()[device]
        self.serial += 1
        body = BenefitUse(f"{self.serial:032x}", row.id, units, row.used + units, HANA, until_ms=row.until_ms)
        body = msgspec.structs.replace(body, **changes)
        told = Told(self.devices[device], row.device, self.serial, at_ms, NOW_MS, body)
        self.db.write_now(lambda conn: use_store.take_uses(conn, [told, told]))
        return body

    def troubles(self) -> list[str]:
        """What is wrong with uses, oldest first."""
        return [one.trouble for one in self.db.read(use_store.troubles)]

    def balance(self) -> int:
        """What is left today."""
        found = self.db.read(lambda conn: account_store.accounts(conn, [self.resident_id]))
        return found[self.resident_id, "taxi"].balance(shown.day_of(NOW_MS))

    def contents(self) -> dict[int, PurseContent]:
        """What every device's purse says."""
        found = self.db.read(lambda conn: purse_store.contents(conn, self.folder, NOW_MS))
        return {id_: msgspec.json.decode(one, type=PurseContent) for id_, one in found.items()}


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """One."""
    made = Office(tmp_path)
    yield made
    made.db.close()


def test_each_terminal_may_take_what_is_left_but_no_more_than_its_share(office: Office) -> None:
    assert [(one.limit, one.used, one.exposure) for one in office.rows()] == [(2, 0, 2)] * 3
    office.use(2)
    office.use(2, device=1)
    # One is left: nobody may take more than that, and what was taken counts inside each limit.
    assert office.balance() == 1
    assert [(one.limit, one.used) for one in office.rows()] == [(3, 2), (3, 2), (1, 0)]
    # The third was told 2, the first 4 when three were left: neither has said that it goes by less.
    assert [one.exposure for one in office.rows()] == [2, 1, 2]
    assert office.troubles() == []


def test_a_lower_limit_counts_when_the_device_has_said_so_in_its_lane(office: Office) -> None:
    office.use(2)
    office.use(2, device=1)
    (_, _, third) = office.rows()

    def told(conn: Connection, touched: int, generation: int) -> None:
        conn.execute(
            "INSERT OR REPLACE INTO paper VALUES (?, 'purse', 'a', ?, '', '', ?, x'', 0)",
            (third.device_id, generation, touched),
        )

    def report(generation: int, kind: str = "purse", result: str = "applied") -> None:
        body = PaperReport(kind, "a", generation, result)  # type: ignore[arg-type]
        one = Told(third.device_id, third.device, 1, NOW_MS, NOW_MS, body)
        office.db.write_now(lambda conn: use_store.take_reports(conn, [one]))

    (mark,) = office.db.read(
        lambda conn: conn.execute("SELECT mark FROM benefit_allowance WHERE id = ?", (third.id,)).fetchone()
    )
    office.db.write_now(lambda conn: told(conn, mark - 1, 1))
    report(1)  # a purse from before the limit fell
    report(2)  # one that this hub never made
    assert office.rows()[2].exposure == 2
    office.db.write_now(lambda conn: told(conn, mark, 3))
    report(3, result="refused")
    report(3, kind="shelf")
    assert office.rows()[2].exposure == 2
    report(3)
    assert office.rows()[2].exposure == 1


def test_a_use_over_the_balance_counts_and_is_shown_whatever_came_first(office: Office) -> None:
    for device in (2, 1, 0):
        office.use(2, device=device, at_ms=NOW_MS - device)
    assert office.balance() == 0
    assert office.troubles() == ["over"]
    (wrong,) = office.db.read(use_store.troubles)
    assert wrong.device == "genkan-1"  # the last one in time
    # One of the others is taken back by an officer: nothing is over any more.
    first = office.db.read(lambda conn: use_store.uses(conn, office.resident_id))[-1]
    office.db.write_now(lambda conn: use_store.take_back(conn, first, "not taken", "kazue", NOW_MS))
    assert office.troubles() == []
    assert office.balance() == 1


def test_what_does_not_fit_is_told(office: Office) -> None:
    office.use(1, used=3)
    office.use(1, at_ms=NOW_MS + 10 * DAY_MS)
    office.use(1, device=1, allowance="taxi.0123456789")
    office.use(1, device=2, allowance="bath.0123456789")
    office.use(1, device=2, allowance="taxi.abcdef0123", card=TOME)
    assert office.troubles() == ["gap", "late", "unknown", "unknown", "unknown"]
    # Of an unknown allowance it still counts where its name and the card say whose it is.
    assert office.balance() == 2
    # A device's own count is what its next limit goes on from.
    assert office.rows()[0].used == 4
    assert office.rows()[0].limit == 6


def test_a_take_back_at_the_device_counts_once(office: Office) -> None:
    use = office.use(2)
    office.use(2, used=0, takes_back=use.use)
    office.use(2, used=0, takes_back=use.use)
    assert office.balance() == 5
    (row,) = office.db.read(lambda conn: use_store.uses(conn, office.resident_id))
    assert row.back == "device"
    assert office.rows()[0].used == 0
    # An officer cannot take it back once more.
    assert not office.db.write_now(lambda conn: use_store.take_back(conn, row, "x", "kazue", NOW_MS))


def test_a_terminal_that_takes_none_any_more_is_told_so_and_bound_until_it_has_heard(office: Office) -> None:
    def off(conn: Connection) -> None:
        takes_benefits(conn, office.signing, office.devices[0], NOW_MS, on=False)
        conn.execute("INSERT INTO paper VALUES (?, 'purse', 'a', 1, '', '', 1, x'', 0)", (office.devices[0],))
        account_store.give(conn, NOW_MS)

    office.db.write_now(off)
    first = office.contents()[office.devices[0]]
    assert first.benefits == ()
    assert [one.limit for one in first.allowances] == [0]
    assert office.rows()[0].exposure == 2
    # The key of cards is the one that rosters have; without a good one no purse is made.
    (office.folder / "cards.key").write_bytes(b"short")
    with pytest.raises(NoContent, match=r"cards\.key"):
        office.contents()


def test_a_card_that_is_stopped_is_in_no_purse(office: Office) -> None:
    assert [one.card for one in office.contents()[office.devices[1]].allowances] == [HANA]
    office.db.write_now(lambda conn: store.take_card(conn, HANA, office.resident_id, NOW_MS))
    assert office.contents()[office.devices[1]].allowances == ()
    assert [one.limit for one in office.rows()] == [0, 0, 0]


def test_a_purse_holds_as_many_as_fit_those_first_who_can_take_something() -> None:
    def one(n: int, *, empty: bool) -> Given:
        card = secrets.token_hex(16)
        told = Allowance(f"taxi.{secrets.token_hex(5)}", card, "taxi", 2, NOW_MS, 5, 2 if empty else 0)
        return Given(told, "taxi", n)

    given = [one(n, empty=n % 2 == 0) for n in range(2600)]
    content, left_out = purse.content(bytes(32), {"taxi": TAXI}, given, "2026-11-24", PACKED_BYTES)
    assert len(content.allowances) + left_out == 2600
    assert left_out > 0
    assert len(zlib.compress(msgspec.json.encode(content), 9)) <= PACKED_BYTES
    held = {one.id for one in content.allowances}
    assert {one.allowance.id for one in given if one.allowance.used == 0} <= held
    # The same is the same bytes.
    again, _ = purse.content(bytes(32), {"taxi": TAXI}, given[::-1], "2026-11-24", PACKED_BYTES)
    assert again == content


def test_uses_are_booked_once_and_what_comes_late_goes_to_the_open_month(office: Office) -> None:
    office.use(2, at_ms=NOW_MS - 30 * DAY_MS)

    def book(conn: Connection) -> None:
        booking.book(conn, now_ms=NOW_MS)

    def close(conn: Connection) -> None:
        ledger_store.close(conn, "benefit", "2026-10", now_ms=NOW_MS, by="mari", approved_by="jiro")

    assert office.db.read(booking.is_due)
    office.db.write_now(book)
    office.db.write_now(book)
    assert not office.db.read(booking.is_due)
    office.db.write_now(close)
    late = office.use(1, device=1, at_ms=NOW_MS - 31 * DAY_MS)
    office.db.write_now(book)
    entries = office.db.read(
        lambda conn: conn.execute("SELECT month, effective_day, kind, entered_by FROM ledger_entry").fetchall()
    )
    assert entries == [
        ("2026-10", "2026-10-25", "benefit_use", "system"),
        ("2026-11", "2026-10-24", "benefit_use", "system"),
    ]
    legs = office.db.read(
        lambda conn: conn.execute(
            "SELECT account, yen, budget_code, fiscal_year, of_month FROM ledger_leg ORDER BY entry_seq, n"
        ).fetchall()
    )
    assert legs == [
        ("aid", 1200, "03-01-02-19", 2026, "2026-10"),
        ("payable", -1200, "03-01-02-19", 2026, "2026-10"),
        ("aid", 600, "03-01-02-19", 2026, "2026-10"),
        ("payable", -600, "03-01-02-19", 2026, "2026-10"),
    ]
    row = office.db.read(lambda conn: use_store.use(conn, (office.devices[1], late.use)))
    assert row is not None
    office.db.write_now(lambda conn: use_store.take_back(conn, row, "not taken", "kazue", NOW_MS))
    office.db.write_now(book)
    assert office.db.read(lambda conn: ledger_store.balances(conn, area="benefit")) == {"aid": 1200, "payable": -1200}


def test_a_benefit_without_a_price_stands_in_no_book(office: Office) -> None:
    office.db.write_now(lambda conn: store.set_kind(conn, msgspec.structs.replace(TAXI, unit_yen=0), NOW_MS))
    use = office.use(1)
    office.use(1, used=0, takes_back=use.use)
    office.db.write_now(lambda conn: booking.book(conn, now_ms=NOW_MS))
    assert not office.db.read(booking.is_due)
    assert office.db.read(lambda conn: ledger_store.balances(conn, area="benefit")) == {}
