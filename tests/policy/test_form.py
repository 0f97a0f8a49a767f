"""Forms: what is filled in becomes what is said, and what is said is filled in again."""

from typing import Any

import pytest
from hypothesis import given, settings

from hub.policy import form, merge
from hub.policy.form import FIELDS, SECTIONS, Section, Wrong
from hub.words import WORDS
from tests.policy.documents import LAYERS
from wire import policy


def sent(layer: dict[str, Any], section: Section) -> dict[str, str]:
    """The form of a section as a browser sends it, untouched."""
    out = {}
    for one in form.filled(layer, section):
        out[f"say.{one.field.key}"] = one.say
        if not one.field.options:
            out[f"value.{one.field.key}"] = one.value
    return out


@settings(max_examples=300, deadline=None)
@given(LAYERS)
def test_a_form_that_is_sent_as_it_is_changes_nothing(layer: dict[str, Any]) -> None:
    # An empty list or text cannot be typed, but for closed hours and an empty contact: they are said by `null`.
    said = {
        path: value
        for path, value in merge.leaves(layer).items()
        if path[-1] not in ("closed_days", "open_days", "home", "garden", "allowed") or value != []
    }
    plain = merge.planted(said.items())
    found = plain
    for section in SECTIONS:
        fields = sent(found, section)
        assert len(fields) < 45  # forms of more fields are refused
        if any(isinstance(value, str) and value != value.strip() for value in said.values()):
            return
        found = form.taken(found, section, fields)
    assert merge.leaves(found) == merge.leaves(plain)
    policy.read_layer(found)


def test_every_field_of_a_layer_is_in_a_form_and_has_a_word() -> None:
    every = {path for fields in FIELDS.values() for path in (field.path for field in fields)}
    tables = {"opening": policy.Opening, "terminal": policy.Terminal, "tablet": policy.Tablet}
    tables["access_point"] = policy.AccessPoint
    known: set[tuple[str, ...]] = {(name,) for name in policy.Layer.__struct_fields__ if name not in tables}
    for table, type_ in tables.items():
        known |= {(table, name) for name in type_.__struct_fields__}
    assert every == known - {("opening", "holidays")}
    for name in form.NAMES:
        assert f"policy_{name}" in WORDS
    for fields in FIELDS.values():
        for field in fields:
            assert all(f"policy_choice_{option}" in WORDS for option in field.options)
            assert not field.unit or f"policy_unit_{field.unit}" in WORDS
            assert field.options or field.kind == "number" or f"policy_{field.kind}_hint" in WORDS


GOOD = [
    ("common", "health_every_s", "value", "60", 60),
    ("common", "health_every_s", "unsaid", "６０", 60),
    ("common", "contact", "value", " 内線 1 ", "内線 1"),
    ("common", "contact", "value", "", ""),
    ("common", "lease_days", "default", "7", None),
    ("opening", "opening.monday", "value", "08:30-12:00、13:00〜17:15", ["08:30-12:00", "13:00-17:15"]),
    ("opening", "opening.sunday", "closed", "", []),
    ("opening", "opening.closed_days", "value", "2026-12-29\r\n2026-12-30", ["2026-12-29", "2026-12-30"]),
    ("opening", "opening.holidays_closed", "no", "", False),
    ("terminal", "terminal.clock_out_from", "value", "12:30", "12:30"),
    ("terminal", "terminal.sound", "yes", "", True),
    ("tablet", "tablet.text_size", "largest", "", "largest"),
    (
        "tablet",
        "tablet.home",
        "value",
        "https://a.example/\r\nhttps://b.example/",
        ["https://a.example/", "https://b.example/"],
    ),
    ("access_point", "access_point.network_name", "value", "town-wifi", "town-wifi"),
    (
        "access_point",
        "access_point.garden",
        "value",
        "www.town.example、bus.example",
        ["www.town.example", "bus.example"],
    ),
    ("access_point", "access_point.security", "wpa3", "", "wpa3"),
    ("access_point", "access_point.passphrase", "value", "sakura-2026", "sakura-2026"),
]


@pytest.mark.parametrize(("section", "key", "say", "typed", "value"), GOOD)
def test_what_is_typed_is_said(section: Section, key: str, say: str, typed: str, value: Any) -> None:
    found = form.taken({"contact": "x"}, section, {f"say.{key}": say, f"value.{key}": typed})
    assert merge.leaves(found)[tuple(key.split("."))] == value
    policy.read_layer(found)
    if section != "common":
        assert found["contact"] == "x"


def test_taking_back_what_was_said_is_not_typing_it_anew() -> None:
    layer = {"health_every_s": 60, "contact": "x"}
    taken = form.taken(layer, "common", {**sent(layer, "common"), "say.health_every_s": "unsaid"})
    assert taken == {"contact": "x"}
    assert form.taken(layer, "terminal", {}) == layer


BAD = [
    ("common", "health_every_s", "value", "0", "number"),
    ("common", "health_every_s", "value", "86401", "number"),
    ("common", "health_every_s", "value", "", "number"),
    ("common", "health_every_s", "value", "²", "number"),
    ("common", "health_every_s", "value", "9" * 5000, "number"),
    ("common", "health_every_s", "maybe", "1", "choice"),
    ("common", "contact", "value", "x" * 31, "text"),
    ("opening", "opening.monday", "value", "17:15-08:30", "hours"),
    ("opening", "opening.monday", "value", "08:30-12:00 11:00-17:00", "hours"),
    ("opening", "opening.monday", "value", "", "hours"),
    ("opening", "opening.closed_days", "value", "2026-02-30", "days"),
    ("opening", "opening.holidays_closed", "perhaps", "", "choice"),
    ("terminal", "terminal.clock_out_from", "value", "24:00", "time"),
    ("terminal", "terminal.language", "fr", "", "choice"),
    ("tablet", "tablet.home", "value", "javascript:alert(1)", "pages"),
    ("access_point", "access_point.network_name", "value", "", "text"),
    ("access_point", "access_point.garden", "value", "https://www.town.example/", "names"),
    ("access_point", "access_point.passphrase", "value", "short", "text"),
    # Eleven kanji are 33 bytes.
    ("access_point", "access_point.network_name", "value", "町" * 11, "text"),
]


@pytest.mark.parametrize(("section", "key", "say", "typed", "why"), BAD)
def test_what_cannot_be_is_said_with_its_field(section: Section, key: str, say: str, typed: str, why: str) -> None:
    with pytest.raises(Wrong) as wrong:
        form.taken({}, section, {f"say.{key}": say, f"value.{key}": typed})
    assert (wrong.value.field.key, wrong.value.why) == (key, why)
    assert f"policy_wrong_{why}" in WORDS
