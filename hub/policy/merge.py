"""Layers to one document (rule).

1. Tables merge key by key; lists and plain values are replaced whole; `null` takes a value out.
2. `null` stays in a merged layer, because it must still take out what a lower layer says; `settled` drops it at last.
3. `merged` is associative for layers in which a key is a table in all of them or in none.  Typed layers
   (wire/policy.py) are so: there only leaves can be `null`.  Where it does not hold: a = {k: {x: 1}}, b = {k: null},
   c = {k: {y: 2}} gives {k: {y: 2}} from the left and {k: {x: 1, y: 2}} from the right.
4. Ranks, lowest first: groups by kind, by place, by tag, each by their own number, then the device itself.  Two layers
   of one rank that say different things for one key are a conflict: neither counts, what lies below stands, and a
   higher layer that says the key settles it.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

Path = tuple[str, ...]
Document = dict[str, Any]


class Conflict(msgspec.Struct, frozen=True):
    """Layers of one rank that say different things for one key: (who says, what), in the order given."""

    path: Path
    said: tuple[tuple[str, Any], ...]


class Folded(msgspec.Struct, frozen=True):
    """What comes out: the document, which layer each of its leaves comes from, and what could not be decided."""

    document: Document
    origin: dict[Path, str]
    conflicts: tuple[Conflict, ...]


def merged(lower: Document, upper: Document) -> Document:
    """Two layers as one: what the upper says counts."""
    out = dict(lower)
    for key, value in upper.items():
        below = out.get(key)
        out[key] = merged(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return out


def settled(layer: Document) -> Document:
    """A layer as a document: without what was taken out, and without tables that are empty."""
    out = {}
    for key, value in layer.items():
        kept = settled(value) if isinstance(value, dict) else value
        if kept is not None and kept != {}:
            out[key] = kept
    return out


def leaves(layer: Document, under: Path = ()) -> dict[Path, Any]:
    """Each leaf of a layer by its path; an empty table has none."""
    out: dict[Path, Any] = {}
    for key, value in layer.items():
        if isinstance(value, dict):
            out |= leaves(value, (*under, key))
        else:
            out[*under, key] = value
    return out


def planted(found: Iterable[tuple[Path, Any]]) -> Document:
    """A layer from its leaves."""
    out: Document = {}
    for path, value in found:
        table = out
        for key in path[:-1]:
            table = table.setdefault(key, {})
        table[path[-1]] = value
    return out


def folded(ranks: Sequence[Sequence[tuple[str, Document]]]) -> Folded:
    """Layers, each with the name of who says it, as ranks from the lowest to the highest."""
    values: dict[Path, Any] = {}
    origin: dict[Path, str] = {}
    open_: dict[Path, Conflict] = {}
    for rank in ranks:
        for path, said in _said(rank).items():
            if all(value == said[0][1] and type(value) is type(said[0][1]) for _, value in said):
                origin[path], values[path] = said[0]
                open_.pop(path, None)
            else:
                open_[path] = Conflict(path, tuple(said))
    document = settled(planted(values.items()))
    kept = leaves(document)
    return Folded(document, {path: origin[path] for path in kept}, tuple(open_.values()))


def _said(rank: Sequence[tuple[str, Document]]) -> dict[Path, list[tuple[str, Any]]]:
    out: dict[Path, list[tuple[str, Any]]] = {}
    for who, layer in rank:
        for path, value in leaves(layer).items():
            out.setdefault(path, []).append((who, value))
    return out


class Difference(msgspec.Struct, frozen=True):
    """One leaf that is not the same; None where there is none."""

    path: Path
    before: Any
    after: Any

    @property
    def key(self) -> str:
        """The path as people write it: `terminal.debounce_s`."""
        return ".".join(self.path)


def differences(before: Document, after: Document) -> list[Difference]:
    """What changes from one document to another, by path."""
    old, new = leaves(before), leaves(after)
    return [
        Difference(path, old.get(path), new.get(path))
        for path in sorted(old.keys() | new.keys())
        if old.get(path) != new.get(path)
    ]


def pinned(below: Document, wanted: Document) -> Document:
    """The layer that makes `wanted` of what lies below it: what differs, and `null` for what is to go."""
    return planted((one.path, one.after) for one in differences(below, wanted))
