"""The pages about layouts tell every key, field and unit, in both languages, and their example is one."""

import re
from pathlib import Path

import pytest

from hub.payroll import layout
from hub.payroll.form import FIELDS, UNITS

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", ["payroll-layouts.md", "payroll-layouts.ja.md"])
def test_all_of_it_is_told(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    told = set(re.findall(r"`([^`\n]+)`", text))
    assert set(FIELDS) - told == set()
    assert {unit for units in UNITS.values() for unit in units} - {"text"} - told == set()
    assert set(layout.TOP) - told == set()
    assert set(layout.COLUMN) - told == set()


@pytest.mark.parametrize("page", ["payroll-layouts.md", "payroll-layouts.ja.md"])
def test_the_example_is_a_layout(page: str) -> None:
    found = re.search(r"```toml\n(.*?)```", (DOCS / page).read_text(encoding="utf-8"), re.DOTALL)
    assert found
    assert layout.read(found[1], page).name == "our-payroll"
