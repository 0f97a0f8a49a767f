"""What would change for which devices if everything were published now, and how devices are with what was."""

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from hub.db import Connection
from hub.policy import calendar, form, group_store, merge, step, store
from hub.policy.group_store import Device
from hub.policy.merge import Conflict, Difference, Document
from hub.policy.step import Ordered, Report, Word


class Alike(msgspec.Struct, frozen=True):
    """Devices for which the same changes; `first` when nothing was ever ordered of them."""

    differences: tuple[Difference, ...]
    first: bool
    devices: tuple[Device, ...]


class Preview(msgspec.Struct, frozen=True):
    """What would be published, grouped by what changes, and what must be decided before it can be."""

    documents: dict[int, Document]
    alike: tuple[Alike, ...]
    undecided: tuple[tuple[Device, tuple[Conflict, ...]], ...]
    fingerprint: str

    @property
    def count(self) -> int:
        """How many devices would get something."""
        return len(self.documents)


class Standing(msgspec.Struct, frozen=True):
    """One device: what it was ordered, what it reported, and how that is in one word."""

    device: Device
    ordered: Ordered | None
    report: Report | None
    word: Word


def preview(conn: Connection, device_ids: Sequence[int] | None = None) -> Preview:
    """What differs between what devices should be and what was published to them."""
    ordered, folded = store.ordered(conn, device_ids), store.folded(conn, device_ids)
    documents: dict[int, Document] = {}
    alike: dict[bytes, tuple[tuple[Difference, ...], bool, list[Device]]] = {}
    undecided = []
    for device in group_store.devices(conn, device_ids):
        found = folded.get(device.id)
        if found is None or not device.kind:
            continue
        if found.conflicts:
            undecided.append((device, found.conflicts))
            continue
        was = ordered.get(device.id)
        before = calendar.without_holidays(was.document) if was else {}
        if was is not None and before == found.document:
            continue
        different = tuple(changes(before, found.document))
        documents[device.id] = found.document
        key = msgspec.json.encode([was is None, *((one.path, one.before, one.after) for one in different)])
        alike.setdefault(key, (different, was is None, []))[2].append(device)
    rows = tuple(Alike(different, first, tuple(devices)) for different, first, devices in alike.values())
    return Preview(documents, rows, tuple(undecided), _fingerprint(documents))


def changes(before: Document, after: Document) -> list[Difference]:
    """What changes from one document to another, in the order of the forms."""
    return sorted(merge.differences(before, after), key=lambda one: form.place_of(one.path))


def _fingerprint(documents: dict[int, Document]) -> str:
    """What was looked at: if it is another at the press of the button, it is shown anew."""
    return hashlib.sha256(msgspec.json.encode(sorted(documents.items()), order="sorted")).hexdigest()


def standings(conn: Connection, device_ids: Sequence[int] | None = None) -> list[Standing]:
    """How each device is with what it was ordered, by name."""
    ordered, reports = store.ordered(conn, device_ids), store.reports(conn, device_ids)
    return [
        Standing(one, ordered.get(one.id), reports.get(one.id), step.word(ordered.get(one.id), reports.get(one.id)))
        for one in group_store.devices(conn, device_ids)
    ]


class Setting(msgspec.Struct, frozen=True):
    """One value of a device: what is ordered, what was found where that `differs`, and which layer says it.

    A layer is `kind/…`, `place/…`, `tag/…`, or empty for the device itself.
    """

    path: merge.Path
    ordered: Any
    found: Any
    differs: bool
    origin: str | None

    @property
    def key(self) -> str:
        """The path as people write it."""
        return ".".join(self.path)


def settings(standing: Standing, folded: merge.Folded) -> list[Setting]:
    """What one device is ordered, side by side with what it said it found otherwise."""
    document = calendar.without_holidays(standing.ordered.document) if standing.ordered else {}
    drift = {tuple(one.key.split(".")): one.found for one in (standing.report.drift if standing.report else ())}
    leaves = merge.leaves(document)
    return [
        Setting(path, leaves.get(path), _decoded(drift.get(path, "")), path in drift, folded.origin.get(path))
        for path in sorted({*leaves, *drift}, key=form.place_of)
    ]


def _decoded(found: str) -> Any:
    """What a device found: JSON, or as it came when it was too long to be told whole."""
    try:
        return msgspec.json.decode(found) if found else None
    except msgspec.DecodeError:
        return found


def accepted(own: Document, report: Report) -> Document | None:
    """A device's own layer with the values that it found; None when one is no setting or not known whole."""
    found: list[tuple[merge.Path, Any]] = []
    for one in report.drift:
        if one.key not in form.BY_KEY:
            return None
        try:
            value = msgspec.json.decode(one.found) if one.found else None
        except msgspec.DecodeError:
            return None
        found.append((tuple(one.key.split(".")), value))
    return merge.merged(own, merge.planted(found))
