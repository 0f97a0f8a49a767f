"""A thing through its life on the pages: entered, joined with its device, lent, prolonged, back."""

import re

import httpx
import pytest

from hub import audit, sheet
from hub.fleet import groups
from hub.inventory import store
from tests.inventory.parts import tells
from tests.login.parts import Browser, Town
from wire.messages import Inventory

HERE = "/devices/tablet-1/inventory"


def _details(town: Town) -> list[tuple[str, str, str]]:
    """What the audit log has of the inventory, oldest first."""
    found = [(entry.did, entry.what, entry.detail) for entry in town.read(audit.entries)]
    return [entry for entry in reversed(found) if not entry[0].startswith("sign_in")]


def test_a_device_s_page_shows_what_it_is_made_of(keeper: Browser) -> None:
    page = keeper.get("/devices/tablet-1").text
    for text in ("Latitude", "7X1ABC3", "Debian 12", "90.0 % まで", "87.0 %", "充放電12回", "切れています"):
        assert text.replace(" ", "") in page.replace(" ", ""), text
    assert "端末からの申告はまだありません" in keeper.get("/devices/tablet-2").text


def test_a_device_is_entered_by_its_first_change(town: Town, keeper: Browser) -> None:
    form = {
        "do": "save",
        "asset": "A-1",
        "place": "図書館",
        "tags": "貸出用、新",
        "bought": "令和8年4月1日",
        "kind": "terminal",
    }
    answer = keeper.send(HERE, form)
    assert answer.headers["location"] == f"{HERE}?did=save"
    item = town.read(lambda conn: store.of_device(conn, "tablet-1"))
    assert item is not None
    # What the device itself tells cannot be talked away, and what nobody typed is not stored.
    assert item.values["kind"] == "tablet"
    assert town.read(lambda conn: conn.execute("SELECT serial, model, bought FROM item").fetchall()) == [
        ("", "", "2026-04-01")
    ]
    assert town.read(groups.places_and_tags) == {1: ("図書館", ("新", "貸出用"))}
    (entry,) = _details(town)
    assert entry[:2] == ("inventory", "tablet-1")
    assert "place: – → 図書館" in entry[2]
    # The same once more is no change.
    keeper.send(HERE, {**form, "serial": "7X1ABC3", "model": "Latitude"})
    assert len(_details(town)) == 1


def test_what_cannot_be_is_told_beside_what_was_typed(town: Town, keeper: Browser) -> None:
    keeper.send(HERE, {"do": "save", "asset": "A-1"})
    answer = keeper.send(
        "/devices/tablet-2/inventory", {"do": "save", "asset": "A-1", "bought": "昨日", "note": "keep <me>"}
    )
    assert answer.status_code == 422
    for text in ("まだ保存していません", "ほかの物が使っていない番号", "「昨日」", "keep &lt;me&gt;"):
        assert text in answer.text
    assert town.read(lambda conn: store.of_device(conn, "tablet-2").id) == 0  # type: ignore[union-attr]


def test_a_loan_from_beginning_to_end(town: Town, keeper: Browser) -> None:
    def loans() -> list[tuple[str, str, str | None, str]]:
        return town.read(lambda conn: conn.execute("SELECT number, until, returned, name FROM loan").fetchall())

    form = {"do": "lend", "loan_number": "R8-1", "loan_until": "2020-01-31", "loan_since": "2020-01-01"}
    assert keeper.send(HERE, {**form, "loan_name": "山田"}).headers["location"] == f"{HERE}?did=lend"
    # Names are not kept unless somebody chose so.
    assert loans() == [("R8-1", "2020-01-31", None, "")]
    assert keeper.send(HERE, form).status_code == 422
    assert "返却期限を過ぎた貸与が1件" in keeper.get("/").text
    listed = keeper.get("/devices?loan=overdue").text
    assert "R8-1" in listed
    assert "期限切れ(2020年1月31日まで)" in listed
    assert "tablet-2" not in listed
    assert keeper.send(HERE, {"do": "prolong", "loan_until": "2999-01-31"}).status_code == 303
    assert "返却期限を過ぎた貸与" not in keeper.get("/").text
    assert keeper.send(HERE, {"do": "prolong", "loan_until": "2019-01-31"}).status_code == 422
    assert keeper.send(HERE, {"do": "return", "condition": "x" * 300}).status_code == 422
    assert keeper.send(HERE, {"do": "return", "condition": "画面に傷"}).headers["location"] == f"{HERE}?did=return"
    assert loans()[0][:2] == ("R8-1", "2999-01-31")
    page = keeper.get(f"{HERE}?did=return").text
    assert "返却を受け付けました" in page
    assert "画面に傷" in page
    assert keeper.send(HERE, {"do": "return"}).status_code == 409
    assert keeper.send(HERE, {"do": "prolong", "loan_until": "2999-01-31"}).status_code == 409
    assert [entry[0] for entry in _details(town)] == ["lend", "prolong", "take_back"]


