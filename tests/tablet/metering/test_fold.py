"""The fold against the oracle, and the caches against the fold, in any order of arrival."""

import ast
import random
from bisect import bisect_left
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.tablet import metering as rules
from hub.tablet.metering import Compared, Loan, Meter, Sample, Sums, compare, fold, inserted, meter, metered
from tests.attendance.rules.test_exact import inexact
from tests.tablet.metering.drawn import EVENING_MS, Device, devices
from tests.tablet.metering.oracle import count


def stripped(sums: Sums) -> Sums:
    return {key: amount for key, amount in sums.items() if amount}


@settings(max_examples=150, deadline=None)
@given(devices())
def test_the_oracle_counts_the_same(device: Device) -> None:
    by_kind, flags = count(device.samples, device.loan)
    found = meter(device.samples, device.loan)
    assert (found.billable, found.wifi, set(found.flags)) == (by_kind["sim"], by_kind["wifi"], flags)
    assert list(found.flags) == sorted(found.flags)
    by_sim = [months.get(month, 0) for month in found.billable for months in found.by_sim.values()]
    assert sum(by_sim) == sum(found.billable.values())
    assert {flag for flags in found.flags_by_month.values() for flag in flags} == set(found.flags)


@settings(max_examples=150, deadline=None)
@given(devices(), st.randoms(use_true_random=False))
def test_repeats_and_any_order_come_to_the_same(device: Device, chance: random.Random) -> None:
    shuffled = device.samples * 2
    chance.shuffle(shuffled)
    assert meter(shuffled, device.loan) == meter(device.samples, device.loan)


@settings(max_examples=150, deadline=None)
@given(devices(), st.randoms(use_true_random=False))
def test_a_meter_is_the_fold_of_all_so_far(device: Device, chance: random.Random) -> None:
    kept, sums = Meter(device.loan), dict[tuple[str, str, rules.What], int]()
    arriving = device.samples + chance.sample(device.samples, len(device.samples) // 2)
    chance.shuffle(arriving)
    for at, one in enumerate(arriving):
        for key, by in kept.add([one]).items():
            sums[key] = sums.get(key, 0) + by
        assert kept.sums == stripped(sums) == stripped(fold(arriving[: at + 1], device.loan))
    assert kept.metered == meter(device.samples, device.loan)


@settings(max_examples=150, deadline=None)
@given(devices(), st.randoms(use_true_random=False))
def test_what_is_inserted_between_neighbours_is_the_fold(device: Device, chance: random.Random) -> None:
    """As a store does it: only the two nearest samples are looked at, and the sums are added to."""
    place = {id(one): at for at, one in enumerate(device.samples)}
    there: dict[str, list[int]] = {}
    sums: Sums = {}
    for one in chance.sample(device.samples, len(device.samples)):
        line = there.setdefault(one.iface, [])
        at = bisect_left(line, place[id(one)])
        before = device.samples[line[at - 1]] if at else None
        after = device.samples[line[at]] if at < len(line) else None
        for key, by in inserted(before, one, after, device.loan).items():
            sums[key] = sums.get(key, 0) + by
        line.insert(at, place[id(one)])
    assert stripped(sums) == stripped(fold(device.samples, device.loan))
    assert metered(sums) == meter(device.samples, device.loan)


def one(boot: str, seq: int, used: int) -> Sample:
    return Sample(boot, seq, used, "wwan0", "sim", EVENING_MS + seq * 1000)


def test_boots_whose_order_turns_out_later() -> None:
    late = [one("B", 5, 100), one("A", 6, 30), one("A", 7, 50), one("B", 8, 400), one("A", 2, 10)]
    kept = Meter()
    kept.add(late[:4])
    assert kept.metered.billable == {"2026-11": 300 + 30 + 20}
    change = kept.add(late[4:])
    assert kept.metered == meter(late)
    # Now A comes first: 10, 30, 50, and then B counts whole.
    assert kept.metered.billable == {"2026-11": 40 + 400}
    assert change[("2026-11", "", "sim")] == 90


def test_two_boots_that_begin_alike_go_by_their_time() -> None:
    samples = [
        Sample("z", 1, 100, "wwan0", "sim", EVENING_MS),
        Sample("z", 2, 300, "wwan0", "sim", EVENING_MS + 1000),
        Sample("a", 1, 20, "wwan0", "sim", EVENING_MS + 2000),
        Sample("a", 2, 50, "wwan0", "sim", EVENING_MS + 3000),
    ]
    assert meter(samples).billable == meter(samples[::-1]).billable == {"2026-11": 250}


def test_of_two_samples_with_one_name_the_first_counts() -> None:
    samples = [one("A", 1, 0), one("A", 2, 70), one("A", 2, 99)]
    kept = Meter()
    kept.add(samples)
    assert kept.metered == meter(samples)
    assert kept.metered.billable == {"2026-11": 70}


@pytest.mark.parametrize("at_ms", [-(2**62), 0, 2**62])
def test_a_clock_beyond_all_years(at_ms: int) -> None:
    samples = [Sample("A", 1, 0, "wwan0", "sim", at_ms), Sample("A", 2, 5, "wwan0", "sim", at_ms + 1)]
    assert sum(meter(samples).billable.values()) == 5


def test_the_carriers_figure_beside_ours() -> None:
    assert compare(3_010_000_000, 2_960_000_000) == Compared("OK", 50_000_000, 166)
    assert compare(3_400_000_000, 2_900_000_000) == Compared("EXCEPTION", 500_000_000, 1471)
    assert compare(100, 95).status == "OK"
    assert compare(100, 106) == Compared("EXCEPTION", -6, 600)
    assert compare(0, 0) == Compared("OK", 0, 0)
    assert compare(0, 1) == Compared("EXCEPTION", -1, 10_000)


def test_the_source_has_no_float() -> None:
    assert inexact(ast.parse(Path(rules.__file__).read_text())) == []
    assert meter([], Loan()) == metered({})
