"""Whom the town's other access points know already, so that a guest who walks over need not agree again (rule).

1. A grant is of an agreement: of the session in which the guest agreed, and all that went on from it elsewhere.  What
   was used counts together, the time ends where the longest of them says.
2. Neighbours are told when a session begins, is extended, ends, or has used a good deal more; never of one without a
   limit of time, of staff, or of the disaster network, where nobody agrees.
3. The time that was agreed goes on wherever the guest is: also when no session is open because they were idle or out of
   reach, or an access point was without power.
4. When the guest has left, or staff have ended it, and no session of it is open any more, the grant is taken back
   (`ends_ms` 0).
5. An access point that hears nothing more lets a grant lapse at its `ends_ms` by itself.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from hub.wifi.session import Told
from wire.messages import Grant

GRANTS = 200
_GUESTS_WAYS = frozenset({"click", "email", "voucher", "roam"})
_TAKES_BACK = frozenset({"user", "admin"})
# Told anew when an agreement has used so much more: a quota must not begin anew at each access point.
_USED_STEP = 16 * 1024 * 1024


class Agreement(msgspec.Struct, frozen=True):
    """What is to be said of one agreement, when its time is over, and at which access points its sessions were."""

    grant: Grant
    ends_ms: int
    devices: frozenset[int]


def is_news(before: Told | None, after: Told) -> bool:
    """Whether the neighbours are to hear of what became of a session; `before` None: it is new."""
    return _is_a_guests(after) and (before is None or _news_of(before) != _news_of(after))


def agreements(sessions: Iterable[tuple[Told, str]], now_ms: int) -> list[Agreement]:
    """What is to be said now, that of the latest end first; `sessions` are all of theirs, each with the version of its
    terms (empty when the consent has not come).

    Nothing is said of an agreement whose time is over: that is known everywhere.
    """
    by_origin: defaultdict[str, list[tuple[Told, str]]] = defaultdict(list)
    for told, terms in sessions:
        if _is_a_guests(told):
            by_origin[told.agreed_in].append((told, terms))
    found = [_agreement(origin, some) for origin, some in by_origin.items()]
    found.sort(key=lambda one: (-one.ends_ms, one.grant.origin))
    return [one for one in found if one.ends_ms > now_ms]


def grants_for(device_id: int, some: Sequence[Agreement]) -> list[Grant]:
    """Those that an access point does not know of by itself."""
    return [one.grant for one in some if one.devices != {device_id}]


def _agreement(origin: str, some: Sequence[tuple[Told, str]]) -> Agreement:
    told = [one for one, _ in some]
    newest = max(told, key=lambda one: (one.last_ms, one.number, one.key))
    ends_ms = max(one.ends_ms for one in told)
    grant = Grant(
        origin,
        newest.guest or "",
        newest.day,
        0 if _is_taken_back(told) else ends_ms,
        max(one.extensions for one in told),
        sum(one.up_bytes for one in told),
        sum(one.down_bytes for one in told),
        max(terms for _, terms in some),
    )
    return Agreement(grant, ends_ms, frozenset(one.device_id for one in told if one.device_id is not None))


def _is_taken_back(told: Sequence[Told]) -> bool:
    last = max(told, key=lambda one: (one.ended_ms is None, one.ended_ms or 0, one.key))
    return last.cause in _TAKES_BACK


def _is_a_guests(one: Told) -> bool:
    return one.way in _GUESTS_WAYS and one.ends_ms > 0 and bool(one.guest) and one.device_id is not None


def _news_of(one: Told) -> tuple[object, ...]:
    used = (one.up_bytes + one.down_bytes) // _USED_STEP
    return one.ended_ms is None, one.cause, one.extensions, one.ends_ms, used
