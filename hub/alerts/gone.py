"""Many devices gone at once are one thing that is wrong, not many (rule).

1. Devices that went within five minutes of one another went together.
2. When at least two and at least half of a place's devices went together, the place is what is away.
3. When at least three devices and half of the whole town went together, and they stand in more than one place, the
   town's own way to its devices is what is away.
4. What is covered by a place or by the town is a faint fact: an alert that is open already is kept, none is begun.
5. A device that said goodbye or whose connection ended counts as gone beside one that is late, so that all of a place
   are seen together although they report at different paces; the fact needs one that is late.
6. Of a device that had no time yet to be heard since the hub itself hears, nothing is known: faint facts keep what is
   open of it, of its place and of the town.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from hub.alerts.rule import Fact

TOGETHER_MS = 5 * 60_000
PLACE_LEAST, TOWN_LEAST = 2, 3


class Absent(msgspec.Struct, frozen=True):
    """A device as far as being heard goes. `late`: it missed its report; `away`: its connection ended.

    `unsure`: it was silent before, and the hub has not listened long enough to say more.
    """

    device: str
    place: str
    last_ms: int
    late: bool
    away: bool
    unsure: bool = False


def absences(fleet: Iterable[Absent]) -> list[Fact]:
    """The facts of who is not heard. `fleet` are all devices that should be heard."""
    every = list(fleet)
    facts = []
    town = _together([one for one in every if one.late or one.away], len(every), TOWN_LEAST)
    if town and _is_wide({one.place for one in town}):
        facts.append(Fact("town_offline", "", min(one.last_ms for one in town), n=len(town)))
        town_covers = {one.device for one in town}
    else:
        town_covers = set()
    at: dict[str, list[Absent]] = defaultdict(list)
    for one in every:
        at[one.place].append(one)
    for place, there in at.items():
        facts += _of_place(place, there, town_covers)
    return facts + _unsure([one for one in every if one.unsure and not one.late])


def _unsure(some: Sequence[Absent]) -> list[Fact]:
    facts = [Fact("offline", one.device, one.last_ms, firm=False, device=one.device, place=one.place) for one in some]
    facts += [
        Fact("place_offline", place, 0, firm=False, place=place) for place in sorted({one.place for one in some} - {""})
    ]
    return facts + ([Fact("town_offline", "", 0, firm=False)] if some else [])


def _is_wide(places: set[str]) -> bool:
    """Whether it is more than one place: several, or devices of which nobody has said where they stand."""
    return len(places) > 1 or "" in places


def _of_place(place: str, there: Sequence[Absent], town_covers: set[str]) -> list[Fact]:
    facts = []
    covered = set(town_covers)
    gone = _together([one for one in there if one.late or one.away], len(there), PLACE_LEAST) if place else ()
    if gone:
        firm = not all(one.device in town_covers for one in gone)
        since_ms = min(one.last_ms for one in gone)
        facts.append(Fact("place_offline", place, since_ms, firm=firm, place=place, n=len(gone)))
        covered |= {one.device for one in gone}
    facts += [
        Fact("offline", one.device, one.last_ms, firm=one.device not in covered, device=one.device, place=place)
        for one in there
        if one.late
    ]
    return facts


def _together(gone: Sequence[Absent], of: int, least: int) -> Sequence[Absent]:
    """The largest group that went together, if one of it is late and it is half of all at least."""
    ordered = sorted(gone, key=lambda one: (one.last_ms, one.device))
    best: Sequence[Absent] = ()
    start = 0
    for end, one in enumerate(ordered):
        while one.last_ms - ordered[start].last_ms > TOGETHER_MS:
            start += 1
        if end + 1 - start > len(best):
            best = ordered[start : end + 1]
    if len(best) < max(least, (of + 1) // 2) or not any(one.late for one in best):
        return ()
    return best