def test_who_takes_a_tablet_back_is_asked_to_wipe_it(town: Town, keeper: Browser) -> None:
    town.add("ichiro", "it")
    officer = Browser(town)
    officer.sign_in("ichiro")
    for browser, asked in ((officer, True), (keeper, False)):
        assert ('value="wipe"' in browser.get(f"{HERE}?did=return").text) == asked


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"loan_until": "2999-01-01"}, "貸与番号と返却期限"),
        ({"loan_number": "1"}, "貸与番号と返却期限"),
        ({"loan_number": "1", "loan_until": "2020-01-01"}, "貸与日よりあとの日"),
        ({"loan_number": "x" * 41, "loan_until": "2999-01-01"}, "40文字まで"),
    ],
)
def test_half_a_loan_is_none(town: Town, keeper: Browser, form: dict[str, str], told: str) -> None:
    answer = keeper.send(HERE, {"do": "lend", **form})
    assert answer.status_code == 422
    assert told in answer.text
    assert town.read(lambda conn: conn.execute("SELECT count(*) FROM loan").fetchone()) == (0,)


def test_names_are_kept_only_when_somebody_chose_so(town: Town, keeper: Browser) -> None:
    town.add("kei", "auditor")
    looker = Browser(town)
    looker.sign_in("kei")
    assert keeper.send("/inventory/names", {"names": "kept"}).status_code == 303
    keeper.send(HERE, {"do": "lend", "loan_number": "1", "loan_until": "2999-01-01", "loan_name": "山田 花"})
    assert "山田 花" in keeper.get(HERE).text
    assert "山田 花" in keeper.get("/inventory.csv").text
    # Who only looks sees the number; the audit log has no name either.
    for path in (HERE, "/devices/tablet-1", "/inventory.csv", "/devices", "/devices.csv", "/settings/audit"):
        assert "山田" not in looker.get(path).text, path
    assert "山田" not in str(_details(town))
    assert keeper.send("/inventory/names", {"names": "forgotten"}).headers["location"].endswith("n=1")
    assert "山田" not in keeper.get(HERE).text
    assert keeper.send("/inventory/names", {"names": "perhaps"}).status_code == 400


def test_something_in_its_box_until_it_is_heard(town: Town, keeper: Browser) -> None:
    assert keeper.send("/inventory/new", {"place": "倉庫"}).status_code == 422
    where = keeper.send("/inventory/new", {"asset": "A-9", "serial": "s2", "kind": "tablet", "place": "倉庫"}).headers[
        "location"
    ]
    path = where.partition("?")[0]
    assert re.fullmatch(r"/inventory/\d+", path)
    assert "A-9" in keeper.get("/devices?condition=unheard").text
    assert "A-9" in keeper.get("/devices?q=a-9").text
    assert f'href="{path}"' in keeper.get("/devices?kind=tablet&place=倉庫").text
    assert keeper.send(path, {"do": "save", "asset": "", "serial": ""}).status_code == 422
    town.write(lambda conn: tells(conn, 2, Inventory(serial="S2")))
    assert keeper.get(path).headers["location"] == "/devices/tablet-2/inventory"
    assert "A-9" in keeper.get("/devices/tablet-2").text
    assert "A-9" not in keeper.get("/devices?condition=unheard").text


def test_a_mistake_can_be_removed_and_what_was_lent_cannot(town: Town, keeper: Browser) -> None:
    path = keeper.send("/inventory/new", {"asset": "A-9"}).headers["location"].partition("?")[0]
    assert keeper.send(path, {"do": "remove"}).headers["location"] == "/devices?condition=unheard"
    assert keeper.get(path).status_code == 404
    assert keeper.send(path, {"do": "remove"}).status_code == 404
    keeper.send(HERE, {"do": "save", "asset": "A-1"})
    assert keeper.send(HERE, {"do": "remove"}).status_code == 409


