"""The page: whether all is as it was written, the newest anchor, the export."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import anchors, chain
from hub.db import Connection
from tests.login.parts import Browser, Town, running_town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A hub with an auditor."""
    with running_town(tmp_path) as running:
        running.add("mika", "auditor")
        yield running


def test_an_auditor_checks_and_takes_the_log_along(town: Town, tmp_path: Path) -> None:
    auditor = Browser(town)
    auditor.sign_in("mika")
    page = auditor.get("/settings/audit").text
    assert "1日に1つ作られます" in page
    assert "書かれたときのままです(控え0件と一致)" in auditor.get("/settings/audit?check=true").text
    answer = auditor.get("/settings/audit/export")
    assert answer.headers["content-disposition"].startswith('attachment; filename="audit-20')
    path = tmp_path / "log.jsonl"
    path.write_bytes(answer.content)
    links = list(chain.read_export(path))
    assert chain.check(links) == (2, None)
    assert [link.body["did"] for link in links] == ["sign_in", "export_audit"]


def test_the_newest_anchor_is_there_to_be_printed_and_a_broken_log_is_told(town: Town) -> None:
    auditor = Browser(town)
    auditor.sign_in("mika")
    folder = anchors.folder_of(Path(town.settings.state_dir))
    signing = town.app.state.signing
    anchor = town.read(lambda conn: anchors.make(conn, signing, time.time_ns() // 1_000_000))
    assert anchor is not None
    anchors.keep(folder, anchor)
    page = auditor.get("/settings/audit?check=true").text
    assert anchor.hash.hex() in page
    assert 'src="data:image/svg+xml' in page
    assert "控え1件と一致" in page
    # A page further back does not show it again.
    assert anchor.hash.hex() not in auditor.get("/settings/audit?by=mika").text

    def spoil(conn: Connection) -> None:
        conn.execute("DROP TRIGGER audit_is_not_changed")
        conn.execute("UPDATE audit SET who = 'taro' WHERE id = 1")

    town.write(spoil)
    page = auditor.get("/settings/audit?check=true").text
    assert "1番目の記録が書かれたときのままではありません。" in page
    assert "内容が変わっています。" in page
    next(folder.iterdir()).write_text("nonsense")
    page = auditor.get("/settings/audit?check=true").text
    assert "控えを確かめられません" in page
