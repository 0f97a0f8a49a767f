"""What was applied for and decided, and what holds of it (rule): a fold over rows that are only ever added.

1. A grant stands alone; a change, an end, a revocation and a renewal are about a grant, and are applications like it:
   each is entered by one person and decided by another.
2. What holds is the fold of the decisions of a grant in the order in which they were taken.  It consists of parts: the
   grant itself, each change and each renewal begins one.
3. A change takes the place of everything from its first day on.  An end says the last day on which the ground was
   there, and the rule how far the waiver goes on.  A revocation cuts at its first day, however far back.
4. What may be asked for follows from where a grant stands (`MAY`): a table, and nothing beside it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Literal

import msgspec

from hub.waiver.rules.given import Grant

Asks = Literal["grant", "change", "end", "revoke", "renew"]
Result = Literal["granted", "refused", "withdrawn"]
# Where a grant stands: asked for, decided, or over.  `changed` is active under another rule than it began with.
State = Literal["waiting", "withdrawn", "refused", "granted", "changed", "ended", "revoked"]

# What may be asked for next.  What is over, or was refused, is applied for anew as a grant of its own; one that has
# ended can still turn out to have been wrong before.
MAY: dict[State, frozenset[Asks]] = {
    "waiting": frozenset(),
    "withdrawn": frozenset(),
    "refused": frozenset(),
    "granted": frozenset({"change", "end", "revoke", "renew"}),
    "changed": frozenset({"change", "end", "revoke", "renew"}),
    "ended": frozenset({"revoke"}),
    "revoked": frozenset(),
}


class Decision(msgspec.Struct, frozen=True, gc=False):
    """What was decided: by whom, on which day, under which number and clause; `until_day` where it ends by itself."""

    result: Result
    number: str
    day: str
    clause: str
    reason: str
    until_day: str
    decided_by: str
    decided_ms: int


class Application(msgspec.Struct, frozen=True, gc=False):
    """What was asked for. `of_id` is the grant that it is about; `line_id` None: every line of the resident."""

    id: int
    number: str
    asks: Asks
    of_id: int | None
    resident_id: int
    line_id: int | None
    rule: str
    applied_day: str
    accepted_day: str
    from_day: str
    reason: str
    entered_by: str
    entered_ms: int
    decision: Decision | None = None

    @property
    def granted(self) -> bool:
        """Whether it was decided and granted."""
        return self.decision is not None and self.decision.result == "granted"


class Waiver(msgspec.Struct, frozen=True, gc=False):
    """What holds of one grant: its applications in order, the grants that came of them, and where it stands."""

    root: Application
    others: tuple[Application, ...]
    grants: tuple[Grant, ...]
    state: State

    @property
    def waiting(self) -> Application | None:
        """The application about it that is not decided yet; there is never more than one."""
        return next((one for one in (self.root, *self.others) if one.decision is None), None)

    @property
    def rule(self) -> str:
        """The rule that it has now."""
        return self.grants[-1].rule if self.grants else self.root.rule

    @property
    def may(self) -> frozenset[Asks]:
        """What may be asked for about it: nothing while something waits."""
        return frozenset() if self.waiting else MAY[self.state]


def fold(applications: Iterable[Application]) -> list[Waiver]:
    """What holds, grant by grant in the order of their ids; the same for any order of the rows."""
    roots: list[Application] = []
    others: dict[int, list[Application]] = defaultdict(list)
    for one in applications:
        if one.of_id is None:
            roots.append(one)
        else:
            others[one.of_id].append(one)
    return [
        _waiver(root, sorted(others[root.id], key=lambda one: one.id)) for root in sorted(roots, key=lambda one: one.id)
    ]


def _waiver(root: Application, others: Sequence[Application]) -> Waiver:
    state: State = _state_of(root)
    grants: list[Grant] = [_grant(root, _day(root.from_day))] if root.granted else []
    taken = [one for one in others if one.granted]
    for one in sorted(taken, key=_when):
        grants, state = _after(grants, state, one)
    return Waiver(root, tuple(others), tuple(grants), state)


def _when(one: Application) -> tuple[int, int]:
    assert one.decision is not None  # noqa: S101 (only what was decided is folded)
    return one.decision.decided_ms, one.id


def _state_of(root: Application) -> State:
    if root.decision is None:
        return "waiting"
    return root.decision.result


def _after(grants: list[Grant], state: State, one: Application) -> tuple[list[Grant], State]:
    """What one more decision makes of it."""
    if one.asks == "revoke":
        return [_revoked(grant, _needed(one)) for grant in grants], "revoked"
    if one.asks == "end":
        return [_ended(grant, _needed(one)) for grant in grants], "ended"
    if one.asks == "change":
        first = _needed(one)
        until = None if one.decision and one.decision.until_day else grants[-1].ended if grants else None
        kept = [_ended(grant, first - timedelta(days=1)) for grant in grants]
        return [*kept, _grant(one, first, until)], "changed"
    return [*grants, _grant(one, _day(one.from_day))], state


def _grant(one: Application, starts: date | None, ended: date | None = None) -> Grant:
    assert one.decision is not None  # noqa: S101 (only what was granted)
    return Grant(
        rule=one.rule,
        applied=date.fromisoformat(one.applied_day),
        decided=date.fromisoformat(one.decision.day),
        accepted=_day(one.accepted_day),
        starts=starts,
        ended=_day(one.decision.until_day) or ended,
        ref=one.decision.number,
    )


def _ended(grant: Grant, last: date) -> Grant:
    """With its ground there until then at the latest; what would begin later never does."""
    if grant.starts is not None and grant.starts > last:
        return _revoked(grant, grant.starts)
    return msgspec.structs.replace(grant, ended=min(grant.ended or last, last))


def _revoked(grant: Grant, first: date) -> Grant:
    return msgspec.structs.replace(grant, revoked_from=min(grant.revoked_from or first, first))


def _needed(one: Application) -> date:
    return date.fromisoformat(one.from_day or one.applied_day)


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None


def of_lines(
    waivers: Iterable[Waiver],
) -> tuple[Mapping[tuple[int, int], list[Grant]], Mapping[int, list[Grant]]]:
    """Grants by resident and line, and those for every line of a resident."""
    one_line: dict[tuple[int, int], list[Grant]] = defaultdict(list)
    every: dict[int, list[Grant]] = defaultdict(list)
    for waiver in waivers:
        if waiver.root.line_id is None:
            every[waiver.root.resident_id] += waiver.grants
        else:
            one_line[waiver.root.resident_id, waiver.root.line_id] += waiver.grants
    return one_line, every
