"""Each kind that a device's own figures show: where it begins, where it stays, where it is not."""

import msgspec
import pytest

from hub.alerts.kinds import KINDS, NATURE
from hub.alerts.signs import signs
from hub.fleet.condition import condition
from tests.ingest.parts import HEALTH, NOW_MS
from tests.pages.test_figures import row
from wire.messages import ProcessState

UP = {"uptime_s": 100_000}


def found(health: dict[str, object] | None = None, **more: object) -> dict[str, bool]:
    """Kind and whether it is firm."""
    body = msgspec.structs.replace(HEALTH, **health) if health else HEALTH
    return {fact.kind: fact.firm for fact in signs(row(health=body, **more), "hall", NOW_MS)}


def process(state: str, uptime_s: int = 1000) -> dict[str, object]:
    return {**UP, "processes": (ProcessState("kiosk", state, uptime_s), ProcessState("agent", "running", 9999))}


@pytest.mark.parametrize(
    ("health", "more", "kinds"),
    [
        ({}, {}, {}),
        ({"disk_free": 99}, {}, {"disk": True}),
        ({"disk_free": 100}, {}, {"disk": False}),
        ({"disk_free": 160}, {}, {}),
        ({"disk_total": 0, "disk_free": 0}, {}, {}),
        ({"temperature_milli_c": 80_001}, {}, {"hot": True}),
        ({"temperature_milli_c": 80_000}, {}, {"hot": False}),
        ({"temperature_milli_c": 75_000}, {}, {}),
        ({"throttled": 0b1}, {}, {"undervoltage": True}),
        ({"throttled": 0x50005}, {}, {"undervoltage": True}),
        # Since boot, not now.
        ({"throttled": 0x10000}, {}, {"undervoltage": False}),
        ({"throttled": 0b100}, {}, {"throttled": True}),
        ({"throttled": 0x40000}, {}, {}),
        (process("fatal"), {}, {"process": True}),
        (process("backoff"), {}, {"process": True}),
        (process("starting"), {}, {"process": False}),
        (process("running", 20), {}, {"restarting": True}),
        # The machine has only just begun itself.
        ({**process("running", 20), "uptime_s": 60}, {}, {}),
        (process("stopped"), {}, {}),
        ({}, {"clock": "unset"}, {"clock": True}),
        ({}, {"spool_bulk": 1001}, {"backlog": True}),
        ({}, {"spool_bulk": 1000}, {"backlog": False}),
        ({}, {"spool_urgent": 500}, {}),
        ({}, {"missing": 2, "dropped": 1}, {"lost": True}),
        ({}, {"quarantined": 1}, {"unreadable": True}),
        ({}, {"open_alarms": ("card_reader",)}, {"reader": True}),
        ({}, {"open_alarms": ("spool_broken", "spool_full")}, {"spool_broken": True, "spool_full": True}),
        ({}, {"open_alarms": ("smoke",)}, {"alarm": True}),
        # Old figures of a device that is away begin nothing; what was lost stays lost.
        ({"disk_free": 99}, {"online": False, "last_heard_ms": 0}, {"disk": False}),
        ({}, {"online": False, "last_heard_ms": 0, "missing": 1}, {"lost": True}),
    ],
)
def test_the_table_of_signs(health: dict[str, object], more: dict[str, object], kinds: dict[str, bool]) -> None:
    assert found(health, **more) == kinds


def test_a_device_without_health_shows_nothing_of_it() -> None:
    assert [fact.kind for fact in signs(row(health=None, clock=None), "", NOW_MS)] == []


def test_what_it_says_goes_with_it() -> None:
    (fact,) = signs(row(open_alarms=("smoke",)), "hall", NOW_MS)
    assert (fact.device, fact.place, fact.detail) == ("genkan-1", "hall", "smoke")
    (fact,) = signs(row(health=msgspec.structs.replace(HEALTH, **process("fatal"))), "", NOW_MS)
    assert fact.detail == "kiosk"


@pytest.mark.parametrize(
    ("health", "more"),
    [
        ({"disk_free": 99}, {}),
        ({"temperature_milli_c": 80_001}, {}),
        ({"throttled": 1}, {}),
        ({}, {"spool_bulk": 1001}),
    ],
)
def test_alerts_and_conditions_have_the_same_marks(health: dict[str, object], more: dict[str, object]) -> None:
    """Wherever something firm begins, the list of devices says the same in its own words."""
    one = row(health=msgspec.structs.replace(HEALTH, **health), **more)
    assert any(fact.firm for fact in signs(one, "", NOW_MS))
    assert condition(one, NOW_MS).reasons


def test_every_kind_has_its_nature() -> None:
    assert set(NATURE) == set(KINDS)
