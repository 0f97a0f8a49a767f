"""What every domain keeps, as facts: each kind once, from a real database, in few statements."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.alerts import gather, store, watch
from hub.alerts.gather import DAY_MS, Surroundings
from hub.alerts.hours import Hours
from hub.alerts.kinds import ABSENCE, Kind
from hub.alerts.rule import Fact
from hub.alerts.store import AlertSettings
from hub.db import Connection, Db
from hub.live import Change, Live
from hub.told import Told
from hub.wifi import state_store
from tests.alerts.world import MINUTE_MS, NOW_MS
from tests.ingest.parts import soon
from wire.messages import SelfCheck, WifiState

HEARING = Surroundings(hearing_since_ms=NOW_MS - DAY_MS, deaf_since_ms=0)


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Db]:
    found = Db(tmp_path / "hub.db")
    found.open()
    yield found
    found.close()


def device(conn: Connection, id_: int, *, ago_ms: int = 0, kind: str = "terminal", place: str = "hall") -> None:
    """A device that was heard so long ago, and where it stands."""
    conn.execute(
        "INSERT INTO device (id, name, kind, first_heard_ms, last_heard_ms, online) VALUES (?, ?, ?, ?, ?, ?)",
        (id_, f"t-{id_}", kind, NOW_MS - DAY_MS, NOW_MS - ago_ms, int(ago_ms < MINUTE_MS)),
    )
    conn.execute("INSERT INTO item (device_id, place, changed_ms) VALUES (?, ?, 0)", (id_, place))


def devices(conn: Connection, many: int, *, ago_ms: int = 0) -> None:
    """So many at one place."""
    for n in range(1, many + 1):
        device(conn, n, ago_ms=ago_ms)


def found(
    db: Db, around: Surroundings = HEARING, settings: AlertSettings | None = None
) -> dict[tuple[Kind, str], Fact]:
    seen = db.read(lambda conn: gather.gather(conn, around, settings or AlertSettings(), NOW_MS))
    return {fact.key: fact for fact in seen.facts}


def test_a_well_town_has_nothing_wrong(db: Db) -> None:
    db.write_now(lambda conn: devices(conn, 4))
    assert found(db) == {}


def test_a_device_is_late_by_its_own_interval(db: Db) -> None:
    def fill(conn: Connection) -> None:
        device(conn, 1, ago_ms=10 * MINUTE_MS)
        device(conn, 2, ago_ms=10 * MINUTE_MS)
        for n in range(3, 9):
            device(conn, n)
        hour_ms = NOW_MS - NOW_MS % 3_600_000 - 3_600_000
        conn.execute("INSERT INTO mark VALUES ('202609', ?, 1)", (hour_ms,))
        conn.execute("INSERT INTO health_hour VALUES (2, ?, 4, 0, 0, 0, 0, 0, 0)", (hour_ms,))

    db.write_now(fill)
    assert list(found(db)) == [("offline", "t-1")]
    assert found(db)["offline", "t-1"].place == "hall"


def test_a_lent_tablet_may_be_off_for_days(db: Db) -> None:
    db.write_now(lambda conn: device(conn, 1, ago_ms=2 * DAY_MS, kind="tablet"))
    long_ago = Surroundings(hearing_since_ms=0, deaf_since_ms=0)
    assert found(db, long_ago) == {}
    assert list(found(db, long_ago, AlertSettings(tablet_days=1))) == [("offline", "t-1")]


def test_what_the_hub_missed_itself_is_nobodys_fault(db: Db) -> None:
    db.write_now(lambda conn: devices(conn, 6, ago_ms=60 * MINUTE_MS))
    just_back = Surroundings(hearing_since_ms=NOW_MS - MINUTE_MS, deaf_since_ms=0)
    assert not any(fact.firm for fact in found(db, just_back).values())
    assert [key for key, fact in found(db).items() if fact.firm] == [("place_offline", "hall")]


def test_a_deaf_hub_says_that_and_nothing_of_devices(db: Db) -> None:
    db.write_now(lambda conn: devices(conn, 4, ago_ms=DAY_MS))
    deaf = Surroundings(hearing_since_ms=None, deaf_since_ms=NOW_MS - 2 * MINUTE_MS)
    seen = db.read(lambda conn: gather.gather(conn, deaf, AlertSettings(), NOW_MS))
    assert [fact.kind for fact in seen.facts] == ["broker"]
    assert seen.unsure == ABSENCE


def test_clones_and_stolen_devices(db: Db) -> None:
    def fill(conn: Connection) -> None:
        for n in range(1, 9):
            device(conn, n, ago_ms=0 if n != 3 else DAY_MS)
        for n, reason in ((1, "clone"), (2, "stolen"), (3, "stolen"), (4, "revoked")):
            conn.execute("INSERT INTO hold VALUES (?, ?, ?, 'hanako')", (n, reason, NOW_MS - 60 * MINUTE_MS))

    db.write_now(fill)
    assert set(found(db)) == {("clone", "t-1"), ("stolen_seen", "t-2")}


def test_a_resident_who_waits_for_help_is_told_of_without_a_word_of_theirs(db: Db) -> None:
    def fill(conn: Connection) -> None:
        for n in (1, 2, 3):
            device(conn, n, kind="tablet")
        for n, ask, taken_back, done in (
            (1, "a", None, None),
            (1, "b", None, None),
            (2, "c", 5, None),
            (3, "d", None, 6),
        ):
            conn.execute(
                "INSERT INTO help_ask (device_id, ask, about, asked_ms, taken_back_ms, done_ms) "
                "VALUES (?, ?, 'my pills', ?, ?, ?)",
                (n, ask, NOW_MS - MINUTE_MS, taken_back, done),
            )
        conn.execute("INSERT INTO paper_state (kind, error) VALUES ('shelf', 'too large'), ('other', 'not asked')")

    db.write_now(fill)
    wrong = found(db)
    assert set(wrong) == {("help", "t-1"), ("paper", "shelf")}
    assert "pills" not in repr(wrong)


def test_settings_that_are_not_as_ordered(db: Db) -> None:
    def fill(conn: Connection) -> None:
        for n, result, drift in (
            (1, "applied", "[]"),
            (2, "applied", '[{"key":"a","wanted":"1","found":"2"},{"key":"b","wanted":"1","found":"2"}]'),
            (3, "refused", "[]"),
        ):
            device(conn, n)
            conn.execute("INSERT INTO policy_report VALUES (?, '', 1, 1, ?, '', '', ?, 0, 5, '')", (n, result, drift))

    db.write_now(fill)
    wrong = found(db)
    assert set(wrong) == {("drift", "t-2"), ("unapplied", "t-3")}
    assert (wrong["drift", "t-2"].n, wrong["unapplied", "t-3"].detail) == (2, "refused")


def test_ordered_settings_may_let_reports_come_seldom(db: Db) -> None:
    def fill(conn: Connection) -> None:
        device(conn, 1, ago_ms=30 * MINUTE_MS)
        conn.execute("INSERT INTO policy_document VALUES ('h', '{\"health_every_s\":1800}')")
        conn.execute("INSERT INTO desired VALUES (1, '', 1, 'h', '', 0, '', '')")

    db.write_now(fill)
    assert found(db) == {}


def test_certificates_are_told_a_fortnight_before(db: Db) -> None:
    def fill(conn: Connection) -> None:
        for n, days in ((1, 13), (2, 14), (3, 16), (4, 80), (5, 1)):
            device(conn, n)
            conn.execute(
                "INSERT INTO certificate (serial, device_id, key_name, how, issued_ms, end_ms, chain) "
                "VALUES (?, ?, ?, '', 0, ?, '')",
                (f"s{n}", n, f"k{n}", NOW_MS + days * DAY_MS),
            )
        # Renewed since: the newest counts.
        conn.execute(
            "INSERT INTO certificate (serial, device_id, key_name, how, issued_ms, end_ms, chain) "
            "VALUES ('new', 5, 'new', '', 0, ?, '')",
            (NOW_MS + 90 * DAY_MS,),
        )
        # Taken back: nobody waits for its end.
        device(conn, 7)
        conn.execute(
            "INSERT INTO certificate (serial, device_id, key_name, how, issued_ms, end_ms, chain, revoked_ms) "
            "VALUES ('back', 7, 'back', '', 0, ?, '', 5)",
            (NOW_MS + DAY_MS,),
        )
        device(conn, 6)
        conn.execute(
            "INSERT INTO device_fact (device_id, model, serial, system, version, certificate_end_ms, told_ms) "
            "VALUES (6, '', '', '', '', ?, 0)",
            (NOW_MS + 2 * DAY_MS,),
        )

    db.write_now(fill)
    wrong = {subject: fact.firm for (kind, subject), fact in found(db).items() if kind == "certificate"}
    # A day's margin keeps what is open, and begins nothing.
    assert wrong == {"t-1": True, "t-2": False, "t-6": True}


def test_the_towns_own_certificates_the_list_and_the_disk() -> None:
    around = Surroundings(
        hearing_since_ms=0,
        deaf_since_ms=0,
        disk_total=1000,
        disk_free=49,
        certificates=(("hub", NOW_MS + DAY_MS), ("broker", NOW_MS + 30 * DAY_MS)),
        crl_end_ms=NOW_MS + 13 * DAY_MS,
        portal_end_ms=NOW_MS + 14 * DAY_MS + 1,
        broker_fault=("a device may publish to another's topic", NOW_MS - DAY_MS),
    )
    wrong = {fact.key: fact.firm for fact in gather.town(around, NOW_MS)}
    assert wrong == {
        ("hub_disk", ""): True,
        ("town_certificate", "hub"): True,
        ("crl", ""): True,
        # Not yet, but one that is told of stays so.
        ("portal_certificate", ""): False,
        ("broker_rules", ""): True,
    }


def test_a_roll_out_that_stopped(db: Db) -> None:
    def fill(conn: Connection) -> None:
        for id_, status in ((1, "running"), (2, "stopped"), (3, "paused"), (4, "done")):
            conn.execute(
                "INSERT INTO rollout (id, title, status, plan, made_by, made_ms, changed_ms) "
                "VALUES (?, 'autumn', ?, '{}', 'hanako', 0, 7)",
                (id_, status),
            )

    db.write_now(fill)
    assert found(db) == {("rollout", "2"): Fact("rollout", "2", 7, detail="autumn")}


def test_messages_that_nobody_can_read(db: Db) -> None:
    db.write_now(lambda conn: conn.execute("INSERT INTO unreadable VALUES (0, 4)"))
    assert found(db)["unreadable_messages", ""].n == 4


def test_a_town_whose_database_was_not_copied(db: Db) -> None:
    db.write_now(lambda conn: device(conn, 1))
    assert found(db) == {}
    weekly = AlertSettings(backup_days=1)
    assert found(db, settings=weekly)["backup", ""].n == 1
    db.write_now(lambda conn: store.note_backup(conn, NOW_MS - 12 * 60 * MINUTE_MS, 4096))
    assert found(db, settings=weekly) == {}
    db.write_now(lambda conn: store.note_backup(conn, NOW_MS - 5 * DAY_MS, 4096))
    assert found(db)["backup", ""].n == 5
    assert found(db, settings=AlertSettings(backup_days=0)) == {}


def test_a_folder_without_certificates_is_no_fault_here(tmp_path: Path) -> None:
    around = gather.around(tmp_path, tmp_path / "ca", 5, 0)
    assert (around.certificates, around.crl_end_ms, around.portal_end_ms) == ((), None, None)
    assert around.disk_total > around.disk_free > 0
    assert gather.around(tmp_path / "nowhere", tmp_path, None, 0).disk_total == 0


class _Hearing:
    connected = True


async def test_two_thousand_devices_are_looked_at_in_few_statements(db: Db, tmp_path: Path) -> None:
    def fill(conn: Connection) -> None:
        for n in range(1, 2001):
            device(conn, n, place=f"place-{n % 40}")

    db.write_now(fill)
    statements: list[str] = []

    def count(conn: Connection) -> None:
        conn.set_trace_callback(statements.append)
        gather.gather(conn, HEARING, AlertSettings(), NOW_MS)
        conn.set_trace_callback(None)

    db.read(count)
    assert len(statements) < 40


async def test_a_look_begins_and_ends_alerts_and_another_hub_does_not_begin_them_again(db: Db, tmp_path: Path) -> None:
    now = [NOW_MS]

    def a_hub() -> watch.Watch:
        return watch.Watch(db, Live(), _Hearing(), (tmp_path, tmp_path), "http://hub", now_ms=lambda: now[0])

    db.write_now(lambda conn: store.write_settings(conn, AlertSettings(Hours(always=True))))
    first = a_hub()
    await first.look()
    await db.write(lambda conn: device(conn, 1, ago_ms=0))
    await db.write(lambda conn: conn.execute("INSERT INTO dropped VALUES (1, 'health', 12)"))
    await first.look()
    (alert,) = await db.aread(store.open_alerts)
    assert (alert.kind, alert.n, alert.told) == ("lost", 12, 1)
    # The hub is ended and another begins: the same alert, told no more.
    second = a_hub()
    await second.look()
    assert await db.aread(store.open_alerts) == [alert]
    await db.write(lambda conn: conn.execute("DELETE FROM dropped"))
    now[0] += MINUTE_MS
    await second.look()
    now[0] += 10 * MINUTE_MS
    await db.write(lambda conn: conn.execute("UPDATE device SET last_heard_ms = ?", (now[0],)))
    await second.look()
    assert await db.aread(store.open_alerts) == []


async def test_a_look_that_fails_is_logged_once_and_ends_nothing(
    db: Db, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Settings of a newer hub, put back with its database: alerts stand still, taking in does not."""
    await db.write(lambda conn: conn.execute('INSERT INTO alert_setting VALUES (1, \'{"hold_down_minutes":"soon"}\')'))
    live = Live()
    running = asyncio.create_task(watch.Watch(db, live, _Hearing(), (tmp_path, tmp_path), "http://hub").run())
    assert await asyncio.to_thread(soon, lambda: caplog.records)
    assert not running.done()
    assert "a look for alerts failed" in caplog.records[0].message
    await db.write(lambda conn: conn.execute("DELETE FROM alert_setting"))
    await db.write(lambda conn: conn.execute("INSERT INTO unreadable VALUES (0, 4)"))
    live.tell(Change(down=True))
    assert await asyncio.to_thread(soon, lambda: db.read(store.open_alerts), 60)
    running.cancel()
    await asyncio.wait([running])
    assert len(caplog.records) == 1


