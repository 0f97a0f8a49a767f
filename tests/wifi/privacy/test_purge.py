"""After the time that was set nothing personal is left: not in a row, not in a byte of a file, not in a backup."""

import asyncio
import shutil
from datetime import date
from pathlib import Path

import msgspec
import pytest

from hub.db import Connection, Db
from hub.wifi import keys, purge_store, purge_task, retention
from hub.wifi.retention import Setting
from tests.wifi.privacy.parts import (
    DAY_MS,
    NOW_MS,
    Intake,
    consent_body,
    lies_in,
    opened,
    session_body,
    shown_by,
)
from wire import codec
from wire.messages import Health, Record

OLD, YOUNG = "0ddba11cafe0ddba11cafe0ddba11caf", "f00dfacef00dfacef00dfacef00dface"
OLD_CONTACT, YOUNG_CONTACT = "ContactOfTheOldGuest", "ContactOfTheYoungGuest"
HEALTH = Health(1, 1, 1, 1, 1, 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The hub's folder."""
    return tmp_path / "hub"


def old_and_young(db: Db, later_ms: int = 185 * DAY_MS) -> Intake:
    """Two guests, half a year apart, with everything that is told of them."""
    intake = Intake(db)
    told: list[tuple[int, str, msgspec.Struct | bytes]] = [
        (NOW_MS, "wifi_session", session_body(1, NOW_MS, OLD)),
        (NOW_MS, "consent", consent_body(1, OLD_CONTACT)),
        (NOW_MS, "health", HEALTH),
        (NOW_MS, "wifi_session", f'{{"guest":"{OLD}","session":7}}'.encode()),
    ]
    intake.take(NOW_MS + 1000, told)
    then = NOW_MS + later_ms
    young = [
        (then, "wifi_session", session_body(2, then, YOUNG)),
        (then, "consent", consent_body(2, YOUNG_CONTACT, "2026-11.0011223344556677")),
    ]
    intake.take(then + 1000, young)
    return intake


def set_aside(conn: Connection) -> None:
    """A record of a copied device, kept apart until somebody decides."""
    record = Record(
        9, "wifi_session", "b", 1, NOW_MS, "synced", msgspec.Raw(codec.encode_body(session_body(9, NOW_MS, OLD)))
    )
    conn.execute(
        "INSERT INTO clone_record (device_id, run, spool, lane, seq, boot, mono_ms, at_ms, kind, received_ms, record) "
        "VALUES (1, '', 's', 'bulk', 9, 'b', 1, ?, 'wifi_session', ?, ?)",
        (NOW_MS, NOW_MS, codec.encode_record(record)),
    )


def test_half_a_year_later_the_bytes_are_gone_and_the_totals_stay(folder: Path) -> None:
    db = opened(folder)
    old_and_young(db)
    db.write_now(set_aside)
    assert lies_in(folder, OLD, OLD_CONTACT, YOUNG) == {OLD, OLD_CONTACT, YOUNG}
    assert {"wifi_session", "quarantine", "clone_record", "event_202605"} <= set(db.read(lambda c: shown_by(c, OLD)))
    hours = db.read(lambda conn: conn.execute("SELECT * FROM wifi_hour ORDER BY hour_ms").fetchall())
    now_ms = NOW_MS + 186 * DAY_MS
    proof = purge_task.purge(db, folder / "wifi-keys", now_ms)
    assert proof is not None
    assert proof.left_over == 0
    assert proof.before_ms == now_ms - 180 * DAY_MS
    assert proof.counts == {
        **dict.fromkeys(retention.WHAT, 0),
        "sessions": 1,
        "consents": 1,
        "raw": 2,
        "quarantine": 1,
        "apart": 1,
    }
    assert lies_in(folder, OLD, OLD_CONTACT) == set()
    assert lies_in(folder, YOUNG, YOUNG_CONTACT) == {YOUNG, YOUNG_CONTACT}
    assert db.read(lambda conn: conn.execute("SELECT * FROM wifi_hour ORDER BY hour_ms").fetchall()) == hours
    assert hours
    # What was counted stays, and the other records of that month.
    devices = db.read(lambda conn: conn.execute("SELECT sum(devices) FROM wifi_day_devices").fetchone()[0])
    assert devices == 2
    rows = db.read(lambda conn: conn.execute("SELECT down_bytes, guest FROM wifi_session ORDER BY id").fetchall())
    assert rows == [(50_000, None), (50_000, YOUNG)]
    assert db.read(lambda conn: conn.execute("SELECT count(*) FROM event_202605").fetchone()[0]) == 1
    db.close()
    assert lies_in(folder, OLD, OLD_CONTACT) == set()


def test_a_backup_that_is_put_back_shows_nothing_overdue(folder: Path, tmp_path: Path) -> None:
    """From before a page is served: the hub's own start does it, with the clock half a year on."""
    db = opened(folder)
    old_and_young(db)
    db.backup(tmp_path / "copy.db")
    now_ms = NOW_MS + 186 * DAY_MS
    purge_task.purge(db, folder / "wifi-keys", now_ms)
    db.close()
    shutil.rmtree(folder)
    folder.mkdir()
    shutil.copy(tmp_path / "copy.db", folder / "hub.db")
    assert lies_in(folder, OLD, OLD_CONTACT) == {OLD, OLD_CONTACT}
    again = opened(folder)

    async def start() -> None:
        await purge_task.first(again, folder / "wifi-keys", lambda: now_ms + DAY_MS)

    asyncio.run(start())
    assert lies_in(folder, OLD, OLD_CONTACT) == set()
    assert [proof.left_over for proof in again.read(purge_store.proofs)] == [0]
    # Nothing left to do: no further proof is written at a start.
    asyncio.run(start())
    assert len(again.read(purge_store.proofs)) == 1
    again.close()


def test_keys_go_by_age_so_that_an_old_backup_opens_nothing(folder: Path) -> None:
    db, place = opened(folder), folder / "wifi-keys"
    for month in ("2026-05", "2026-06", "2026-11"):
        keys.sealing_key(place, month)
    keys.day_keys(place, date(2026, 11, 17), 7)
    # 2026-11-22: what is from before 2026-05-26 is overdue, and of May something is kept.
    proof = purge_task.purge(db, place, NOW_MS + 186 * DAY_MS)
    assert proof is not None
    assert proof.counts["sealing_keys"] == 0
    assert proof.counts["day_keys"] == 3
    proof = purge_task.purge(db, place, NOW_MS + 193 * DAY_MS)
    assert proof is not None
    assert proof.counts["sealing_keys"] == 1
    assert sorted(path.name for path in place.glob("seal-*")) == ["seal-2026-06.key", "seal-2026-11.key"]
    db.close()


def test_what_came_late_is_never_kept_beyond_its_own_time(folder: Path) -> None:
    """An access point that was away for 170 days: its raw record goes after 10 days, not after 30."""
    db = opened(folder)
    intake = Intake(db)
    came = NOW_MS + 170 * DAY_MS
    intake.take(
        came,
        [(NOW_MS, "wifi_session", session_body(1, NOW_MS, OLD)), (came, "wifi_session", session_body(2, came, YOUNG))],
    )
    for days in range(12):
        purge_task.purge(db, folder / "wifi-keys", came + days * DAY_MS)
        assert YOUNG in lies_in(folder, YOUNG)
    assert lies_in(folder, OLD) == set()
    assert set(db.read(lambda conn: shown_by(conn, YOUNG))) == {"event_202611", "latest", "wifi_session"}
    db.close()


@pytest.mark.parametrize("keep_days", [1, 20, 31, 365])
def test_every_setting_leaves_nothing_overdue_on_any_day(folder: Path, keep_days: int) -> None:
    db = opened(folder)
    intake = Intake(db)
    db.write_now(lambda conn: purge_store.keep_setting(conn, Setting(keep_days)))
    guests = {f"{number:032x}": NOW_MS + number * 40 * DAY_MS for number in range(1, 8)}
    for number, (guest, at_ms) in enumerate(guests.items()):
        intake.take(at_ms + 5 * DAY_MS, [(at_ms, "wifi_session", session_body(100 + number, at_ms, guest))])
        now_ms = at_ms + 6 * DAY_MS
        proof = purge_task.purge(db, folder / "wifi-keys", now_ms)
        assert proof is not None
        assert proof.left_over == 0
        for other, other_at_ms in list(guests.items())[: number + 1]:
            where = set(db.read(lambda conn, other=other: shown_by(conn, other)))  # type: ignore[misc]
            if other_at_ms < now_ms - keep_days * DAY_MS:
                assert where == set()
            else:
                assert "wifi_session" in where
    db.close()


def test_fewer_days_count_at_once_also_for_what_came_late(folder: Path) -> None:
    db = opened(folder)
    intake = Intake(db)
    came = NOW_MS + 100 * DAY_MS
    intake.take(came, [(NOW_MS, "wifi_session", session_body(1, NOW_MS, OLD))])
    purge_task.purge(db, folder / "wifi-keys", came)
    assert lies_in(folder, OLD) == {OLD}
    db.write_now(lambda conn: purge_store.keep_setting(conn, Setting(90)))
    purge_task.purge(db, folder / "wifi-keys", came)
    assert lies_in(folder, OLD) == set()
    db.close()


def test_a_run_that_is_cut_off_goes_on_where_it_was(folder: Path) -> None:
    db = opened(folder)
    intake = Intake(db)
    bodies = [(NOW_MS, "wifi_session", session_body(n, NOW_MS, f"{n:032x}")) for n in range(1, 300)]
    intake.take(NOW_MS, bodies)
    cut = retention.cut(NOW_MS + 200 * DAY_MS, 180)
    (span,) = db.read(lambda conn: purge_store.spans(conn, cut))
    rest, taken = db.write_now(lambda conn: purge_store.take_raw(conn, span, cut, 100))
    assert (taken, rest is None) == (100, False)
    assert db.write_now(lambda conn: purge_store.take(conn, purge_store.STEPS[0], cut, 100)) == 100
    assert db.read(lambda conn: purge_store.due(conn, cut))["raw"] == 199
    db.close()
    again = opened(folder)
    proof = purge_task.purge(again, folder / "wifi-keys", NOW_MS + 200 * DAY_MS)
    assert proof is not None
    assert (proof.counts["sessions"], proof.counts["raw"], proof.left_over) == (199, 199, 0)
    again.close()


def test_a_proof_that_was_changed_or_taken_out_is_seen(folder: Path) -> None:
    db = opened(folder)
    old_and_young(db)
    for day in range(4):
        purge_task.purge(db, folder / "wifi-keys", NOW_MS + (186 + day) * DAY_MS)
    good = db.read(purge_store.proofs)[::-1]
    assert [proof.id for proof in good] == [1, 2, 3, 4]
    assert retention.first_broken(good) is None
    assert retention.first_broken([good[0], good[2], good[3]]) == 2
    assert retention.first_broken(good[1:]) == 1
    for change in ({"left_over": 1}, {"at_ms": 1}, {"before_ms": 1}, {"counts": {**good[1].counts, "raw": 9}}):
        changed = msgspec.structs.replace(good[1], **change)
        assert retention.first_broken([good[0], changed, *good[2:]]) == 2
    # Each stands in the audit log too, so that a cut tail shows.
    noted = db.read(
        lambda conn: conn.execute("SELECT what, detail FROM audit WHERE did = 'wifi_purge' ORDER BY id").fetchall()
    )
    assert noted == [(str(proof.id), proof.hash) for proof in good]
    db.close()
