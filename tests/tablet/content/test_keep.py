"""What stays on the tablet's disk and what is fetched next: properties over any shelf, and the rule's own examples."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.tablet import keep
from edge_agent.tablet.keep import METERED_BYTES, WAITS_MS
from wire.shelf import File, Item

DAY_MS = 86_400_000


@st.composite
def shelves(draw: st.DrawFn) -> tuple[list[Item], dict[str, int], int]:
    """Items with files that some of them share, what was opened of them, and a budget."""
    files = [File(f"{n:064x}", draw(st.integers(0, 40)), "image/png") for n in range(8)]
    items = [
        Item(
            f"{n:032x}",
            "notice",
            str(n),
            published_ms=draw(st.integers(0, 20)),
            until_ms=draw(st.sampled_from([0, 0, 5, 30])),
            urgent=draw(st.booleans()),
            files=tuple(draw(st.lists(st.sampled_from(files), max_size=3))),
        )
        for n in range(draw(st.integers(0, 8)))
    ]
    opened = {item.id: 1 for item in items if draw(st.booleans())}
    return items, opened, draw(st.integers(0, 120))


@given(shelves(), st.integers(0, 40))
def test_what_is_kept_fits_is_whole_and_is_not_over(shelf: tuple[list[Item], dict[str, int], int], now_ms: int) -> None:
    items, opened, budget = shelf
    kept = keep.keep(items, opened, budget, now_ms)
    sizes = {file.digest: file.size_bytes for item in items for file in item.files}
    assert sum(sizes[digest] for digest in kept.digests) <= budget
    assert kept.digests == {file.digest for item in kept.items for file in item.files}
    assert all(not item.until_ms or item.until_ms > now_ms for item in kept.items)
    assert keep.keep(list(reversed(items)), opened, budget, now_ms) == kept


@given(shelves())
def test_nothing_worth_less_is_there_in_the_place_of_something_worth_more(
    shelf: tuple[list[Item], dict[str, int], int],
) -> None:
    """Whatever was left out does not fit even when everything that is worth less than it goes."""
    items, opened, budget = shelf
    kept = keep.keep(items, opened, budget, 0)

    def worth(item: Item) -> tuple[bool, bool, int, str]:
        return (item.urgent, item.id not in opened, item.published_ms, "".join(chr(255 - ord(c)) for c in item.id))

    for left in items:
        if left not in kept.items:
            better = [item for item in kept.items if worth(item) > worth(left)]
            files = {file.digest: file.size_bytes for item in (*better, left) for file in item.files}
            assert sum(files.values()) > budget


@given(shelves(), st.sets(st.integers(0, 7)), st.sampled_from(["wifi", "mobile", "wired", "none", "unknown"]))
def test_only_what_is_kept_and_missing_is_fetched_each_once(
    shelf: tuple[list[Item], dict[str, int], int], there: set[int], way: keep.Way
) -> None:
    items, opened, budget = shelf
    kept = keep.keep(items, opened, budget, 0)
    have = {f"{n:064x}" for n in there}
    found = [file.digest for file in keep.to_fetch(kept, have, way, WAITS_MS)]
    assert len(found) == len(set(found))
    assert set(found) <= kept.digests - have
    if way in ("wifi", "wired"):
        assert set(found) == kept.digests - have
    if way == "none":
        assert not found


def _item(**more: object) -> Item:
    base = Item("1" * 32, "newsletter", "広報", published_ms=10 * DAY_MS, files=(File("2" * 64, 1000, "image/png"),))
    return msgspec.structs.replace(base, **more)


def test_over_the_metered_line_urgent_ones_go_at_once_and_others_after_two_days() -> None:
    plain, now_ms = _item(), 10 * DAY_MS
    assert keep.may_fetch(plain, "wifi", now_ms)
    assert not keep.may_fetch(plain, "mobile", now_ms)
    assert not keep.may_fetch(plain, "unknown", now_ms)
    assert keep.may_fetch(_item(urgent=True), "mobile", now_ms)
    assert not keep.may_fetch(_item(urgent=True), "none", now_ms)
    assert not keep.may_fetch(plain, "mobile", now_ms + WAITS_MS - 1)
    assert keep.may_fetch(plain, "mobile", now_ms + WAITS_MS)
    large = _item(files=(File("2" * 64, METERED_BYTES + 1, "application/pdf"),))
    assert not keep.may_fetch(large, "mobile", now_ms + 30 * DAY_MS)
    # The time is not known: nothing is over, and nothing has waited.
    assert keep.current([_item(until_ms=5)], 0)
    assert not keep.may_fetch(plain, "mobile", 0)


def test_urgent_ones_are_shown_first_then_the_newest() -> None:
    old, new = _item(published_ms=1), _item(id="2" * 32, published_ms=2)
    urgent = _item(id="3" * 32, published_ms=0, urgent=True)
    assert keep.current([old, new, urgent], 5) == (urgent, new, old)


def test_the_oldest_that_was_opened_goes_first() -> None:
    items = [_item(id=f"{n:032x}", published_ms=n, files=(File(f"{n:064x}", 10, "image/png"),)) for n in (1, 2, 3, 4)]
    opened = {items[0].id: 9, items[2].id: 9}
    assert [int(item.id, 16) for item in keep.keep(items, opened, 40, 0).items] == [4, 2, 3, 1]
    assert [int(item.id, 16) for item in keep.keep(items, opened, 30, 0).items] == [4, 2, 3]
    assert [int(item.id, 16) for item in keep.keep(items, opened, 20, 0).items] == [4, 2]
