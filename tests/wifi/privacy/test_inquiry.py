"""An inquiry needs two people, is answered once with the least, and ends by itself."""

import csv
import hashlib
import io
from datetime import date
from pathlib import Path

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.wifi import confirm
from hub import pages, shown
from hub.wifi import inquiry, inquiry_store, keys, session_store
from hub.wifi.inquiry import BASES, OPEN_MS, Inquiry
from hub.wifi.session import Told
from tests.login.parts import Browser, Town
from tests.wifi.privacy.parts import DAY_MS, NOW_MS, shown_by

HOUR_MS = 3_600_000
FORM = {
    "authority": "上之町警察署",
    "reference": "上警第123号",
    "basis": "letter",
    "place": "図書館",
    "from": "09:00",
    "until": "12:00",
}


def an_inquiry(**more: object) -> Inquiry:
    """One of three hours, entered by hanako."""
    typed = Inquiry(1, "a", "b", "letter", "Library", NOW_MS, NOW_MS + 3 * HOUR_MS, NOW_MS + DAY_MS, "hanako")
    return msgspec.structs.replace(typed, **more)


# ---- the table of states

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["approve", "refuse", "hand_out"]),
        st.sampled_from(["hanako", "taro", "jiro"]),
        st.integers(0, 20 * DAY_MS),
    ),
    max_size=8,
)


@given(STEPS)
def test_whatever_is_tried_two_people_are_needed_and_one_extract_is_made(
    steps: list[tuple[inquiry.Act, str, int]],
) -> None:
    one, now_ms, made = an_inquiry(), NOW_MS + DAY_MS, 0
    for act, who, later_ms in steps:
        now_ms += later_ms
        if not inquiry.may(one, act, who, now_ms):
            continue
        if act == "hand_out":
            made += 1
            assert one.decided == "approved"
            assert one.decided_by != one.asked_by == who
            assert one.decided_ms is not None
            assert now_ms < one.decided_ms + OPEN_MS
            one = msgspec.structs.replace(one, handed_ms=now_ms, handed_by=who)
        else:
            assert one.decided == ""
            assert now_ms < one.asked_ms + OPEN_MS
            decided = "approved" if act == "approve" else "refused"
            one = msgspec.structs.replace(one, decided=decided, decided_by=who, decided_ms=now_ms)
    assert made <= 1
    assert inquiry.state(one, now_ms) in ("waiting", "approved", "refused", "handed", "expired")
    assert made == (inquiry.state(one, now_ms) == "handed")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, ""),
        ({"authority": ""}, "missing"),
        ({"reference": ""}, "missing"),
        ({"place": ""}, "missing"),
        ({"until_ms": NOW_MS}, "order"),
        ({"until_ms": NOW_MS + DAY_MS}, ""),
        ({"until_ms": NOW_MS + DAY_MS + 1}, "long"),
        ({"from_ms": NOW_MS + 3 * DAY_MS, "until_ms": NOW_MS + 3 * DAY_MS + 1}, "ahead"),
        ({"contacts": True}, "court"),
        ({"contacts": True, "basis": "warrant"}, ""),
        ({"contacts": True, "basis": "court"}, ""),
        ({"contacts": True, "basis": "danger"}, "court"),
    ],
)
def test_what_may_be_asked_for(more: dict[str, object], expected: str) -> None:
    assert inquiry.wrong(an_inquiry(**more), NOW_MS + 2 * DAY_MS) == expected


# ---- through the pages


@pytest.fixture
def taro(town: Town) -> Browser:
    """Somebody else who may decide."""
    town.add("taro", "approver")
    browser = Browser(town)
    assert browser.sign_in("taro").status_code == 303
    return browser


def guests(town: Town, day_ms: int) -> None:
    """Sessions at the library on a day: at 8, 8 to 10, at 11 (with a contact), at 13; and one elsewhere."""
    folder = keys.folder_of(Path(town.settings.state_dir))
    key = keys.sealing_key(folder, shown.day_of(pages.now_ms())[:7])
    spans = [(8, 8.5, "図書館"), (8, 10, "図書館"), (11, 11.5, "図書館"), (13, 14, "図書館"), (10, 11, "公民館")]
    told = [
        Told(
            *("device:1", "b", f"{number:032x}", 1, day_ms + int(began * HOUR_MS), day_ms + int(ended * HOUR_MS)),
            *(100 + number, 200 + number),
            ended_ms=day_ms + int(ended * HOUR_MS),
            cause="time",
            guest=f"{number:031x}f",
            day="x",
            network="Town",
            device_id=1,
            place=place,
        )
        for number, (began, ended, place) in enumerate(spans, 1)
    ]
    town.write(lambda conn: session_store.take(conn, told, day_ms + 20 * HOUR_MS))
    session = f"{3:032x}"
    text = confirm.seal(key, session, confirm.Contact("guest@example.jp", "123456", "ja"))
    town.write(
        lambda conn: conn.execute(
            "INSERT INTO wifi_consent (device_id, session, terms, language, way, contact, contact_key, at_ms) "
            "VALUES (1, ?, 'v1', 'ja', 'email', ?, ?, ?)",
            (session, text, key.name, day_ms + 11 * HOUR_MS),
        )
    )


