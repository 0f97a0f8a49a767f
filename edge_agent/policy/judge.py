"""Whether a desired state is news (rule).

1. A later incarnation is always news: the hub begins one when it has forgotten generations.  Names sort by time.
2. Within an incarnation a greater generation is news; the one seen last is the same again, if its content is the same.
3. Everything else is older and changes nothing.
"""

from typing import Literal

import msgspec

Verdict = Literal["new", "again", "older"]


class Seen(msgspec.Struct, frozen=True):
    """The latest desired state that was seen, whatever became of it; `digest` of its signed bytes."""

    incarnation: str = ""
    generation: int = 0
    digest: str = ""


def judge(last: Seen, told: Seen) -> Verdict:
    """What `told` is to a device that has seen `last`."""
    place, before = (told.incarnation, told.generation), (last.incarnation, last.generation)
    if place == before and told.digest == last.digest:
        return "again"
    return "new" if place > before else "older"
