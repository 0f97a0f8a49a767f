"""Every case of the case file, and others that the rules imply, through the same function as the command."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.case_fields import BadCase
from hub.tablet.metering_case import metering
from tests.attendance.rules.test_evaluate import answered, anything
from tests.waiver.rules.test_cases import holds

FOLDER = Path(__file__).parent / "cases"
CASES: list[dict[str, Any]] = json.loads((FOLDER / "metering.json").read_text())


def sample(seq: int, used: int, clock: str, boot: str = "A", **more: object) -> dict[str, Any]:
    at = clock if "T" in clock else f"2026-11-10T{clock}:00+09:00"
    return {"boot": boot, "seq": seq, "bytes": used, "iface": "wwan0", "kind": "sim", "at": at} | more


def answer(*samples: dict[str, Any], **more: object) -> dict[str, Any]:
    return metering({"samples": list(samples)} | more)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_case(case: dict[str, Any]) -> None:
    found = metering(case["given"])
    assert holds(case["expect"], found), found


def test_one_sample_is_where_counting_begins() -> None:
    found = answer(sample(1, 700, "09:00"))
    assert (found["billable_bytes"], found["wifi_bytes"], found["flags"]) == ({"2026-11": 0}, {"2026-11": 0}, [])
    assert answer()["billable_bytes"] == {}


def test_repeats_and_any_order_of_arrival() -> None:
    late = [sample(4, 90, "09:04", "B"), sample(2, 800, "09:02"), sample(1, 500, "09:01"), sample(3, 40, "09:03", "B")]
    found = answer(*late, *late)
    assert (found["billable_bytes"], found["flags"]) == ({"2026-11": 390}, ["TAIL_LOST_POSSIBLE"])


def test_a_clock_that_goes_back_changes_nothing() -> None:
    found = answer(sample(1, 100, "09:05"), sample(2, 250, "09:01"), sample(3, 400, "09:02"))
    assert (found["billable_bytes"], found["flags"]) == ({"2026-11": 300}, [])


def test_a_fall_that_is_no_wrap() -> None:
    samples = sample(1, 1000, "09:01"), sample(2, 300, "09:02"), sample(3, 500, "09:03")
    assert answer(*samples)["billable_bytes"] == {"2026-11": 500}
    assert answer(*samples)["flags"] == ["COUNTER_FELL"]
    assert answer(*samples, counter_bits=32)["billable_bytes"] == {"2026-11": 2**32 - 700 + 200}
    assert answer(*samples, counter_bits=32)["flags"] == []


def test_a_reboot_of_a_32_bit_counter_is_no_wrap() -> None:
    found = answer(sample(1, 4_000_000_000, "09:01"), sample(2, 300, "09:02", "B"), counter_bits=32)
    assert (found["billable_bytes"], found["flags"]) == ({"2026-11": 300}, ["TAIL_LOST_POSSIBLE"])


def test_a_sample_at_shutdown_leaves_nothing_unknown() -> None:
    found = answer(sample(1, 500, "09:01"), sample(2, 800, "09:02", last=True), sample(3, 40, "09:03", "B"))
    assert (found["billable_bytes"], found["flags"]) == ({"2026-11": 340}, [])


def test_a_sample_at_midnight_makes_the_months_exact() -> None:
    midnight = sample(2, 1300, "2026-12-01T00:00:00+09:00")
    found = answer(sample(1, 1000, "2026-11-30T23:40:00+09:00"), midnight, sample(3, 1400, "2026-12-01T00:20:00+09:00"))
    assert (found["billable_bytes"], found["flags"]) == ({"2026-11": 300, "2026-12": 100}, [])
    # The same instant, as another office writes it.
    found = answer(sample(1, 0, "2026-11-30T14:40:00Z"), sample(2, 5, "2026-11-30T15:00:00Z"))
    assert (found["billable_bytes"], found["flags"]) == ({"2026-11": 5, "2026-12": 0}, [])


def test_the_earlier_month_is_floored_and_the_sum_kept() -> None:
    found = answer(sample(1, 0, "2026-11-30T23:59:59+09:00"), sample(2, 100, "2026-12-01T00:00:02+09:00"))
    assert (found["billable_bytes"], found["flags"]) == ({"2026-11": 33, "2026-12": 67}, ["ESTIMATED_SPLIT"])
    idle = answer(sample(1, 100, "2026-11-30T23:40:00+09:00"), sample(2, 100, "2026-12-01T00:20:00+09:00"))
    assert (idle["billable_bytes"], idle["flags"]) == ({"2026-11": 0, "2026-12": 0}, [])


def test_an_interval_over_three_months() -> None:
    found = answer(sample(1, 0, "2026-10-31T00:00:00+09:00"), sample(2, 3200, "2026-12-02T00:00:00+09:00"))
    assert found["billable_bytes"] == {"2026-10": 100, "2026-11": 3000, "2026-12": 100}
    assert found["flags_by_month"] == {f"2026-{number}": ["ESTIMATED_SPLIT"] for number in (10, 11, 12)}


LENT = [sample(1, 100, "09:01"), sample(2, 250, "09:02"), sample(3, 400, "09:03"), sample(4, 900, "09:04")]


@pytest.mark.parametrize(
    ("loan", "used", "flags"),
    [
        ({"from": "2026-11-10T09:02:00+09:00", "to": "2026-11-10T09:03:00+09:00"}, 150, []),
        ({"to": "2026-11-10T09:03:00+09:00"}, 300, []),
        ({"from": "2026-11-10T09:02:20+09:00"}, 600, ["ESTIMATED_SPLIT"]),
        ({"to": "2026-11-10T00:03:30Z"}, 550, ["ESTIMATED_SPLIT"]),
        ({"from": "2026-11-10", "to": "2026-11-10"}, 800, []),
        ({"from": "2026-11-11"}, 0, []),
        ({"to": "2026-11-09"}, 0, []),
        ({"from": "2026-11-10T09:02:15+09:00", "to": "2026-11-10T09:02:45+09:00"}, 75, ["ESTIMATED_SPLIT"]),
    ],
)
def test_what_lies_outside_the_loan_belongs_to_nobody(loan: dict[str, str], used: int, flags: list[str]) -> None:
    found = answer(*LENT, loan=loan)
    assert (found["billable_bytes"], found["flags"]) == ({"2026-11": used}, flags)


def test_flags_of_what_lies_outside_the_loan_are_not_told() -> None:
    samples = (
        sample(1, 500, "09:01"),
        sample(2, 40, "09:02", "B"),
        sample(3, 10, "09:03", "B"),
        sample(4, 90, "09:04", "B"),
    )
    assert answer(*samples)["flags"] == ["COUNTER_FELL", "TAIL_LOST_POSSIBLE"]
    assert answer(*samples, loan={"from": "2026-11-10T09:03:00+09:00"})["flags"] == []


def test_a_boot_within_the_loan_counts_from_its_beginning() -> None:
    first = sample(1, 700, "09:05", boot_at="2026-11-10T09:03:00+09:00")
    assert answer(first)["billable_bytes"] == {"2026-11": 0}
    assert answer(first, loan={"from": "2026-11-10T09:00:00+09:00"})["billable_bytes"] == {"2026-11": 700}
    assert answer(first, loan={"from": "2026-11-10T09:04:00+09:00"})["billable_bytes"] == {"2026-11": 0}
    # After midnight the device was started, so nothing of it was in November.
    night = (
        sample(1, 9, "2026-11-30T23:50:00+09:00"),
        sample(2, 80, "2026-12-01T00:20:00+09:00", "B", boot_at="2026-12-01T00:05:00+09:00"),
    )
    assert answer(*night)["billable_bytes"] == {"2026-11": 0, "2026-12": 80}
    assert answer(*night)["flags"] == ["TAIL_LOST_POSSIBLE"]


def test_another_card_in_the_same_interface() -> None:
    found = answer(
        sample(1, 100, "09:01", sim="1"),
        sample(2, 300, "09:02", sim="1"),
        sample(3, 350, "09:03", sim="2"),
        sample(4, 450, "09:04", sim="2"),
    )
    assert (found["by_sim"], found["flags"]) == ({"1": {"2026-11": 200}, "2": {"2026-11": 100}}, ["TAIL_LOST_POSSIBLE"])


def test_a_tunnel_has_neither_bytes_nor_flags() -> None:
    tunnel = {"iface": "tun0", "kind": "tunnel"}
    found = answer(
        sample(1, 900, "09:01", **tunnel), sample(2, 100, "09:02", **tunnel), sample(3, 5, "09:03", "B", **tunnel)
    )
    assert (found["billable_bytes"], found["wifi_bytes"], found["flags"]) == ({"2026-11": 0}, {"2026-11": 0}, [])


@pytest.mark.parametrize(
    ("case", "sentence"),
    [
        ([], "given: expected an object, found a list"),
        ({}, "samples: expected a list of samples, found null"),
        ({"samples": [], "bits": 32}, "given: expected only"),
        ({"samples": [], "counter_bits": 16}, "counter_bits: expected 32 or 64, found 16"),
        ({"samples": [sample(1, -1, "09:00")]}, "samples[0].bytes: expected a whole number"),
        (
            {"samples": [sample(1, 2**32, "09:00")], "counter_bits": 32},
            "samples[0].bytes: expected a whole number from 0 to 4294967295",
        ),
        ({"samples": [sample(1, 1, "09:00", boot="")]}, "samples[0].boot: expected a name"),
        ({"samples": [sample(1, 1, "09:00", kind=None)]}, "samples[0].kind: expected sim or wifi or tunnel"),
        (
            {"samples": [sample(1, 1, "09:00", kind="usb")]},
            "samples[0].kind: expected sim or wifi or tunnel, found 'usb'",
        ),
        ({"samples": [sample(1, 1, "2026-11-10T09:00:00")]}, "samples[0].at: expected a time with its offset"),
        ({"samples": [sample(1, 1, "09:00", last=1)]}, "samples[0].last: expected true or false, found 1"),
        ({"samples": [sample(1, 1, "09:00", rx=1)]}, "samples[0]: expected only"),
        ({"samples": [], "loan": {"since": "2026-11-10"}}, "loan: expected only"),
        ({"samples": [], "loan": {"from": "2026-11-31"}}, "loan.from: expected a day such as"),
        ({"samples": [], "loan": {"from": "2026-11-10", "to": "2026-11-08"}}, "loan.to: expected a time after"),
    ],
)
def test_bad_input_is_told_with_its_place(case: object, sentence: str) -> None:
    with pytest.raises(BadCase) as error:
        metering(case)
    assert str(error.value).startswith(sentence)


in_sample = st.fixed_dictionaries({name: st.just(value) | anything for name, value in sample(1, 5, "09:00").items()})
bad_cases = st.fixed_dictionaries(
    {"samples": anything | st.lists(in_sample | anything, max_size=3)},
    optional={"counter_bits": anything, "loan": anything | st.dictionaries(st.sampled_from(["from", "to"]), anything)},
)


@settings(max_examples=200, deadline=None)
@given(bad_cases | anything)
def test_whatever_is_given_there_is_an_answer_or_a_sentence(value: object) -> None:
    text = answered(metering, value)
    assert text.startswith("{") or "expected" in text
    assert "\n" not in text


def test_the_command() -> None:
    command = [sys.executable, "-m", "hub", "evaluate", "metering", "-"]
    for given_case, code in ((CASES[0], 0), ({"samples": 1}, 2)):
        text = json.dumps(given_case).encode()
        found = subprocess.run(command, input=text, capture_output=True, check=False, timeout=60)
        assert found.returncode == code
        assert (found.stderr == b"") == (code == 0)
    assert found.stderr.decode() == "machinaka-hub: -: samples: expected a list of samples, found 1\n"
