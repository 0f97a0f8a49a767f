"""The operator's checklist: what the ministry asks of whoever offers public Wi-Fi, and what is measured of it (rule).

1. The lines follow 総務省「公衆Wi-Fi提供者向け セキュリティ対策の手引き」(令和6年3月); the telecommunications law and
   the disaster network stand below them.  `docs/wifi-checklist` has each in full.
2. What an access point tried on itself (`wire.messages.SelfCheck`) counts for a day; older, it is not known.
3. What only a person can tell is marked as theirs and never shown as fulfilled.
4. A line is as good as its worst access point.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

import msgspec

from wire.messages import SelfCheck, WifiState

Standing = Literal["ok", "warning", "fault", "unknown", "person"]
_WORST: tuple[Standing, ...] = ("ok", "unknown", "warning", "fault")
_CHECK_MS = _TOLD_MS = 86_400_000
# A draft of the firmware is not what is meant: a version that others have had for longer than this.
OLD_MS = 30 * 86_400_000
_YEAR_MS = 366 * 86_400_000
LANGUAGES = 6
# What the guidance on records of connections calls generally accepted, and what a need may justify.
_SIX_MONTHS, _YEAR = 180, 365


class Point(msgspec.Struct, frozen=True):
    """An access point of ours: its name, place and version, and what it said of itself last."""

    name: str
    place: str
    version: str
    state: WifiState | None
    told_ms: int


class Given(msgspec.Struct, frozen=True):
    """Everything that is looked at. `newest` is the newest version in the fleet and since when it is known there."""

    points: Sequence[Point]
    newest: str
    newest_since_ms: int
    terms: str
    languages: int
    keep_days: int
    purged_ms: int | None
    left_over: int
    proofs_whole: bool
    confirmed: int
    consents: int
    drill_ms: int | None
    now_ms: int


class Evidence(msgspec.Struct, frozen=True):
    """What was seen at one access point: a word (`evidence_…`) or the check's own detail, and when."""

    name: str
    standing: Standing
    detail: str = ""
    at_ms: int | None = None


class Line(msgspec.Struct, frozen=True):
    """A line: which, how it stands, and what that rests on; `figures` fill its sentence."""

    key: str
    standing: Standing
    evidence: tuple[Evidence, ...] = ()
    figures: dict[str, int] = {}


def lines(given: Given) -> list[Line]:
    """The checklist as it stands."""
    return [make(given) for make in _LINES]


def _terms(given: Given) -> Line:
    seen = [_shown(point, given) for point in given.points]
    standing = _worst(seen, at_least="warning" if given.languages < LANGUAGES else "ok")
    return Line("terms", standing, tuple(seen), {"n": given.languages})


def _shown(point: Point, given: Given) -> Evidence:
    if not _is_fresh(point, given.now_ms) or point.state is None:
        return Evidence(point.name, "unknown")
    return Evidence(
        point.name, "ok" if point.state.terms == given.terms else "warning", point.state.terms, point.told_ms
    )


def _encryption(given: Given) -> Line:
    seen = []
    for point in given.points:
        if point.state is None or not _is_fresh(point, given.now_ms):
            seen.append(Evidence(point.name, "unknown"))
            continue
        on_air = [network for network in point.state.networks if network.on_air]
        told = ", ".join(f"{network.name}: {network.security or '?'}" for network in on_air)
        standing: Standing = "warning" if any(_is_open(network.security) for network in on_air) else "ok"
        seen.append(Evidence(point.name, standing if on_air else "unknown", told, point.told_ms))
    return Line("encryption", _worst(seen), tuple(seen))


def _is_open(security: str) -> bool:
    return not any(word in security.lower() for word in ("wpa", "owe", "sae", "eap", "enhanced"))


def _checked(key: str, *names: str) -> Callable[[Given], Line]:
    """A line that rests on what access points tried on themselves."""

    def make(given: Given) -> Line:
        seen = tuple(_tried(point, names, given.now_ms) for point in given.points)
        return Line(key, _worst(seen), seen)

    return make


def _tried(point: Point, names: Sequence[str], now_ms: int) -> Evidence:
    checks = [check for check in (point.state.checks if point.state else ()) if check.name in names]
    fresh = [check for check in checks if now_ms - check.at_ms < _CHECK_MS]
    if len({check.name for check in fresh}) < len(names):
        return Evidence(point.name, "unknown")
    bad = [check for check in fresh if not check.ok]
    told: SelfCheck = (bad or fresh)[0]
    return Evidence(point.name, "fault" if bad else "ok", told.detail, told.at_ms)


def _firmware(given: Given) -> Line:
    is_old = given.now_ms - given.newest_since_ms > OLD_MS
    seen = tuple(
        Evidence(
            point.name,
            "unknown"
            if not point.version
            else "ok"
            if point.version == given.newest
            else "fault"
            if is_old
            else "warning",
            point.version,
        )
        for point in given.points
    )
    return Line("firmware", _worst(seen), seen)


def _users(given: Given) -> Line:
    standing: Standing = "unknown" if not given.consents else "ok" if given.confirmed else "warning"
    share = given.confirmed * 100 // given.consents if given.consents else 0
    return Line("users", standing, (), {"percent": share})


def _records(given: Given) -> Line:
    standing: Standing = "ok" if given.keep_days >= _SIX_MONTHS else "warning"
    return Line("records", standing, (), {"n": given.keep_days})


def _deletion(given: Given) -> Line:
    figures = {"n": given.keep_days, "left": given.left_over}
    if not given.proofs_whole or given.left_over:
        return Line("deletion", "fault", (), figures)
    if given.purged_ms is None:
        return Line("deletion", "unknown", (), figures)
    late = given.now_ms - given.purged_ms > 2 * 86_400_000
    long = given.keep_days > _SIX_MONTHS
    seen = (Evidence("", "fault" if late else "ok", "", given.purged_ms),)
    return Line("deletion", "fault" if late else "warning" if long else "ok", seen, figures)


def _drill(given: Given) -> Line:
    if given.drill_ms is None:
        return Line("drill", "unknown")
    standing: Standing = "ok" if given.now_ms - given.drill_ms < _YEAR_MS else "warning"
    return Line("drill", standing, (Evidence("", standing, "", given.drill_ms),))


def _person(key: str) -> Callable[[Given], Line]:
    return lambda _: Line(key, "person")


_LINES: tuple[Callable[[Given], Line], ...] = (
    _terms,
    _encryption,
    _checked("isolation", "isolation"),
    _checked("portal", "portal"),
    _person("address_known"),
    _person("passwords"),
    _firmware,
    _checked("office", "office"),
    _users,
    _records,
    _deletion,
    _person("destinations"),
    _checked("option_114", "option_114"),
    _person("notice"),
    _drill,
)


def _is_fresh(point: Point, now_ms: int) -> bool:
    return now_ms - point.told_ms < _TOLD_MS


def _worst(seen: Iterable[Evidence], at_least: Standing = "ok") -> Standing:
    standings = [one.standing for one in seen]
    if not standings:
        return "unknown"
    return max((*standings, at_least), key=_WORST.index)
