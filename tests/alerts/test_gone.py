"""Who went together is one thing that is wrong."""

from hypothesis import given
from hypothesis import strategies as st

from hub.alerts.gone import Absent, absences
from tests.alerts.world import MINUTE_MS, NOW_MS


def there(device: str, place: str = "") -> Absent:
    return Absent(device, place, NOW_MS, late=False, away=False)


def gone(device: str, place: str = "", minutes: int = 10, *, late: bool = True) -> Absent:
    return Absent(device, place, NOW_MS - minutes * MINUTE_MS, late=late, away=True)


def found(*fleet: Absent) -> dict[tuple[str, str], bool]:
    return {fact.key: fact.firm for fact in absences(fleet)}


def test_one_that_went_is_one() -> None:
    assert found(gone("a", "hall"), there("b", "hall"), there("c", "hall")) == {("offline", "a"): True}


def test_a_place_is_one_alert_and_its_devices_are_none() -> None:
    fleet = [gone("a", "hall"), gone("b", "hall", 11), gone("c", "hall", 13), there("d", "annex"), there("e", "annex")]
    fleet += [there(f"x{n}", "school") for n in range(4)]
    assert found(*fleet) == {
        ("place_offline", "hall"): True,
        ("offline", "a"): False,
        ("offline", "b"): False,
        ("offline", "c"): False,
    }
    (place,) = [fact for fact in absences(fleet) if fact.kind == "place_offline"]
    assert (place.n, place.since_ms) == (3, NOW_MS - 13 * MINUTE_MS)


def test_who_went_days_apart_went_alone() -> None:
    assert found(gone("a", "hall", 10), gone("b", "hall", 3000)) == {("offline", "a"): True, ("offline", "b"): True}


def test_two_of_many_are_two() -> None:
    fleet = [gone("a", "hall"), gone("b", "hall"), *[there(f"c{n}", "hall") for n in range(3)]]
    assert found(*fleet) == {("offline", "a"): True, ("offline", "b"): True}


def test_one_that_is_left_when_the_rest_came_back_is_told_alone() -> None:
    fleet = [gone("a", "hall"), there("b", "hall"), there("c", "hall"), there("d", "hall")]
    assert found(*fleet) == {("offline", "a"): True}


def test_the_slow_reporter_beside_a_late_one_counts() -> None:
    fleet = [gone("a", "hall"), gone("slow", "hall", 9, late=False), there("x", "annex"), there("y", "annex")]
    assert found(*fleet) == {("place_offline", "hall"): True, ("offline", "a"): False}
    # Nobody is late yet: nothing is wrong.
    assert found(gone("a", "hall", 1, late=False), gone("b", "hall", 1, late=False)) == {}


def test_a_town_that_went_is_one_alert() -> None:
    fleet = [gone(f"a{n}", "hall") for n in range(4)] + [gone(f"b{n}", "annex", 12) for n in range(3)]
    wrong = found(*fleet, there("left", "school"))
    assert [key for key, firm in wrong.items() if firm] == [("town_offline", "")]
    assert not wrong["place_offline", "hall"]


def test_fifty_without_a_place_are_one_alert_too() -> None:
    wrong = found(*[gone(f"a{n}") for n in range(50)])
    assert [key for key, firm in wrong.items() if firm] == [("town_offline", "")]


def test_a_house_of_its_own_is_a_place_not_a_town() -> None:
    assert [key for key, firm in found(*[gone(f"a{n}", "hall") for n in range(9)]).items() if firm] == [
        ("place_offline", "hall")
    ]


def test_of_whom_nothing_is_known_yet_what_is_open_stays() -> None:
    silent = Absent("a", "hall", NOW_MS - 99 * MINUTE_MS, late=False, away=True, unsure=True)
    assert found(silent, there("b", "hall"), there("c", "annex")) == {
        ("offline", "a"): False,
        ("place_offline", "hall"): False,
        ("town_offline", ""): False,
    }


fleets = st.lists(
    st.builds(
        Absent,
        st.integers(0, 30).map("t-{}".format),
        st.sampled_from(["", "hall", "annex"]),
        st.integers(0, 40).map(lambda n: NOW_MS - n * MINUTE_MS),
        late=st.booleans(),
        away=st.booleans(),
    ),
    unique_by=lambda one: one.device,
    max_size=12,
)


@given(fleets, st.randoms(use_true_random=False))
def test_whoever_is_late_is_told_once_and_nobody_else(fleet: list[Absent], chance: object) -> None:
    facts = absences(fleet)
    assert {fact.subject for fact in facts if fact.kind == "offline"} == {one.device for one in fleet if one.late}
    assert len({fact.key for fact in facts}) == len(facts)
    firm = [fact for fact in facts if fact.firm]
    # Each one that is late has something firm above it or is firm itself; nobody late, nothing wrong.
    covered = {fact.place for fact in firm if fact.kind == "place_offline"}
    town = any(fact.kind == "town_offline" for fact in firm)
    for one in fleet:
        if one.late:
            alone = any(fact.subject == one.device and fact.kind == "offline" for fact in firm)
            assert alone or town or one.place in covered
    if not any(one.late for one in fleet):
        assert facts == []
    shuffled = list(fleet)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    key = lambda fact: fact.key  # noqa: E731
    assert sorted(absences(shuffled), key=key) == sorted(facts, key=key)
