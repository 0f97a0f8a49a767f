"""The disaster switch as the hub sees it: who may begin, how far a run is, what an access point has made of it (rule).

1. One person asks, another one confirms: nobody begins the disaster network alone (four eyes). What nobody confirms
   within two hours lapses, so that no old request begins something by mistake.
2. One person may end it, and it ends by itself: that takes nothing away but what was given for a time.
3. A drill goes the same way, and is not begun while the real thing runs.
4. What an access point did is a fold over its reports and its order, in whatever order they came: the furthest step
   counts. `silent` is what has been told and has not answered; only the access point says that it began.

    asked -> refused | withdrawn | lapsed
    asked -> confirmed -> running -> ended
"""

from collections.abc import Iterable
from typing import Literal, get_args

import msgspec

Status = Literal["asked", "refused", "withdrawn", "lapsed", "confirmed", "running", "ended"]
Act = Literal["confirm", "refuse", "withdraw", "end"]
ACTS: tuple[Act, ...] = get_args(Act)
# Why somebody may not (`disaster_cannot_…` in the words).
Refusal = Literal["own", "not_own", "status", "lapsed", "runs", "role"]
# `button`: it was begun by an access point's own button and the order in its kit.
Decided = Literal["", "confirm", "refuse", "withdraw", "button"]
PointState = Literal["held", "waiting", "silent", "told", "refused", "failed", "missed", "begun", "ended"]

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS
ASKED_FOR_MS = 2 * _HOUR_MS
# An access point that is online answers within seconds; after this it is called silent.
SILENT_MS = 2 * _MINUTE_MS
# 災害対策基本法 48 条: drills are a duty; a year without one is too long.
DRILL_WITHIN_MS = 365 * _DAY_MS
# What may be chosen, in minutes.
LASTS = (6 * 60, 12 * 60, 24 * 60, 72 * 60, 7 * 24 * 60)
DRILL_LASTS = (5, 15, 30, 60)

# A point's mark of state (`_MARKS` in pages).
MARK: dict[PointState, str] = {
    "held": "offline",
    "waiting": "offline",
    "silent": "warning",
    "told": "warning",
    "refused": "fault",
    "failed": "fault",
    "missed": "fault",
    "begun": "ok",
    "ended": "offline",
}
MARK_OF_STATUS: dict[Status, str] = {
    "asked": "warning",
    "refused": "offline",
    "withdrawn": "offline",
    "lapsed": "offline",
    "confirmed": "warning",
    "running": "ok",
    "ended": "offline",
}


class Run(msgspec.Struct, frozen=True):
    """One decision, or one press of a button. `places` empty: all. Times in UTC ms, `who`s by their names."""

    id: int
    run: str
    drill: bool
    reason: str
    minutes: int
    places: tuple[str, ...]
    asked_ms: int
    asked_by: str
    decided: Decided
    decided_ms: int | None
    decided_by: str
    ends_ms: int | None
    ended_ms: int | None
    ended_by: str


class Said(msgspec.Struct, frozen=True):
    """What an access point reported: `wire.messages.DisasterReport`, when."""

    state: str
    by: str
    ends_ms: int
    evidence: tuple[str, ...]
    at_ms: int


class Given(msgspec.Struct, frozen=True):
    """How far the order to an access point is (`hub/orders/progress.py`); `state` empty when none could be given."""

    state: str = ""
    made_ms: int = 0
    detail: str = ""


def status(run: Run, now_ms: int, *, begun: bool) -> Status:
    """How far a run is; `begun`: an access point has said that it began."""
    if run.decided == "refuse":
        return "refused"
    if run.decided == "withdraw":
        return "withdrawn"
    if not run.decided:
        return "asked" if now_ms < run.asked_ms + ASKED_FOR_MS else "lapsed"
    if run.ended_ms is not None or (run.ends_ms or 0) <= now_ms:
        return "ended"
    return "running" if begun else "confirmed"


def why_not(run: Run, do: Act, who: str, now_ms: int, *, may: bool, real_runs: bool) -> Refusal | None:
    """Why a person may not do this now, or None when they may. `real_runs`: a disaster network runs already."""
    if not may:
        return "role"
    now = status(run, now_ms, begun=False)
    if do == "end":
        return None if now == "confirmed" else "status"
    if now != "asked":
        return "lapsed" if now == "lapsed" else "status"
    if do == "withdraw":
        return None if run.asked_by == who else "not_own"
    return _why_not_confirm(run, who, real_runs=real_runs) if do == "confirm" else None


def _why_not_confirm(run: Run, who: str, *, real_runs: bool) -> Refusal | None:
    if run.asked_by == who:
        return "own"
    return "runs" if run.drill and real_runs else None


def point_state(said: Iterable[Said], given: Given, now_ms: int, *, over: bool = False) -> tuple[PointState, str]:
    """What an access point has made of a run, and a word of why; `over`: the run has ended."""
    states = {one.state for one in said}
    if "ended" in states:
        return "ended", ""
    if states & {"begun", "drilled"}:
        return "begun", ""
    if given.state in ("refused", "failed"):
        return given.state, given.detail  # type: ignore[return-value]
    if "refused" in states:
        return "refused", ""
    return _unanswered(given, now_ms, over=over), ""


def _unanswered(given: Given, now_ms: int, *, over: bool) -> PointState:
    if given.state == "done":
        # Its word that it did outruns the report with the evidence.
        return "told"
    if over or given.state == "expired":
        return "missed"
    if not given.state:
        return "held"
    if now_ms - given.made_ms >= SILENT_MS:
        return "silent"
    return "told" if given.state == "delivered" else "waiting"


def lasting(minutes: int, *, drill: bool) -> bool:
    """Whether a run may be asked to last so long."""
    return minutes in (DRILL_LASTS if drill else LASTS)


def drill_due_ms(last_drill_ms: int | None, began_ms: int) -> int:
    """When the next drill is due: a year after the last, or after the first access point came."""
    return (began_ms if last_drill_ms is None else last_drill_ms) + DRILL_WITHIN_MS
