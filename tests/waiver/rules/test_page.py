"""The example on the pages comes to the figures that stand below it."""

import json
import re
from pathlib import Path

import pytest

from hub.waiver.rules import evaluate

DOCS = Path(__file__).resolve().parents[3] / "docs"
JAPANESE = DOCS / "waiver-rules.ja.md"


@pytest.mark.parametrize("page", [JAPANESE, DOCS / "waiver-rules.en.md"], ids=lambda page: page.name)
def test_the_example(page: Path) -> None:
    case = re.search(r"```json\n(.*?)```", JAPANESE.read_text(), re.DOTALL)
    assert case is not None
    line = evaluate.waiver(json.loads(case[1]))["lines"]["L001"]
    rows = re.findall(r"^\| [^|]+ \| ([\d,]+) \|$", page.read_text(), re.MULTILINE)
    found = [line["base_ex_tax"] + line["fees_ex_tax"], line["overage_ex_tax"]]
    found += [line[name] for name in ("tax", "total", "waived", "resident")]
    assert [int(row.replace(",", "")) for row in rows] == found
    assert [step["numbers"]["exact"] for step in line["steps"] if step["rule"] == "waived_share"] == ["1,141.70"]
