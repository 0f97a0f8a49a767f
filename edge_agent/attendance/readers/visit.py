"""One visit of a card is one tap, however often a driver hears it (rule).

A visit ends when the reader has listened for `AWAY_NS` without hearing the card, not when a clock has run that long: a
machine that stood still for two seconds has not seen the card go.  Another card counts at once, and hearing it is
listening without the first.  What cannot be used is said once a visit as well.
"""

AWAY_NS = 1_500_000_000


class Visits:
    """Tells first hearings from repeated ones, by identity."""

    def __init__(self, away_ns: int = AWAY_NS) -> None:
        self._away_ns = away_ns
        self._heard_ns: dict[object, int] = {}

    def begins(self, identity: object, at_ns: int) -> bool:
        """Whether this hearing begins a visit. Remembers it either way."""
        new = identity not in self._heard_ns
        self.nobody(at_ns)
        self._heard_ns[identity] = at_ns
        return new

    def nobody(self, at_ns: int) -> None:
        """The reader listened, from `at_ns` on, and heard none of these cards. Ends what is away for long."""
        self._heard_ns = {
            identity: heard_ns for identity, heard_ns in self._heard_ns.items() if at_ns - heard_ns < self._away_ns
        }

    def last_heard_ns(self, identity: object) -> int | None:
        """When a card that may still lie there was last heard."""
        return self._heard_ns.get(identity)