@pytest.mark.parametrize("do", ["", "burn"])
def test_what_is_none_of_it_changes_nothing(town: Town, keeper: Browser, do: str) -> None:
    assert keeper.send(HERE, {"do": do, "asset": "A-1"}).status_code == 400
    assert keeper.send("/devices/no-such/inventory", {"do": "save"}).status_code == 404
    assert town.read(lambda conn: conn.execute("SELECT count(*) FROM item").fetchone()) == (0,)


# ---- files


def upload(browser: Browser, name: str, content: bytes, **fields: str) -> httpx.Response:
    """Chooses a file and sends it, as a browser's form does."""
    form = {"csrf": browser.csrf(), **fields}
    return browser._http.post(
        "/inventory/import", data=form, files={"file": (name, content)}, headers={"origin": browser._origin}
    )


def confirmed(browser: Browser, looked: httpx.Response) -> httpx.Response:
    """Presses "do it" on the page of a look."""
    hidden = dict(re.findall(r'name="(token|digest)" value="([^"]+)"', looked.text))
    return browser.send("/inventory/import/do", hidden)


TABLE = "端末,備品番号,場所,貸与番号,返却期限\r\ntablet-1,A-1,髙橋会館,R8-1,令和99年1月1日\r\n,A-7,倉庫,,\r\n"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "cp932"])
def test_a_file_is_looked_at_and_then_taken_in_whole(town: Town, keeper: Browser, encoding: str) -> None:
    looked = upload(keeper, "台帳.csv", TABLE.encode(encoding))
    assert looked.status_code == 200
    for text in ("髙橋会館", "2件を取り込む", "A-7"):
        assert text in looked.text
    assert town.read(lambda conn: conn.execute("SELECT count(*) FROM item").fetchone()) == (0,)
    assert confirmed(keeper, looked).headers["location"] == "/inventory?did=import&n=2"
    assert [entry[:2] for entry in _details(town)] == [
        ("inventory", "tablet-1"),
        ("inventory", "A-7"),
        ("import_inventory", "台帳.csv"),
    ]
    assert "loan_until: – → 2117-01-01" in _details(town)[0][2]
    assert _details(town)[-1][2] == "rows 2, new 1, changed 1, the same 0"
    # Once: the file is gone.
    assert confirmed(keeper, looked).status_code == 410
    # What comes out goes in again without a change, in both forms.
    for path in ("/inventory.csv", "/inventory.xlsx"):
        again = upload(keeper, path, keeper.get(path).content)
        assert "変わる物はありません" in again.text, path


def test_a_wrong_row_is_told_and_nothing_is_taken_in(town: Town, keeper: Browser) -> None:
    looked = upload(keeper, "x.csv", (TABLE + "tablet-9,A-8,倉庫,,\r\n").encode())
    assert looked.status_code == 422
    for text in ("tablet-9", "登録ずみの端末の名前か空欄", ">4<", ">A<"):
        assert text in looked.text
    assert 'name="digest"' not in looked.text
    assert confirmed(keeper, looked).status_code == 410


def test_what_changed_since_the_look_is_looked_at_again(town: Town, keeper: Browser) -> None:
    looked = upload(keeper, "x.csv", TABLE.encode())
    keeper.send(HERE, {"do": "save", "asset": "A-1", "place": "役場"})
    again = confirmed(keeper, looked)
    assert again.status_code == 409
    assert "台帳が変わりました" in again.text
    assert town.read(lambda conn: conn.execute("SELECT count(*) FROM item").fetchone()) == (1,)
    assert confirmed(keeper, again).status_code == 303


def test_nobody_confirms_another_s_file(town: Town, keeper: Browser) -> None:
    looked = upload(keeper, "x.csv", TABLE.encode())
    town.add("taro", "support")
    other = Browser(town)
    other.sign_in("taro")
    assert confirmed(other, looked).status_code == 410


def test_files_that_are_none_are_refused_in_words(keeper: Browser) -> None:
    for content, code, told in (
        (b"\xd0\xcf\x11\xe0", 422, "古いExcel形式"),
        ("色,味\n赤,甘\n".encode(), 422, "見出しがありません"),
        (b"x" * (sheet.BYTES + 1), 422, "大きすぎます"),
        (b"x" * (sheet.BYTES + 200_000), 413, "大きすぎます"),
    ):
        answer = upload(keeper, "x", content)
        assert (answer.status_code, told in answer.text) == (code, True), told


