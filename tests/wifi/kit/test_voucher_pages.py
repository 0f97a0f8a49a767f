"""Pages of vouchers: made, printed once, withdrawn, made anew; what was used."""

import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
from pypdf import PdfReader

from hub import pages, shown
from hub.db import Connection
from hub.wifi import keys
from tests.login.parts import Browser, Town
from wire.kit import VOUCHER_LETTERS, code_hash

LIST = "/wifi/vouchers"


def until(days: int = 30) -> str:
    """A day ahead in Japan."""
    return (shown.moment(pages.now_ms()).date() + timedelta(days=days)).isoformat()


def make(clerk: Browser, **more: str) -> str:
    """A batch; where its page is."""
    form = {"label": "夏まつり", "count": "12", "minutes": "1440", "devices": "2", "until": until(), **more}
    answer = clerk.send(LIST, form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


def sheet(clerk: Browser, page: str) -> list[str]:
    """The text of each page of the sheet."""
    answer = clerk.get(f"{page}/sheet.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    return [one.extract_text() for one in PdfReader(io.BytesIO(answer.content)).pages]


def codes(texts: list[str]) -> list[str]:
    """The codes on a sheet."""
    return re.findall(rf"\b[{VOUCHER_LETTERS}]{{5}}-[{VOUCHER_LETTERS}]{{5}}\b", "\n".join(texts))


def hashes(hub: Town) -> list[tuple[int, str]]:
    """What the hub keeps, by batch."""
    return hub.read(lambda conn: conn.execute("SELECT batch_id, code_hash FROM voucher ORDER BY id").fetchall())


def test_an_empty_page_teaches(clerk: Browser) -> None:
    page = clerk.get(LIST).text
    assert "利用券はまだありません" in page
    assert 'aria-current="page">利用券' in page


def test_a_batch_is_made_and_its_sheet_has_every_code_once(hub: Town, clerk: Browser) -> None:
    page = make(clerk)
    shown_once = clerk.get(page).text
    assert "いま印刷してください" in shown_once
    texts = sheet(clerk, page)
    assert len(texts) == 2
    printed = codes(texts)
    assert len(set(printed)) == 12
    key = keys.voucher_key(keys.folder_of(Path(hub.settings.state_dir)))
    assert [one for _, one in hashes(hub)] == [code_hash(key, one) for one in printed]
    assert "https://portal.machinaka.internal/" in texts[0]
    assert "No. 1-001" in texts[0]
    assert "1日間・2台まで" in texts[0]
    assert "1 day, 2 devices" in texts[0]
    # The code itself is nowhere but on the sheet.
    whole = b"".join(one.read_bytes() for one in Path(hub.settings.state_dir).rglob("*") if one.is_file())
    for one in printed:
        assert one.encode() not in whole
        assert one.replace("-", "").encode() not in whole
    assert hub.did()[-1] == "voucher_make"


def test_codes_are_shown_to_who_made_them_and_not_after_they_are_printed(
    hub: Town, clerk: Browser, officer: Browser
) -> None:
    page = make(clerk)
    assert officer.get(f"{page}/sheet.pdf").headers["location"] == f"{page}?did=gone"
    officer.send(page, {"do": "printed"})
    assert codes(sheet(clerk, page))
    clerk.send(page, {"do": "printed"})
    assert clerk.get(f"{page}/sheet.pdf").headers["location"] == f"{page}?did=gone"
    assert "同じ用紙をもう一度印刷することはできません" in clerk.get(page).text
    assert hub.app.state.voucher_codes.of(1, 1, pages.now_ms()) is None


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("label", ""),
        ("label", "x" * 61),
        ("count", "501"),
        ("count", "0"),
        ("count", "１"),
        ("minutes", "44641"),
        ("minutes", "-1"),
        ("devices", "101"),
        ("until", "2020-01-01"),
        ("until", "soon"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_made(
    hub: Town, clerk: Browser, field: str, value: str
) -> None:
    form = {"label": "a", "count": "1", "minutes": "60", "devices": "1", "until": until(), field: value}
    answer = clerk.send(LIST, form)
    assert answer.status_code == 422
    assert f'id="{field}-wrong"' in answer.text
    assert hashes(hub) == []


def test_a_batch_ends_with_its_day_in_japan(hub: Town, clerk: Browser) -> None:
    make(clerk, until=until(0))
    ((until_ms,),) = hub.read(lambda conn: conn.execute("SELECT until_ms FROM voucher_batch").fetchall())
    assert shown.moment(until_ms).strftime("%H:%M") == "00:00"
    assert shown.day_of(until_ms - 1) == until(0)
    assert (
        clerk.send(LIST, {"label": "a", "count": "1", "minutes": "60", "devices": "1", "until": until(401)}).status_code
        == 422
    )


def test_withdrawing_asks_once_and_cannot_be_undone(hub: Town, clerk: Browser) -> None:
    page = make(clerk)
    touched = hub.read(lambda conn: conn.execute("SELECT touched FROM kit_state").fetchone()[0])
    asked = clerk.send(page, {"do": "ask_withdraw"}).headers["location"]
    assert "この利用券を無効にしますか" in clerk.get(asked).text
    assert hub.read(lambda conn: conn.execute("SELECT withdrawn_ms FROM voucher_batch").fetchone()[0]) is None
    assert clerk.send(page, {"do": "withdraw"}).headers["location"] == f"{page}?did=withdrawn"
    assert hub.read(lambda conn: conn.execute("SELECT touched FROM kit_state").fetchone()[0]) == touched + 1
    after = clerk.get(page).text
    assert "無効" in after
    assert "番号を作り直す</button>" not in after
    clerk.send(page, {"do": "withdraw"})
    clerk.send(page, {"do": "again"})
    assert hub.did().count("voucher_withdraw") == 1
    assert len(hashes(hub)) == 12


def test_a_lost_sheet_is_replaced_by_other_codes(hub: Town, clerk: Browser) -> None:
    page = make(clerk)
    before = codes(sheet(clerk, page))
    other = clerk.send(page, {"do": "again"}).headers["location"].partition("?")[0]
    assert other != page
    after = codes(sheet(clerk, other))
    assert len(after) == 12
    assert not set(before) & set(after)
    rows = hub.read(
        lambda conn: conn.execute("SELECT id, withdrawn_ms IS NULL, instead_of FROM voucher_batch").fetchall()
    )
    assert rows == [(1, 0, None), (2, 1, 1)]
    assert clerk.get(f"{page}/sheet.pdf").status_code == 303


def test_uses_are_counted_from_consents_and_too_many_are_marked(hub: Town, clerk: Browser) -> None:
    page = make(clerk)

    def used(conn: Connection) -> None:
        for number, (point, voucher, guest) in enumerate(
            (
                (1, "1-001", "a"),
                (1, "1-001", "a"),
                (1, "1-002", "a"),
                (1, "1-002", "b"),
                (2, "1-002", "c"),
                (2, "9-001", "c"),
            )
        ):
            session = f"{number:032x}"
            conn.execute(
                "INSERT INTO wifi_consent (device_id, session, terms, language, way, voucher, at_ms) "
                "VALUES (?, ?, 'v', 'ja', 'voucher', ?, ?)",
                (point, session, voucher, 1_700_000_000_000 + number),
            )
            conn.execute(
                "INSERT INTO wifi_session (told_by, boot, session, device_id, number, began_ms, last_ms, up_bytes, "
                "down_bytes, guest, arrived_ms) VALUES (?, 'b', ?, ?, 1, 0, 0, 0, 0, ?, 0)",
                (f"device:{point}", session, point, guest * 32),
            )

    hub.write(used)
    listed = clerk.get(LIST).text
    assert "2 / 12" in listed
    assert "台数超過 1枚" in listed
    one = clerk.get(page).text
    assert re.search(r"1-001</th>.*?1 / 2", one)
    assert re.search(r"1-002</th>.*?3 / 2.*?1台超過", one)


def test_a_lost_voucher_key_is_said_of_its_batches(hub: Town, clerk: Browser) -> None:
    make(clerk)
    (keys.folder_of(Path(hub.settings.state_dir)) / "voucher.key").unlink()
    assert "鍵が替わり使えません" in clerk.get(LIST).text


def test_a_voucher_key_that_is_broken_makes_nothing(hub: Town, clerk: Browser) -> None:
    clerk.get(LIST)
    (keys.folder_of(Path(hub.settings.state_dir)) / "voucher.key").write_bytes(b"short")
    answer = clerk.send(LIST, {"label": "a", "count": "1", "minutes": "60", "devices": "1", "until": until()})
    assert answer.status_code == 503
    assert "利用券の鍵が読めない" in answer.text
    assert hashes(hub) == []
