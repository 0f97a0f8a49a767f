"""A layout is read strictly: a key, a place or a field that does not fit is one sentence with where it stands."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest

from hub.waiver import bill_layout, bill_store
from hub.waiver.bill_layout import BadLayout

LINE = {"record": "line", "fields": [{"field": "phone", "column": 1}, {"field": "ex_tax_yen", "column": 2}]}


def _fixed(**more: Any) -> dict[str, Any]:
    fields = [{"field": "phone", "at": 1, "bytes": 11}, {"field": "ex_tax_yen", "at": 12, "bytes": 9}]
    return {"format": "fixed", "record_bytes": 20, "records": [{"record": "line", "fields": fields}], **more}


WRONG: list[tuple[dict[str, Any] | str, str]] = [
    ("{", "expected JSON"),
    ("[]", "layout: expected an object, found a list"),
    ({"records": [LINE], "colour": 1}, "layout: expected only carrier, "),
    ({"records": [LINE], "format": "xlsx"}, "layout.format: expected delimited or fixed, found 'xlsx'"),
    ({"records": [LINE], "record_bytes": 5}, "layout.record_bytes: expected nothing, for the format is delimited"),
    (_fixed(record_bytes=None), "layout.record_bytes: expected how many bytes a record has"),
    (
        _fixed(record_bytes=15),
        "layout.records[0].fields[1].at: expected a place and bytes within 1 to 15, found '12 + 9'",
    ),
    ({"records": []}, "layout.records: expected a record `line` or `charge`"),
    ({"records": [LINE, LINE]}, "layout.type: expected where a record tells its kind, for there are several"),
    ({"records": [LINE, LINE], "type": {"column": 3}}, "layout.records: expected a type of its own for each record"),
    ({"records": [{"record": "line", "fields": [{"field": "month", "column": 1}]}]}, "a field phone or iccid"),
    ({"records": [{"record": "line", "fields": [{"field": "phone", "column": 1}]}]}, "a field charge, charge_yen"),
    ({"records": [{"record": "line", "fields": [{"field": "phone", "column": "tel"}]}]}, "the file has no headings"),
    (
        {"records": [{"record": "line", "fields": [{"field": "lines", "column": 1}]}]},
        "fields[0].field: expected phone or",
    ),
    ({"records": [{"record": "line", "fields": [{"field": "phone", "column": 0}]}]}, "a heading or a number from 1"),
    ({"records": [{"record": "line", "fields": [{"field": "phone", "column": 1, "unit": "GB"}]}]}, "phone has no unit"),
    ({"records": [{"record": "line", "fields": [{"field": "charge", "column": 1}]}]}, "the charge's name"),
    ({"records": [LINE], "tax": "line"}, "a field tax_yen of a line"),
    ({"records": [LINE], "tax": "inside"}, "no ex_tax_yen of a line with tax inside"),
    ({"records": [LINE], "charges": {"基本": {"kind": "rent"}}}, "layout.charges.基本.kind: expected base or"),
    ({"records": [LINE], "tax_percent": 101}, "layout.tax_percent: expected a whole number from 0 to 100, found 101"),
    (
        {"records": [{"record": "ignored", "type": "9", "fields": [{"field": "phone", "column": 1}]}, LINE]},
        "no fields in",
    ),
]


@pytest.mark.parametrize(("body", "sentence"), WRONG, ids=[sentence[:40] for _, sentence in WRONG])
def test_a_layout_that_does_not_fit_says_where(body: dict[str, Any] | str, sentence: str) -> None:
    with pytest.raises(BadLayout) as caught:
        bill_layout.read(body if isinstance(body, str) else json.dumps(body))
    assert sentence in str(caught.value)


def test_a_field_stands_once_in_a_record() -> None:
    twice = {"record": "line", "fields": [*LINE["fields"], {"field": "phone", "column": 3}]}
    with pytest.raises(BadLayout, match="phone once"):
        bill_layout.read(json.dumps({"records": [twice]}))


def test_a_layout_is_no_book() -> None:
    with pytest.raises(BadLayout, match="at most 20000 characters"):
        bill_layout.read(" " * 20_001)


def test_those_that_come_with_the_hub_are_read_and_have_titles() -> None:
    for code, form in bill_store.shipped().items():
        assert bill_layout.read(form.body, code).title, code


@pytest.mark.parametrize("name", ["bill-layouts.md", "bill-layouts.ja.md"])
def test_the_page_about_layouts_is_true(name: str) -> None:
    text = (Path(__file__).parents[3] / "docs" / name).read_text(encoding="utf-8")
    found = bill_layout.read(text.partition("```json\n")[2].partition("```")[0])
    assert (found.record_bytes, len(found.records)) == (510, 4)
    known = {*get_args(bill_layout.FieldName), *get_args(bill_layout.ChargeKind), *get_args(bill_layout.RecordKind)}
    known |= {"month_after_use", "heading_rows", "line_ends", "tax_rounding", "example", "invoice", "inside", "packet"}
    assert not [word for word in known if f"`{word}`" not in text]
