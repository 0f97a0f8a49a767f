"""Whether a FeliCa Lite-S card is the one that it says it is: it knows its card key (internal authentication).

1. The reader gives a random challenge; the card answers with a MAC over its own number under a session key that only
   the holder of the card key can make.  Nothing is written that lasts: the card does not wear.
2. A card that answers, and wrongly, is a copy.  One that went away in the middle is not held against anybody.
"""

from dataclasses import replace
from typing import Any

from edge_agent.attendance.readers.heard import CardHeard, CardUnreadable

_TRIES = 2


def prove(tag: Any, heard: CardHeard, key: bytes) -> CardHeard | CardUnreadable:
    """The card with `proved` as it turned out; unreadable when it went away before that. `tag` is nfcpy's."""
    from nfc.tag import TagCommandError
    from nfc.tag.tt3_sony import FelicaLite

    if not isinstance(tag, FelicaLite):
        return heard
    for _ in range(_TRIES):
        try:
            # Of the Lite, also for a Lite-S: the mutual way of the latter writes to the card.
            return replace(heard, proved=bool(FelicaLite.authenticate(tag, key)))
        except TagCommandError:
            continue
    return heard if tag.is_present else CardUnreadable("stumbled", heard.at_mono_ns)
