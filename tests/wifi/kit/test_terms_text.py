"""Texts of terms: their blocks and furigana, the same at the hub as on the portal."""

from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.kiosk import terms_text as portal
from wire import terms_text
from wire.terms_text import Block, Problem, Run

TEXTS = st.text(alphabet="漢字利用あア《》# -\n\r々ヶ1aAB<&", max_size=120)


def as_html(text: str) -> str:
    """Blocks in the form that the portal gives them."""

    def line(runs: terms_text.Line) -> str:
        return "".join(
            f"<ruby>{run.text}<rp>（</rp><rt>{escape(run.reading)}</rt><rp>）</rp></ruby>"
            if run.reading
            else escape(run.text)
            for run in runs
        )

    def block(one: Block) -> str:
        lines = [line(runs) for runs in one.lines]
        if one.kind == "heading":
            return f"<h2>{lines[0]}</h2>"
        if one.kind == "list":
            return "<ul>" + "".join(f"<li>{each}</li>" for each in lines) + "</ul>"
        return f"<p>{'<br>'.join(lines)}</p>"

    return "\n".join(block(one) for one in terms_text.blocks(text))


def test_headings_lists_paragraphs_and_furigana() -> None:
    text = "# 利用《りよう》のきまり\n\n町《まち》の Wi-Fi\n無料《むりょう》です\n- 一つ\n- 二《に》\n終わり"
    assert terms_text.blocks(text) == (
        Block("heading", ((Run("利用", "りよう"), Run("のきまり")),)),
        Block("paragraph", ((Run("町", "まち"), Run("の Wi-Fi")), (Run("無料", "むりょう"), Run("です")))),
        Block("list", ((Run("一つ"),), (Run("二", "に"),))),
        Block("paragraph", ((Run("終わり"),),)),
    )


@settings(deadline=None)
@given(TEXTS)
def test_the_hub_shows_what_the_portal_shows(text: str) -> None:
    assert as_html(text) == portal.blocks(text)


@settings(deadline=None)
@given(TEXTS)
def test_no_letter_is_lost_or_made(text: str) -> None:
    shown = "".join(
        run.text + (f"《{run.reading}》" if run.reading else "")
        for block in terms_text.blocks(text)
        for line in block.lines
        for run in line
    )
    kept = [line.strip() for line in text.replace("\r\n", "\n").split("\n")]
    typed = "".join(line[2:] if line.startswith(("# ", "- ")) else line for line in kept)
    assert shown == typed


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("町《まち》の役場《やくば》", ()),
        ("カタカナ・ひらがな だけ", ()),
        ("町の\n\n役場《やくば》", (Problem(1, "unread", "町"),)),
        ("ある《ある》", (Problem(1, "mark", "ある《ある》"),)),
        ("町《まち》役場《やくば", (Problem(1, "mark", "役場《やくば"), Problem(1, "unread", "役場"))),
        ("町《town》", (Problem(1, "mark", "町《town》"),)),
    ],
)
def test_what_a_reader_would_stumble_over_is_told(text: str, found: tuple[Problem, ...]) -> None:
    assert terms_text.problems(text, every_kanji=True) == found


def test_kanji_need_no_reading_in_plain_japanese() -> None:
    assert terms_text.problems("町の役場《やくば》", every_kanji=False) == ()
