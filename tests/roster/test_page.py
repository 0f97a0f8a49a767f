"""A terminal's page says in one line how it is with its roster."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import pages
from hub.staff import roster_store
from tests.login.parts import Browser, Town, running_town
from tests.roster.parts import TERMINAL


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A hub with one terminal and somebody who looks."""
    with running_town(tmp_path) as running:
        running.write(
            lambda conn: conn.execute(
                "INSERT INTO device (id, name, kind, first_heard_ms, last_heard_ms, online) "
                "VALUES (1, ?, 'terminal', 0, ?, 1)",
                (TERMINAL, pages.now_ms()),
            )
        )
        running.add("hanako")
        yield running


def _told(town: Town, generation: int, error: str = "") -> None:
    town.write(
        lambda conn: conn.execute(
            "INSERT INTO roster_told (device_id, incarnation, generation, error, cards, at_ms) "
            "VALUES (1, 'a', ?, ?, 212, ?) ON CONFLICT (device_id) DO UPDATE SET generation = excluded.generation, "
            "error = excluded.error",
            (generation, error, pages.now_ms()),
        )
    )


def test_the_roster_in_one_line(town: Town) -> None:
    reader = Browser(town)
    reader.sign_in("hanako")

    def line() -> str:
        text = reader.get(f"/devices/{TERMINAL}").text
        return text.split('id="roster">', 1)[1].split("</dd>", 1)[0] if 'id="roster">' in text else ""

    assert line() == ""
    town.write(
        lambda conn: conn.execute("INSERT INTO roster VALUES (1, 'a', 3, 'd', 'k', 0, x'00', ?)", (pages.now_ms(),))
    )
    assert "版3 送信待ち" in line()
    _told(town, 2)
    assert "版3 送信待ち" in line()
    _told(town, 3)
    assert "版3 反映済み" in line()
    assert "(212枚)" in line()
    _told(town, 2, "signature")
    assert "版3 を受け取っていません: 署名が違います" in line()
    _told(town, 2, "a newer agent's word <b>")
    assert "a newer agent&#39;s word &lt;b&gt;" in line()
    town.write(lambda conn: roster_store.note_error(conn, "cards.key is gone"))
    assert "名簿を端末に送れません: cards.key is gone" in line()
