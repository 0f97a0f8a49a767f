"""Merging against a slow oracle: every leaf by its path, looked up from the top layer down."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.policy import merge
from tests.policy.documents import LAYERS, TERMINAL_LAYERS, TREES
from wire import policy

_GONE = object()


def slowly(layers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What several layers come to, one path at a time: the highest that says a leaf counts."""
    paths = {path for layer in layers for path in _paths(layer)}
    out: dict[str, Any] = {}
    for path in sorted(paths):
        said = [found for layer in reversed(layers) if (found := _look(layer, path)) is not _GONE]
        if said[0] is None:
            continue
        table = out
        for key in path[:-1]:
            table = table.setdefault(key, {})
        table[path[-1]] = said[0]
    return out


def _paths(value: dict[str, Any]) -> list[tuple[str, ...]]:
    found: list[tuple[str, ...]] = []
    for key, part in value.items():
        found += [(key, *rest) for rest in _paths(part)] if isinstance(part, dict) else [(key,)]
    return found


def _look(layer: dict[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = layer
    for key in path:
        if not isinstance(found, dict) or key not in found:
            return _GONE
        found = found[key]
    return found


@settings(max_examples=1000, deadline=None)
@given(LAYERS, LAYERS, LAYERS)
def test_a_thousand_random_layers_merge_associatively(a: Any, b: Any, c: Any) -> None:
    for one in (a, b, c):
        policy.read_layer(one)
    left, right = merge.merged(merge.merged(a, b), c), merge.merged(a, merge.merged(b, c))
    assert left == right
    assert merge.settled(left) == slowly([a, b, c])
    # What comes out is a layer again, so that a fourth may follow.
    policy.read_layer(left)


@settings(max_examples=1000, deadline=None)
@given(TREES, TREES, TREES)
def test_any_trees_in_which_a_key_is_a_table_always_or_never_merge_associatively(a: Any, b: Any, c: Any) -> None:
    left, right = merge.merged(merge.merged(a, b), c), merge.merged(a, merge.merged(b, c))
    assert left == right
    assert merge.settled(left) == slowly([a, b, c])
    assert merge.merged(a, {}) == a == merge.merged({}, a)


def test_where_it_is_not_associative_and_that_no_layer_can_say_so() -> None:
    a: dict[str, Any] = {"opening": {"monday": ["08:30-17:15"]}}
    b: dict[str, Any] = {"opening": None}
    c: dict[str, Any] = {"opening": {"tuesday": []}}
    assert merge.merged(merge.merged(a, b), c) == c
    assert merge.merged(a, merge.merged(b, c)) == {"opening": {"monday": ["08:30-17:15"], "tuesday": []}}
    for table in ("opening", "terminal", "tablet", "access_point"):
        with pytest.raises(policy.BadDocument, match="object"):
            policy.read_layer({table: None})


@settings(max_examples=300, deadline=None)
@given(st.lists(LAYERS, max_size=5))
def test_folding_one_layer_a_rank_is_merging(layers: list[dict[str, Any]]) -> None:
    found = merge.folded([[(str(rank), layer)] for rank, layer in enumerate(layers)])
    assert found.document == slowly(layers)
    assert found.conflicts == ()
    for path, who in found.origin.items():
        assert _look(layers[int(who)], path) == _look(found.document, path)
        assert all(_look(above, path) is _GONE for above in layers[int(who) + 1 :])
    assert set(found.origin) == set(_paths(found.document))


@settings(max_examples=500, deadline=None)
@given(st.lists(st.lists(LAYERS, max_size=3), max_size=4))
def test_who_disagrees_within_a_rank_does_not_win(ranks: list[list[dict[str, Any]]]) -> None:
    """The oracle takes disputed leaves out of a rank; a dispute that a higher rank settles is none."""
    plain: list[dict[str, Any]] = []
    disputed: set[tuple[str, ...]] = set()
    for rank in ranks:
        said: dict[tuple[str, ...], list[Any]] = {}
        for layer in rank:
            for path in _paths(layer):
                said.setdefault(path, []).append(_look(layer, path))
        apart = {path for path, values in said.items() if any(value != values[0] for value in values)}
        disputed = (disputed - set(said)) | apart
        plain.append(merge.planted((path, values[0]) for path, values in said.items() if path not in apart))
    names = [[(f"{number}.{place}", layer) for place, layer in enumerate(rank)] for number, rank in enumerate(ranks)]
    found = merge.folded(names)
    assert found.document == slowly(plain)
    assert {one.path for one in found.conflicts} == disputed


@settings(max_examples=300, deadline=None)
@given(TERMINAL_LAYERS.map(merge.settled), TERMINAL_LAYERS.map(merge.settled))
@example({}, {})
def test_differences_say_all_that_changes_and_a_pinned_layer_brings_it_about(before: Any, after: Any) -> None:
    found = merge.differences(before, after)
    assert (found == []) == (before == after)
    assert all(one.before != one.after for one in found)
    assert merge.settled(merge.merged(before, merge.pinned(before, after))) == after
    policy.read_layer(merge.pinned(before, after))


@given(LAYERS)
def test_leaves_and_back(layer: dict[str, Any]) -> None:
    again = merge.planted(merge.leaves(layer).items())
    assert merge.leaves(again) == merge.leaves(layer)
    assert merge.settled(again) == merge.settled(layer)
