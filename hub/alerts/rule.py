"""When an alert begins, goes on and ends, and when it is told (rule).

1. What is wrong is a fact; facts of one kind and subject are one alert, however many there are and in whatever order.
2. A firm fact begins an alert once it has lasted as long as its kind asks (`kinds.py`). A faint one, a figure between
   the mark that begins and the mark that ends, begins nothing and keeps what is open.
3. An alert whose fact has gone is calm, and ends only after the hold-down; what comes back before is the same alert,
   counted. So something that comes and goes is told once when it begins and once when it has ended.
4. It ended when it became calm, not when the hold-down was over.
5. While something cannot be known (the hub hears nobody), alerts of these kinds neither begin nor end.
6. In the town's closing hours only urgent ones are told; the rest comes as one summary at opening, also what ended
   meanwhile. A hushed one is not told, urgent or not; if it is still there when the hush ends, it is told again.
7. What begins or ends at the same moment more than three times is told in one message.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import msgspec

from hub.alerts.kinds import NATURE, ORDER, Kind

Key = tuple[Kind, str]
ALONE = 3


class Fact(msgspec.Struct, frozen=True):
    """Something that is wrong now. `since_ms` as far as it is known; `n` counts what it concerns."""

    kind: Kind
    subject: str
    since_ms: int
    firm: bool = True
    device: str = ""
    place: str = ""
    detail: str = ""
    n: int = 0

    @property
    def key(self) -> Key:
        """What makes it the same alert."""
        return self.kind, self.subject


class Alert(msgspec.Struct, frozen=True):
    """An alert, as it is kept. `calm_ms`: since when nothing is wrong, though it has not ended yet."""

    id: int
    kind: Kind
    subject: str
    device: str
    place: str
    detail: str
    n: int
    begun_ms: int
    noticed_ms: int
    times: int = 1
    calm_ms: int | None = None
    ended_ms: int | None = None
    closed_ms: int | None = None
    told: int = 0
    hushed_until_ms: int | None = None
    hushed_by: str = ""
    taken_ms: int | None = None
    taken_by: str = ""

    @property
    def key(self) -> Key:
        """What makes it the same alert."""
        return self.kind, self.subject

    @property
    def urgent(self) -> bool:
        """Whether it breaks the quiet."""
        return NATURE[self.kind].urgent


class Seen(NamedTuple):
    """What was found in one look: the facts, and the kinds of which nothing could be known."""

    facts: Sequence[Fact]
    unsure: frozenset[Kind] = frozenset()


class Changes(NamedTuple):
    """What a look changes. `waiting` are facts that have not lasted long enough, with the time since."""

    begun: tuple[Fact, ...] = ()
    back: tuple[int, ...] = ()
    calm: tuple[int, ...] = ()
    ended: tuple[int, ...] = ()
    anew: tuple[tuple[int, Fact], ...] = ()
    waiting: Mapping[Key, int] = {}

    @property
    def any(self) -> bool:
        """Whether anything is to be written."""
        return bool(self.begun or self.back or self.calm or self.ended or self.anew)


def decide(
    seen: Seen, open_alerts: Iterable[Alert], waiting: Mapping[Key, int], now_ms: int, hold_down_ms: int
) -> Changes:
    """What begins, comes back, becomes calm and ends. `begun` facts carry the time since when it is so."""
    facts = merged(seen.facts)
    open_keys = set()
    back, calm, ended, anew = [], [], [], []
    for alert in open_alerts:
        open_keys.add(alert.key)
        fact = facts.get(alert.key)
        if fact is None and alert.kind in seen.unsure:
            continue
        if alert.calm_ms is None:
            if fact is None:
                calm.append(alert.id)
            elif fact.firm and (fact.n, fact.detail, fact.place) != (alert.n, alert.detail, alert.place):
                anew.append((alert.id, fact))
        elif fact is not None and fact.firm:
            back.append(alert.id)
        elif now_ms - alert.calm_ms >= hold_down_ms:
            ended.append(alert.id)
    begun, still = _new(facts, open_keys, waiting, now_ms)
    still.update({key: since for key, since in waiting.items() if key not in facts and key[0] in seen.unsure})
    return Changes(
        tuple(begun),
        tuple(sorted(back)),
        tuple(sorted(calm)),
        tuple(sorted(ended)),
        tuple(sorted(anew, key=_id)),
        still,
    )


def _id(one: tuple[int, Fact]) -> int:
    return one[0]


def _new(
    facts: Mapping[Key, Fact], open_keys: set[Key], waiting: Mapping[Key, int], now_ms: int
) -> tuple[list[Fact], dict[Key, int]]:
    begun, still = [], {}
    for key, fact in facts.items():
        if not fact.firm or key in open_keys:
            continue
        # A device's clock may be ahead of ours; nothing began later than now.
        since_ms = min(fact.since_ms, waiting.get(key, now_ms), now_ms)
        if now_ms - since_ms >= NATURE[fact.kind].after_ms:
            begun.append(msgspec.structs.replace(fact, since_ms=since_ms))
        else:
            still[key] = since_ms
    return begun, still


def merged(facts: Iterable[Fact]) -> dict[Key, Fact]:
    """One fact a key, whatever their order: firm ones count above faint ones, then the one since longest."""
    found: dict[Key, Fact] = {}
    for fact in sorted(facts, key=_rank):
        found.setdefault(fact.key, fact)
    return found


def _rank(fact: Fact) -> tuple[int, str, bool, int, int, str, str, str]:
    place = ORDER[fact.kind]
    return place, fact.subject, not fact.firm, fact.since_ms, -fact.n, fact.detail, fact.device, fact.place


# ---- telling

What = Literal["begun", "ended", "still", "several", "summary"]


class Letter(NamedTuple):
    """One message: what it tells, and of which alerts."""

    what: What
    alerts: tuple[Alert, ...]

    @property
    def urgent(self) -> bool:
        """Whether one of them is."""
        return any(alert.urgent for alert in self.alerts)


def tell(alerts: Iterable[Alert], now_ms: int, *, quiet: bool) -> list[Letter]:
    """What is to be told now of alerts about which something is left to tell (`told` below 2)."""
    fresh: dict[What, list[Alert]] = {"begun": [], "ended": [], "still": []}
    summary: list[Alert] = []
    for alert in sorted(alerts, key=lambda one: (ORDER[one.kind], one.subject, one.id)):
        what, late = _due(alert, now_ms, quiet=quiet)
        if what is not None:
            (summary if late else fresh[what]).append(alert)
    letters: list[Letter] = []
    for what, some in fresh.items():
        if len(some) > ALONE:
            letters.append(Letter("several", tuple(some)))
        else:
            letters += [Letter(what, (alert,)) for alert in some]
    if summary:
        letters.append(Letter("summary", tuple(summary)))
    return letters


def told_after(alert: Alert) -> int:
    """What is told of an alert once it has been told: its beginning, or all of it."""
    return 1 if alert.ended_ms is None else 2


def _due(alert: Alert, now_ms: int, *, quiet: bool) -> tuple[What | None, bool]:
    """What is due of one alert, and whether it had to wait (and belongs into a summary)."""
    hush_ms = alert.hushed_until_ms
    if alert.told > 1 or (hush_ms is not None and now_ms < hush_ms) or (quiet and not alert.urgent):
        return None, False
    if alert.ended_ms is not None:
        return "ended", alert.closed_ms is not None and alert.closed_ms < now_ms
    if alert.calm_ms is not None:
        return None, False
    if alert.told == 0:
        return "begun", alert.noticed_ms < now_ms
    return ("still", False) if hush_ms is not None else (None, False)
