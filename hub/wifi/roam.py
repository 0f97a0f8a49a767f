"""Whom the town's other access points know already, so that a guest who walks over need not agree again (rule).

1. A grant is of an agreement: of the session in which the guest agreed, and all that went on from it elsewhere.  What
   was used counts together, the time ends where the longest of them says.
2. Neighbours are told when a session begins, is extended, ends, or has used a good deal more; never of one without a
   limit of time, of staff, or of the disaster network, where nobody agrees.
3. While one of its sessions is open, the grant holds.  When the last one has ended it is taken back (`ends_ms` 0),
   unless the guest was only out of reach (`lost`), or the access point was without power: the agreed time goes on.
4. Access points that hear nothing more let a grant lapse at its `ends_ms` by themselves.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from hub.wifi.session import Told
from wire.messages import Grant

GRANTS = 200
_GUESTS_WAYS = frozenset({"click", "email", "voucher", "roam"})
_NOT_ENDED_BY_ANYBODY = frozenset({"lost", "power"})
# Told anew when an agreement has used so much more: a quota must not begin anew at each access point.
_USED_STEP = 16 * 1024 * 1024


def is_news(before: Told | None, after: Told) -> bool:
    """Whether the neighbours are to hear of what became of a session; `before` None: it is new."""
    if after.way not in _GUESTS_WAYS or not after.ends_ms or not after.guest or after.device_id is None:
        return False
    return before is None or _news_of(before) != _news_of(after)


def grants(sessions: Iterable[tuple[Told, str]], now_ms: int) -> list[Grant]:
    """What is to be said of agreements now, that of the latest end first; `sessions` are all of theirs, each with the
    version of its terms (empty when the consent has not come).

    Nothing is said of one whose time is over: that is known everywhere.
    """
    by_origin: defaultdict[str, list[tuple[Told, str]]] = defaultdict(list)
    for told, terms in sessions:
        by_origin[told.agreed_in].append((told, terms))
    found = [_grant(origin, some) for origin, some in by_origin.items()]
    found.sort(key=lambda one: (-one[0], one[1].origin))
    return [grant for ends_ms, grant in found if ends_ms > now_ms]


def _grant(origin: str, some: Sequence[tuple[Told, str]]) -> tuple[int, Grant]:
    """The grant, and when the agreement's time is over, also of one that is taken back."""
    told = [one for one, _ in some]
    newest = max(told, key=lambda one: (one.last_ms, one.number, one.key))
    ends_ms = max(one.ends_ms for one in told)
    grant = Grant(
        origin,
        newest.guest or "",
        newest.day,
        ends_ms if _holds(told) else 0,
        max(one.extensions for one in told),
        sum(one.up_bytes for one in told),
        sum(one.down_bytes for one in told),
        max(terms for _, terms in some),
    )
    return ends_ms, grant


def _holds(told: Sequence[Told]) -> bool:
    if any(one.ended_ms is None for one in told):
        return True
    last = max(told, key=lambda one: (one.ended_ms or 0, one.key))
    return last.cause in _NOT_ENDED_BY_ANYBODY


def _news_of(one: Told) -> tuple[object, ...]:
    used = (one.up_bytes + one.down_bytes) // _USED_STEP
    return one.ended_ms is None, one.cause, one.extensions, one.ends_ms, used