def test_a_refused_card_is_told_for_an_hour_and_a_roster_that_cannot_go(db: Db) -> None:
    def write(conn: Connection) -> None:
        device(conn, 1)
        for at_ms in (NOW_MS - 59 * MINUTE_MS, NOW_MS - 61 * MINUTE_MS, NOW_MS - MINUTE_MS):
            refused(conn, at_ms)
        conn.execute("INSERT INTO roster_state (id, error) VALUES (1, 'too many')")
        conn.execute("INSERT INTO kit_state (id, error) VALUES (1, 'too large')")

    db.write_now(write)
    found = db.read(lambda conn: list(gather.cards(conn, {1: "hall"}, NOW_MS)))
    assert found == [
        Fact("card_refused", "t-1", NOW_MS - MINUTE_MS, device="t-1", place="hall", n=2),
        Fact("roster", "", NOW_MS, detail="too many"),
        Fact("kit", "", NOW_MS, detail="too large"),
    ]
    (plan,) = db.read(
        lambda conn: conn.execute(
            "EXPLAIN QUERY PLAN SELECT 1 FROM punch p WHERE p.standing = 'refused' AND p.received_ms > 0"
        ).fetchall()
    )
    assert "punch_refused" in plan[3]


def test_an_access_point_that_tells_of_faults_or_failed_checks_is_told_of(db: Db) -> None:
    def write(conn: Connection) -> None:
        for number in (1, 2, 3):
            device(conn, number)
        bad = WifiState("normal", faults=("dnsmasq",), checks=(SelfCheck("isolation", ok=False, at_ms=NOW_MS),))
        well = WifiState("normal", checks=(SelfCheck("office", ok=True, at_ms=NOW_MS),))
        for number, state in ((1, bad), (2, well)):
            state_store.take(conn, [Told(number, f"t-{number}", 1, NOW_MS - 5, NOW_MS, state)])

    db.write_now(write)
    found = db.read(lambda conn: list(gather.access_points(conn, {1: "hall"})))
    assert found == [Fact("access_point", "t-1", NOW_MS, device="t-1", place="hall", n=2)]


def refused(conn: Connection, received_ms: int) -> None:
    """A tap that device 1 refused."""
    conn.execute(
        "INSERT INTO punch (device_id, lane_id, seq, boot_id, mono_ms, at_ms, clock, received_ms, card, direction, "
        "standing, chosen, technology) VALUES (1, 1, ?, 1, ?, ?, 0, ?, 'a', 'clock_in', 'refused', 'time', '')",
        (received_ms, received_ms, received_ms, received_ms),
    )
