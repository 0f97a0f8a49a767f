"""From documents to the values that tasks go by, and what differs from what was ordered (rule).

1. The ground is the settings file; what was ordered lies over it; what a person wrote on the spot over that.
2. A value that nobody says is the ground's, also when it was said before and is not any more.
"""

from typing import Any

import msgspec

from edge_agent.effective import Effective, of_settings
from edge_agent.settings import Settings
from wire import policy
from wire.messages import Drift

Document = dict[str, Any]
_TEXT = 200
_MOST = 100
_INTERVALS = ("health_every_s", "usage_every_s", "bulk_every_s")
_COMMON = (*_INTERVALS, "lease_days", "contact")


def ground(settings: Settings) -> Document:
    """The document of a device of which nothing was ordered: every plain value of its kind."""
    values = of_settings(settings)
    plain: Document = {name: getattr(values, name) for name in _COMMON}
    for name in _INTERVALS:
        plain[name] = min(plain[name], policy.LONGEST_S)
    own: Document = {}
    kinds: dict[str, type[msgspec.Struct]] = {
        "terminal": policy.Terminal,
        "tablet": policy.Tablet,
        "access_point": policy.AccessPoint,
    }
    for name in kinds[settings.kind].__struct_fields__:
        value = getattr(values, name)
        if value != "":
            own[name] = list(value) if isinstance(value, tuple) else value
    return {**plain, settings.kind: own}


def over(lower: Document, upper: Document) -> Document:
    """Two documents as one: tables merge key by key, everything else is replaced whole."""
    out = dict(lower)
    for key, value in upper.items():
        below = out.get(key)
        out[key] = over(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return out


def effective(document: Document, kind: str) -> Effective:
    """The values that a whole document means. Raises policy.BadDocument."""
    layer = policy.read_document(document, kind)
    found = {name: getattr(layer, name) for name in (*_COMMON, "opening")}
    own = getattr(layer, kind)
    if own is not msgspec.UNSET:
        found |= {name: getattr(own, name) for name in own.__struct_fields__}
    said = {name: value for name, value in found.items() if value is not msgspec.UNSET}
    said |= {name: tuple(said[name]) for name in ("home", "garden", "allowed") if name in said}
    return Effective(**said)


def drift(wanted: Document, found: Document) -> tuple[Drift, ...]:
    """What is not as it was ordered, value by value; empty for a value that is not there."""
    was, is_ = _leaves(wanted), _leaves(found)
    different = [key for key in sorted(was.keys() | is_.keys()) if was.get(key, "") != is_.get(key, "")]
    return tuple(Drift(key, was.get(key, "")[:_TEXT], is_.get(key, "")[:_TEXT]) for key in different[:_MOST])


def _leaves(document: Document, under: str = "") -> dict[str, str]:
    out: dict[str, str] = {}
    for key, value in document.items():
        if isinstance(value, dict):
            out |= _leaves(value, f"{under}{key}.")
        else:
            out[under + key] = msgspec.json.encode(value).decode()
    return out
