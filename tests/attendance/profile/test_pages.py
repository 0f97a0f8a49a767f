"""The pages of the town's values: looked at first, then written; never changed."""

import re
from collections.abc import Iterator
from datetime import date
from html import unescape
from pathlib import Path

import msgspec
import pytest

from hub import audit
from hub.attendance import profile_form, profile_store
from hub.attendance.rules import calendar
from hub.attendance.rules.profile import DEFAULT
from tests.login.parts import Browser, Town, running_town

NEXT = "2027-04"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with running_town(tmp_path) as running:
        yield running


@pytest.fixture
def clerk(town: Town) -> Browser:
    town.add("hanako", "clerk")
    browser = Browser(town)
    browser.sign_in("hanako")
    return browser


def _form(**changed: str) -> dict[str, str]:
    texts = {**profile_form.texts(DEFAULT), "from_month": NEXT, "note": "条例の改正", **changed}
    return {name: text for name, text in texts.items() if text}


def _hidden(page: str) -> dict[str, str]:
    return {name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)}


def test_values_are_looked_at_and_then_written(town: Town, clerk: Browser) -> None:
    assert "まだ町の版はありません" in clerk.get("/attendance/rules").text
    look = clerk.send("/attendance/rules", _form(evening_break="", W125="130", do="look"))
    assert look.status_code == 200
    assert "17:15-17:30" in look.text
    assert "<strong>なし</strong>" in look.text
    assert "<strong>130/100</strong>" in look.text
    assert town.read(profile_store.versions) == []
    answer = clerk.post("/attendance/rules", {**_hidden(look.text), "do": "save"})
    assert answer.headers["location"] == "/attendance/rules?did=saved"
    (version,) = town.read(profile_store.versions)
    assert (version.from_month, version.note, version.who) == (NEXT, "条例の改正", "hanako")
    assert version.profile == msgspec.structs.replace(DEFAULT, evening_break=None, rates={**DEFAULT.rates, "W125": 130})
    assert town.read(lambda conn: profile_store.profile(conn, "2027-03")) == DEFAULT
    assert town.read(lambda conn: profile_store.profile(conn, "2030-01")) == version.profile
    entry = town.read(audit.entries)[0]
    assert (entry.did, entry.what, entry.detail) == ("profile_change", NEXT, "evening_break, W125")
    assert "条例の改正" in clerk.get("/attendance/rules?did=saved").text
    assert 'value="130"' in clerk.get(f"/attendance/rules/new?version={version.id}").text


def test_only_what_was_looked_at_is_written(town: Town, clerk: Browser) -> None:
    look = clerk.send("/attendance/rules", _form(W125="130", do="look"))
    other = {**_hidden(look.text), "W125": "140", "do": "save"}
    answer = clerk.post("/attendance/rules", other)
    assert answer.status_code == 200
    assert "<strong>140/100</strong>" in answer.text
    assert clerk.send("/attendance/rules", _form(do="save")).status_code == 200
    assert town.read(profile_store.versions) == []
    again = clerk.post("/attendance/rules", {**_hidden(look.text), "do": "edit"})
    assert 'value="130"' in again.text


def test_what_is_wrong_is_told_beside_the_field(town: Town, clerk: Browser) -> None:
    answer = clerk.send("/attendance/rules", _form(day="8:30", from_month="2027-13", note=" ", W125="abc"))
    assert answer.status_code == 400
    for text in (
        "直すところが 4 か所",
        "「8:30」とあります",
        "2027-04 のような年-月",
        "理由を300文字まで",
        'value="abc"',
    ):
        assert text in answer.text, text
    assert clerk.send("/attendance/rules", {**_form(), "colour": "red"}).status_code == 400
    assert clerk.get("/attendance/rules/new?version=99").status_code == 404
    assert town.read(profile_store.versions) == []


def test_the_town_s_word_over_the_calendar(town: Town, clerk: Browser) -> None:
    page = clerk.get("/attendance/rules/holidays?year=2026").text
    for text in ("文化の日", "年末年始の休日", "月曜から金曜にあたる休日: 20 日", "2026年11月3日 (火)"):
        assert text in page, text
    form = {"day": "2026-11-04", "says": "holiday", "name": "町制記念日", "year": "2026"}
    answer = clerk.send("/attendance/rules/holidays", form)
    assert answer.headers["location"] == "/attendance/rules/holidays?year=2026&did=saved"
    clerk.send("/attendance/rules/holidays", {"day": "2026-11-03", "says": "workday", "name": "文化の日"})
    page = clerk.get("/attendance/rules/holidays?year=2026&did=saved").text
    assert "町制記念日" in page
    assert "月曜から金曜にあたる休日: 20 日" in page
    assert "▲" in page

    def november() -> frozenset[date]:
        first, last = calendar.month_span("2026-11")
        return town.read(lambda conn: profile_store.holidays(conn, first, last, DEFAULT))

    assert november() == {date(2026, 11, 4), date(2026, 11, 23)}
    clerk.send("/attendance/rules/holidays", {"day": "2026-11-03", "says": "", "name": ""})
    assert november() == {date(2026, 11, 3), date(2026, 11, 4), date(2026, 11, 23)}
    assert town.did()[-3:] == ["holiday_entry"] * 3


@pytest.mark.parametrize(
    "form",
    [
        {"day": "2026-02-30", "says": "holiday", "name": "x"},
        {"day": "1999-01-04", "says": "holiday", "name": "x"},
        {"day": "", "says": "holiday", "name": "x"},
        {"day": "2026-11-04", "says": "holiday", "name": ""},
        {"day": "2026-11-04", "says": "feast", "name": "x"},
        {"day": "2026-11-04", "says": "holiday", "name": "x", "year": "abcd"},
    ],
)
def test_a_day_that_is_none_is_told(town: Town, clerk: Browser, form: dict[str, str]) -> None:
    answer = clerk.send("/attendance/rules/holidays", form)
    assert answer.status_code == (303 if form.get("year") else 400)
    assert len(town.read(profile_store.entries)) == bool(form.get("year"))
