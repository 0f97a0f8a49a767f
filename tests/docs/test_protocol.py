"""The protocol's pages: their example is played through the real rule, and their figures are the code's."""

import re
from pathlib import Path

import msgspec
import pytest

from hub.fleet import cursor
from wire import topics
from wire.codec import PLAIN_BYTES, Received
from wire.messages import BATCHES_UNDER_WAY, BODY_BYTES, LANE_OF_KIND, RECORDS_PER_BATCH, Batch, Record

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "protocol"
pages = pytest.mark.parametrize("page", ["README.md", "README.ja.md"])


def _text(page: str) -> str:
    return (FOLDER / page).read_text(encoding="utf-8")


def _numbers(text: str) -> list[int]:
    return [int(each) for each in re.findall(r"\d+", text)]


def _batch(told: str) -> Received:
    """The batch in a cell such as "sends after 3: 4, 5, `missing` 2"."""
    after, *rest = _numbers(told.split("after", 1)[1])
    missing = rest.pop() if "`missing`" in told else 0
    records = tuple(Record(seq, "alarm", "b", 1, 1, "synced", msgspec.Raw(b"{}")) for seq in rest)
    return Received(Batch("0" * 16, "urgent", after, records, missing))


@pages
def test_the_worked_example_is_what_the_rule_does(page: str) -> None:
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (\d+) \|$", _text(page), re.MULTILINE)
    assert len(rows) == 8
    at, stored, missing = 0, list[int](), 0
    for device, hub, shown in rows:
        if "after" not in device:
            at = int(shown)  # a backup is restored
            stored = [seq for seq in stored if seq <= at]
        elif not hub.startswith("*"):
            taken = cursor.take(at, _batch(device))
            if taken is not None:
                at, missing = taken.through, missing + taken.missing
                new = [record.seq for record in taken.records]
                stored += new
                assert " ".join(map(str, new)) in hub
            assert (">" in hub) == (taken is None)
            assert at in _numbers(hub)
        assert at == int(shown), (device, hub)
    assert (stored, missing) == ([1, 2, 5, 6, 7], 2)


@pages
def test_its_figures_and_names_are_the_code_s(page: str) -> None:
    text = _text(page)
    for leaf in topics.LEAVES:
        assert f"`{topics.ROOT}/<device>/{leaf}`" in text
    for kind in LANE_OF_KIND:
        assert f"`{kind}`" in text
    limits = (f"{RECORDS_PER_BATCH} ", f"{BODY_BYTES // 1024} KiB", f"{BATCHES_UNDER_WAY} ", f"{PLAIN_BYTES} ")
    for figure in (*limits, "60 KiB", "1 MiB"):
        assert figure in text


def test_both_languages_have_the_same_chapters_and_tables() -> None:
    english, japanese = _text("README.md"), _text("README.ja.md")
    for mark in (r"^#+ ", r"^\|", r"^\d+\. ", r"^- ", r"^    "):
        assert len(re.findall(mark, english, re.MULTILINE)) == len(re.findall(mark, japanese, re.MULTILINE)), mark
