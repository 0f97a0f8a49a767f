"""One visit of a card is one tap, however often a driver hears it (rule).

A card lies in the field as long as it is heard again within `AWAY_NS`; then it must be away that long to count anew.
Another card counts at once.  What cannot be used is said once a visit as well.
"""

AWAY_NS = 1_500_000_000


class Visits:
    """Tells first hearings from repeated ones, by identity and time."""

    def __init__(self, away_ns: int = AWAY_NS) -> None:
        self._away_ns = away_ns
        self._heard_ns: dict[object, int] = {}

    def begins(self, identity: object, at_ns: int) -> bool:
        """Whether this hearing begins a visit. Remembers it either way."""
        last = self._heard_ns.get(identity)
        self._heard_ns = {k: ns for k, ns in self._heard_ns.items() if at_ns - ns < self._away_ns}
        self._heard_ns[identity] = at_ns
        return last is None or at_ns - last >= self._away_ns
