"""The pages of retention, the checklist and the notification, and the command."""

import csv
import hashlib
import io
import json
import subprocess
import sys
from pathlib import Path

import msgspec
import openpyxl
import pytest

from hub import pages
from hub.wifi import checklist, keys, purge_store, purge_task, retention
from hub.wifi.checklist import Given, Point
from tests.hub_process import Hub
from tests.login.parts import Browser, Town
from tests.wifi.privacy.parts import DAY_MS, NOW_MS, Intake, consent_body, lies_in, opened, session_body, shown_by
from wire.messages import Network, SelfCheck, WifiState

GUEST = "0ddba11cafe0ddba11cafe0ddba11caf"


def test_the_days_are_set_with_a_reason_and_both_are_noted(town: Town, admin: Browser) -> None:
    assert "180 日" in admin.get("/wifi/retention").text
    for form, said in (
        ({"keep_days": "0", "reason": "x"}, "1 から 365"),
        ({"keep_days": "366", "reason": "x"}, "1 から 365"),
        ({"keep_days": "１８０", "reason": "x"}, "1 から 365"),
        ({"keep_days": "90", "reason": " "}, "理由を書いて"),
    ):
        answer = admin.send("/wifi/retention", form)
        assert answer.status_code == 422
        assert said in answer.text
    assert admin.send("/wifi/retention", {"keep_days": "90", "reason": "要綱の改正"}).status_code == 303
    assert town.read(purge_store.setting).keep_days == 90
    noted = town.read(lambda conn: conn.execute("SELECT detail FROM audit WHERE did = 'wifi_keep'").fetchall())
    assert noted == [("180 → 90: 要綱の改正",)]


def test_the_proofs_are_shown_taken_along_and_can_be_checked_elsewhere(town: Town, admin: Browser) -> None:
    intake = Intake(town.db)
    intake.take(NOW_MS, [(NOW_MS, "wifi_session", session_body(1, NOW_MS, GUEST))])
    folder = keys.folder_of(Path(town.settings.state_dir))
    for day in (181, 182):
        purge_task.purge(town.db, folder, NOW_MS + day * DAY_MS)
    page = admin.get("/wifi/retention").text
    assert "接続の仮名: 1" in page
    assert "証明は 2 件すべて元のままです" in page
    text = admin.get("/wifi/retention/proofs").text
    prev = retention.START
    for row in csv.DictReader(io.StringIO(text)):
        counts = json.loads(row["counts"])
        body = {"at": int(row["at_ms"]), "before": int(row["before_ms"]), "counts": counts}
        body |= {"id": int(row["id"]), "left": int(row["left_over"])}
        written = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
        prev = hashlib.sha256(b"machinaka-wifi-purge-v1\0" + prev.encode() + written).hexdigest()
        assert row["hash"] == prev
    assert "wifi_proof" in town.did()
    town.write(lambda conn: conn.execute("UPDATE wifi_purge SET left_over = 9 WHERE id = 1"))
    assert "削除の証明が 1 番から壊れています" in admin.get("/wifi/retention").text