def test_an_upload_is_a_form_like_any_other(town: Town, keeper: Browser) -> None:
    town.add("kei", "clerk")
    clerk, nobody = Browser(town), Browser(town)
    clerk.sign_in("kei")
    assert upload(clerk, "x.csv", TABLE.encode()).status_code == 403
    file = {"file": ("x.csv", TABLE.encode())}
    for browser, form, origin, code in (
        (nobody, {}, town.url, 303),
        (keeper, {}, town.url, 403),
        (keeper, {"csrf": clerk.csrf()}, town.url, 403),
        (keeper, {"csrf": keeper.csrf()}, "https://elsewhere.example", 403),
        (keeper, {"csrf": keeper.csrf(), **{f"f{n}": "x" for n in range(30)}}, town.url, 400),
        (keeper, {"csrf": keeper.csrf(), "big": "x" * 70_000}, town.url, 400),
    ):
        headers = {"origin": origin}
        assert browser._http.post("/inventory/import", data=form, files=file, headers=headers).status_code == code
    for body, kind, code in ((b"x", "application/json", 415), (b"--x\r\n", "multipart/form-data", 400)):
        assert keeper.raw("/inventory/import", body, kind, keeper.csrf()) == code
    two = [("file", ("a", b"x")), ("file", ("b", b"y"))]
    form = {"csrf": keeper.csrf()}
    assert keeper._http.post("/inventory/import", data=form, files=two, headers={"origin": town.url}).status_code == 400
    # A stranger's megabytes are not even read.
    assert nobody.raw("/inventory/import", iter([b"x" * 100_000] * 10), "multipart/form-data; boundary=x", "") == 303


# ---- the list


def test_every_view_of_the_list_is_an_address(town: Town, keeper: Browser) -> None:
    keeper.send(HERE, {"do": "save", "asset": "A-1", "place": "図書館", "tags": "新"})
    keeper.send("/inventory/new", {"asset": "A-9", "place": "倉庫"})
    for query, there in (
        ("place=図書館", {"tablet-1"}),
        ("tag=新", {"tablet-1"}),
        ("loan=store", {"tablet-1", "A-9"}),
        ("loan=lent", set()),
        ("condition=unheard&place=倉庫", {"A-9"}),
        ("q=7x1", {"tablet-1"}),
        ("q=tablet&sort=place", {"tablet-1", "tablet-2"}),
        ("version=0.9", set()),
        ("sort=until", {"tablet-1", "tablet-2", "A-9"}),
    ):
        for path in ("/devices", "/devices.csv"):
            page = keeper.get(f"{path}?{query}").text
            rows = page.partition('<tbody id="rows"')[2] if path == "/devices" else page
            assert {name for name in ("tablet-1", "tablet-2", "A-9") if name in rows} == there, (path, query)
        with keeper.stream(f"/devices/events?{query}") as answer:
            said = ""
            for part in answer.iter_text():
                said += part
                if "\n\n" in said:
                    break
            assert {name for name in ("tablet-1", "tablet-2", "A-9") if name in said} == there, query
    for wrong in ("loan=perhaps", "sort=colour", "page=0"):
        assert keeper.get(f"/devices?{wrong}").status_code == 400


def test_a_command_to_a_list_goes_to_no_more_than_the_list_shows(town: Town, keeper: Browser) -> None:
    town.add("ichiro", "it")
    officer = Browser(town)
    officer.sign_in("ichiro")
    keeper.send(HERE, {"do": "save", "place": "図書館", "tags": "新"})
    listed = officer.get("/devices?place=図書館&sort=heard").text
    link = re.search(r'id="order-these" href="([^"]+)"', listed)
    assert link
    page = officer.get(link[1].replace("&amp;", "&")).text
    hidden = dict(re.findall(r'type="hidden" name="(?!csrf)(\w+)" value="([^"]*)"', page))
    assert hidden == {"place": "図書館"}
    for form in (hidden, {"tag": "新"}, {"loan": "store"}):
        asked = officer.send("/orders", {**form, "order": "lock"}).text
        assert "対象は1台です" in asked
        assert "tablet-2" not in asked
    assert officer.send("/orders", {"loan": "perhaps", "order": "lock"}).status_code == 400