def yesterday() -> tuple[str, int]:
    """Yesterday in Japan, and when it began."""
    day = shown.day_of(pages.now_ms() - DAY_MS)
    return day, shown.day_start_ms(date.fromisoformat(day))


def rows(answer: httpx.Response) -> list[list[str]]:
    """The rows of an extract below its headings."""
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))[1:]


def test_one_enters_another_decides_and_the_least_is_handed_out_once(town: Town, admin: Browser, taro: Browser) -> None:
    day, day_ms = yesterday()
    guests(town, day_ms)
    path = admin.send("/wifi/inquiries", {**FORM, "day": day}).headers["location"]
    assert path == "/wifi/inquiries/1"
    # Whoever entered it decides nothing and gets nothing yet; the other one may not take it along.
    assert "入力した人は決められません" in admin.get(path).text
    for browser, do in ((admin, "approve"), (admin, "hand_out"), (taro, "hand_out")):
        assert browser.send(path, {"do": do}).status_code == 409
    assert "通信の秘密" in taro.get(path).text
    assert taro.send(path, {"do": "approve", "why": "署長名の文書を確認"}).status_code == 303
    assert taro.send(path, {"do": "refuse", "why": "x"}).status_code == 409
    assert taro.send(path, {"do": "hand_out"}).status_code == 409
    answer = admin.send(path, {"do": "hand_out"})
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="inquiry-1.csv"'
    # Those that overlap 9 to 12 at this place: times, bytes, network, and nothing else.
    assert [(row[0], row[4], row[5]) for row in rows(answer)] == [("Town", "102", "202"), ("Town", "103", "203")]
    assert all(len(row) == 6 for row in rows(answer))
    assert b"guest@" not in answer.content
    for browser in (admin, taro):
        assert browser.send(path, {"do": "hand_out"}).status_code == 409
    kept = town.read(lambda conn: inquiry_store.one(conn, 1))
    assert kept is not None
    assert (kept.rows, kept.digest) == (2, hashlib.sha256(answer.content).hexdigest())
    assert kept.digest in admin.get(path).text
    did = [word for word in town.did() if word.startswith("inquiry")]
    assert did == ["inquiry_enter", "inquiry_approve", "inquiry_hand_out"]
    # Nothing of the extract stays at the hub.
    assert town.read(lambda conn: shown_by(conn, "guest@example.jp")) == []


def test_a_contact_is_opened_on_the_ground_of_a_court_only(town: Town, admin: Browser, taro: Browser) -> None:
    day, day_ms = yesterday()
    guests(town, day_ms)
    asked = {**FORM, "day": day, "guests": "yes", "contacts": "yes"}
    answer = admin.send("/wifi/inquiries", asked)
    assert answer.status_code == 422
    assert "令状か裁判所の命令がなければ" in answer.text
    path = admin.send("/wifi/inquiries", {**asked, "basis": "warrant"}).headers["location"]
    assert "原本" in taro.get(path).text
    assert taro.send(path, {"do": "approve"}).status_code == 303
    found = rows(admin.send(path, {"do": "hand_out"}))
    assert [row[6:] for row in found] == [[f"{2:031x}f", ""], [f"{3:031x}f", "guest@example.jp"]]


def test_a_refusal_says_why(town: Town, admin: Browser, taro: Browser) -> None:
    day, _ = yesterday()
    path = admin.send("/wifi/inquiries", {**FORM, "day": day}).headers["location"]
    assert taro.send(path, {"do": "refuse", "why": " "}).status_code == 422
    assert taro.send(path, {"do": "refuse", "why": "令状がない"}).status_code == 303
    assert "令状がない" in admin.get(path).text
    assert admin.send(path, {"do": "hand_out"}).status_code == 409
    assert taro.send(path, {"do": "maybe"}).status_code == 400
    assert taro.send("/wifi/inquiries/9", {"do": "approve"}).status_code == 404


def test_it_ends_by_itself(town: Town, admin: Browser, taro: Browser) -> None:
    day, _ = yesterday()
    for number in (1, 2):
        admin.send("/wifi/inquiries", {**FORM, "day": day, "reference": str(number)})
    taro.send("/wifi/inquiries/2", {"do": "approve"})
    town.write(
        lambda conn: conn.execute(
            "UPDATE inquiry SET asked_ms = asked_ms - ?, decided_ms = decided_ms - ?", (OPEN_MS, OPEN_MS)
        )
    )
    assert taro.send("/wifi/inquiries/1", {"do": "approve"}).status_code == 409
    assert admin.send("/wifi/inquiries/2", {"do": "hand_out"}).status_code == 409
    assert admin.get("/wifi/inquiries").text.count("期限切れ") == 2


def test_what_is_typed_wrong_is_told(town: Town, admin: Browser) -> None:
    day, _ = yesterday()
    for more, said in (
        ({"day": "2026-13-01"}, "日と時刻を正しく"),
        ({"from": "25:00"}, "日と時刻を正しく"),
        ({"authority": " "}, "機関、文書番号、場所"),
        ({"day": "2199-01-01"}, "これからの時刻"),
    ):
        answer = admin.send("/wifi/inquiries", {**FORM, "day": day, **more})
        assert answer.status_code == 422
        assert said in answer.text
    assert admin.send("/wifi/inquiries", {**FORM, "day": day, "basis": "curiosity"}).status_code == 400
    assert set(BASES) > inquiry.OF_A_COURT
