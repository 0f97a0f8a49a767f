"""What is left of an account, and what a device is to have of it: rules, tried with any grants and uses."""

import random

from hypothesis import given
from hypothesis import strategies as st

from hub.benefit import allowance
from hub.benefit.allowance import Held
from hub.benefit.benefit import Grant, Use, account
from hub.shown import day_of
from tests.benefit.parts import DAY_MS, NOW_MS, TAXI

_DAYS = [f"2026-11-{day:02}" for day in range(20, 30)]
_GRANTS = st.lists(st.tuples(st.integers(1, 9), st.sampled_from(_DAYS), st.sampled_from(["", *_DAYS])), max_size=5).map(
    lambda rows: [Grant(n, *row) for n, row in enumerate(rows)]
)
_USES = st.lists(st.tuples(st.integers(1, 5), st.sampled_from(_DAYS), st.integers(0, 3)), max_size=8).map(
    lambda rows: [Use((1, str(n)), *row) for n, row in enumerate(rows)]
)


@given(_GRANTS, _USES, st.randoms(use_true_random=False))
def test_the_account_is_the_same_in_any_order_and_nothing_is_lost(
    grants: list[Grant], uses: list[Use], chance: random.Random
) -> None:
    found = account(grants, uses)
    shuffled_grants, shuffled_uses = list(grants), list(uses)
    chance.shuffle(shuffled_grants)
    chance.shuffle(shuffled_uses)
    assert account(shuffled_grants, shuffled_uses) == found
    granted, used = sum(one.units for one in grants), sum(one.units for one in uses)
    covered = granted - sum(found.left.values())
    assert covered + sum(found.over.values()) == used
    assert all(0 <= left <= one.units for one in grants for left in [found.left[one.id]])
    assert all(over > 0 for over in found.over.values())


@given(_GRANTS, _USES)
def test_units_come_from_grants_of_the_day_unit_by_unit(grants: list[Grant], uses: list[Use]) -> None:
    """A slow oracle: each unit of each use, in order of time, takes one of the grant that ends first."""
    left = {one.id: one.units for one in grants}
    over = 0
    for use in sorted(uses, key=lambda one: (one.day, one.at_ms, one.name)):
        for _ in range(use.units):
            open_ = [one for one in grants if one.is_on(use.day) and left[one.id]]
            if not open_:
                over += 1
                continue
            left[min(open_, key=lambda one: (one.last_day or "9999", one.day, one.id)).id] -= 1
    found = account(grants, uses)
    assert found.left == left
    assert sum(found.over.values()) == over


@given(_GRANTS, _USES, st.integers(0, 20), st.integers(0, 20), st.integers(0, 20), st.booleans())
def test_a_device_is_never_given_more_than_is_left_or_may_be_offline(
    grants: list[Grant], uses: list[Use], limit: int, used: int, bound: int, serves: bool
) -> None:
    of, today = account(grants, uses), day_of(NOW_MS)
    held = Held(limit, NOW_MS, used, bound)
    now = allowance.wanted(TAXI, of, held, today, serves=serves)
    more = now.limit - used
    assert 0 <= more <= min(of.balance(today), TAXI.offline_units)
    assert more == 0 or serves
    after = allowance.following(held, now)
    if after is not None:
        # What a device may still go by is never forgotten by deciding on something else.
        assert after.bound == max(bound, now.limit)
        assert allowance.following(after, now) is None
    if more:
        # It ends with a day: never after what it stands on.
        assert NOW_MS < now.until_ms <= NOW_MS + (TAXI.offline_days + 1) * DAY_MS
        last = day_of(now.until_ms - 1)
        assert of.balance(last) >= of.balance(today) or last <= min(one.ends for one in grants if of.left[one.id])


def test_what_ends_first_is_used_first() -> None:
    grants = [Grant(1, 2, "2026-04-01"), Grant(2, 2, "2026-04-01", "2026-11-30"), Grant(3, 2, "2026-12-01")]
    found = account(grants, [Use((1, "a"), 3, "2026-11-24")])
    assert found.left == {1: 1, 2: 0, 3: 2}
    assert found.balance("2026-11-24") == 1
    assert found.balance("2026-12-01") == 3


def test_the_worst_is_what_all_devices_may_take_over_what_is_left() -> None:
    assert allowance.over_at_worst(3, [2, 2, 2]) == 3
    assert allowance.over_at_worst(6, [2, 2]) == 0
    assert allowance.over_at_worst(-1, [2]) == 2
    assert allowance.exposure(Held(3, 0, 5, 3)) == 0