def test_what_is_overdue_is_gone_before_the_first_page(tmp_path: Path) -> None:
    """A real hub on a database that was put back: with today's clock, records of last year."""
    hub = Hub(tmp_path, 1)
    db = opened(hub.database.parent)
    at_ms = pages.now_ms() - 200 * DAY_MS
    Intake(db).take(
        at_ms,
        [
            (at_ms, "wifi_session", session_body(1, at_ms, GUEST)),
            (at_ms, "consent", consent_body(1, "ContactOfAGuest")),
        ],
    )
    db.close()
    command = [sys.executable, "-m", "hub", "wifi-purge", "--settings", str(hub.settings)]
    said = subprocess.run([*command, "--dry-run"], capture_output=True, text=True, check=True).stdout
    assert "sessions: 1\nconsents: 1\n" in said
    assert subprocess.run([*command, "--verify"], capture_output=True, check=False).returncode == 1
    with hub:
        assert lies_in(hub.database.parent, GUEST, "ContactOfAGuest") == set()
    done = subprocess.run([*command, "--verify"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "The proofs of deletion are whole: 1.\nOverdue now: 0.\n")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "left over: 0\nproof 2: " in done.stdout


def test_no_table_shows_anything_after_its_time(town: Town) -> None:
    """Whichever tables there are: a new one that keeps a pseudonym and is forgotten here fails this test."""
    intake = Intake(town.db)
    intake.take(
        NOW_MS,
        [
            (NOW_MS, "wifi_session", session_body(1, NOW_MS, GUEST)),
            (NOW_MS, "consent", consent_body(1, "ContactOfAGuest")),
        ],
    )
    purge_task.purge(town.db, keys.folder_of(Path(town.settings.state_dir)), NOW_MS + 181 * DAY_MS)
    for text in (GUEST, "ContactOfAGuest", "7-ContactOfAGu"):
        assert town.read(lambda conn, text=text: shown_by(conn, text)) == []  # type: ignore[misc]


# ---- the checklist

AT_MS = NOW_MS
GOOD = WifiState(
    mode="normal",
    networks=(Network("Town", on_air=True, security="OWE"),),
    checks=tuple(
        SelfCheck(name, ok=True, at_ms=AT_MS - 1000) for name in ("isolation", "office", "portal", "option_114")
    ),
    terms="v1",
)
GIVEN = Given(
    points=(Point("ap-1", "Library", "1.2.0", GOOD, AT_MS - 1000),),
    newest="1.2.0",
    newest_since_ms=AT_MS - 60 * DAY_MS,
    terms="v1",
    languages=6,
    keep_days=180,
    purged_ms=AT_MS - DAY_MS,
    left_over=0,
    proofs_whole=True,
    confirmed=3,
    consents=4,
    drill_ms=AT_MS - 30 * DAY_MS,
    now_ms=AT_MS,
)
PERSONS = {"address_known", "passwords", "destinations", "notice"}


def standings(given: Given) -> dict[str, str]:
    """How each line stands."""
    return {line.key: line.standing for line in checklist.lines(given)}


def test_a_town_that_does_all_of_it() -> None:
    assert standings(GIVEN) == {line.key: "person" if line.key in PERSONS else "ok" for line in checklist.lines(GIVEN)}
    assert len(standings(GIVEN)) == 15


def _with(**more: object) -> Given:
    (point,) = GIVEN.points
    return msgspec.structs.replace(
        GIVEN, points=(msgspec.structs.replace(point, state=msgspec.structs.replace(GOOD, **more)),)
    )


def _failed(name: str) -> tuple[SelfCheck, ...]:
    return tuple(msgspec.structs.replace(one, ok=one.name != name) for one in GOOD.checks)


@pytest.mark.parametrize(
    ("given", "key", "expected"),
    [
        (_with(checks=_failed("isolation")), "isolation", "fault"),
        (_with(checks=_failed("office")), "office", "fault"),
        (_with(checks=_failed("portal")), "portal", "fault"),
        (_with(checks=_failed("option_114")), "option_114", "fault"),
        (_with(checks=()), "isolation", "unknown"),
        (
            _with(checks=tuple(SelfCheck(one.name, ok=True, at_ms=AT_MS - 2 * DAY_MS) for one in GOOD.checks)),
            "office",
            "unknown",
        ),
        (_with(terms="v0"), "terms", "warning"),
        (_with(networks=(Network("Town", on_air=True),)), "encryption", "warning"),
        (_with(networks=(Network("Town", on_air=False),)), "encryption", "unknown"),
        (msgspec.structs.replace(GIVEN, points=()), "isolation", "unknown"),
        (msgspec.structs.replace(GIVEN, now_ms=AT_MS + 2 * DAY_MS), "encryption", "unknown"),
        (msgspec.structs.replace(GIVEN, newest="1.3.0"), "firmware", "fault"),
        (msgspec.structs.replace(GIVEN, newest="1.3.0", newest_since_ms=AT_MS), "firmware", "warning"),
        (msgspec.structs.replace(GIVEN, languages=3), "terms", "warning"),
        (msgspec.structs.replace(GIVEN, confirmed=0), "users", "warning"),
        (msgspec.structs.replace(GIVEN, consents=0), "users", "unknown"),
        (msgspec.structs.replace(GIVEN, keep_days=90), "records", "warning"),
        (msgspec.structs.replace(GIVEN, keep_days=365), "deletion", "warning"),
        (msgspec.structs.replace(GIVEN, left_over=1), "deletion", "fault"),
        (msgspec.structs.replace(GIVEN, proofs_whole=False), "deletion", "fault"),
        (msgspec.structs.replace(GIVEN, purged_ms=None), "deletion", "unknown"),
        (msgspec.structs.replace(GIVEN, purged_ms=AT_MS - 3 * DAY_MS), "deletion", "fault"),
        (msgspec.structs.replace(GIVEN, drill_ms=None), "drill", "unknown"),
        (msgspec.structs.replace(GIVEN, drill_ms=AT_MS - 400 * DAY_MS), "drill", "warning"),
    ],
)
def test_each_line_shows_what_is_wrong(given: Given, key: str, expected: str) -> None:
    assert standings(given)[key] == expected


def test_the_checklist_and_the_notification_tell_of_the_town_as_it_is(town: Town, admin: Browser) -> None:
    now_ms = pages.now_ms()
    state = msgspec.structs.replace(
        GOOD, checks=tuple(SelfCheck(one.name, ok=one.name != "office", at_ms=now_ms) for one in GOOD.checks)
    )
    Intake(town.db).take(now_ms, [(now_ms, "wifi_state", state)])
    number = town.read(lambda conn: conn.execute("SELECT id FROM device WHERE kind = 'access_point'").fetchone()[0])
    town.write(
        lambda conn: conn.execute("INSERT INTO item (device_id, place, changed_ms) VALUES (?, '図書館', 1)", (number,))
    )
    page = admin.get("/wifi/checklist").text
    assert page.count("できていません") >= 2
    assert "access-point-1" in page
    assert "人が確かめます" in page
    book = openpyxl.load_workbook(io.BytesIO(admin.get("/wifi/notice.xlsx").content))
    assert [sheet.title[:4] for sheet in book.worksheets] == ["様式第8", "様式第3", "様式第4"]
    listed = [[cell.value for cell in row] for row in book.worksheets[1].iter_rows(min_row=2)]
    assert [row[1:2] + row[3:4] + row[5:] for row in listed] == [["図書館", "access-point-1", "Town", "OWE"]]
    services = [[cell.value for cell in row] for row in book.worksheets[2].iter_rows(min_row=2)]
    assert services[0][1:4] == ["Town", "図書館", "1"]
    assert "wifi_notice" in town.did()
