"""The order that is proposed."""

from hypothesis import given
from hypothesis import strategies as st

from hub.rollout.plan import LATE, Candidate, Group, Plan, propose

TOWN = [
    Candidate(1, "genkan-1", "terminal", "hall", online=True),
    Candidate(2, "genkan-2", "terminal", "hall", online=True),
    Candidate(3, "gakko-1", "terminal", "school", online=False),
    Candidate(4, "hall-ap-1", "access_point", "hall", online=True),
    Candidate(5, "hall-ap-2", "access_point", "hall", online=True),
    Candidate(6, "tab-1", "tablet", "", online=True),
    Candidate(7, "tab-2", "tablet", "", online=True),
    Candidate(8, "tab-3", "tablet", "", online=True),
    Candidate(9, "sensor-1", "sensor", "", online=True),
]


def test_one_to_try_then_one_of_each_kind_then_kind_by_kind() -> None:
    found = propose(TOWN)
    assert [group.name for group in found.groups] == ["first", "each", "terminals", "access_points", "tablets"]
    members = {
        group.name: [one.name for one in TOWN if found.group_of[one.id] == n] for n, group in enumerate(found.groups)
    }
    # A tablet does the least harm; who is not there is not the one to try.
    assert members == {
        "first": ["tab-1"],
        "each": ["genkan-1", "hall-ap-1", "tab-2", "sensor-1"],
        "terminals": ["genkan-2", "gakko-1"],
        "access_points": ["hall-ap-2"],
        "tablets": ["tab-3"],
    }
    assert [group.apart for group in found.groups] == [False, False, False, True, False]


def test_who_is_named_is_first() -> None:
    found = propose(TOWN, ["genkan-2", "hall-ap-1", "tab-3"])
    assert {id_ for id_, group in found.group_of.items() if group == 0} == {2, 4, 8}
    assert found.groups[0] == Group("first", 0, 3)


def test_few_devices_make_few_groups() -> None:
    assert [group.name for group in propose(TOWN[:1]).groups] == ["first"]
    assert [group.name for group in propose(TOWN[:2]).groups] == ["first", "terminals"]
    assert propose([]).groups == ()


@given(
    st.lists(st.tuples(st.sampled_from(["terminal", "tablet", "access_point", "", "x"]), st.booleans()), max_size=12)
)
def test_everyone_is_in_one_group_and_none_is_empty(town: list[tuple[str, bool]]) -> None:
    devices = [Candidate(n, f"d-{n}", kind, "", online) for n, (kind, online) in enumerate(town)]
    found = propose(devices)
    assert set(found.group_of) == {one.id for one in devices}
    assert set(found.group_of.values()) == set(range(len(found.groups)))
    assert all(group.at_once >= 1 and group.max_failures == 0 for group in found.groups)


def test_after_the_last_group_come_the_late_ones() -> None:
    plan = Plan((Group("first"),))
    assert (plan.stage(0), plan.stage(1)) == (Group("first"), LATE)
