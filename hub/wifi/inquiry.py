"""A lawful inquiry: who may do what with it, and what may be in its extract (rule).

1. One person enters it, another decides; whoever entered it hands the extract out, once.
2. It ends by itself: 30 days after it was entered when nobody decided, 30 days after it was approved.
3. It is of one place and of one day at most.  The extract holds the sessions that overlap that time: when, how much, on
   which network; pseudonyms when they were asked for; a contact only on the ground of a court's order.
4. When a person communicated, and where, is secret (電気通信事業法 4条).  Without a court's order it is not for the
   town to tell: the commentary on the guidelines on personal data in telecommunications holds that an inquiry alone
   (刑事訴訟法 197条2項, 弁護士法 23条の2) does not suffice for it.  The pages say so to whoever decides.
"""

from typing import Literal, get_args

import msgspec

from hub.wifi.retention import DAY_MS

Basis = Literal["warrant", "court", "letter", "bar", "danger"]
BASES: tuple[Basis, ...] = get_args(Basis)
# An order of a court: a warrant (刑事訴訟法 218条), or an order to disclose a sender (情報流通プラットフォーム対処法).
OF_A_COURT: frozenset[Basis] = frozenset({"warrant", "court"})

State = Literal["waiting", "approved", "refused", "handed", "expired"]
Act = Literal["approve", "refuse", "hand_out"]
Decision = Literal["", "approved", "refused"]

SPAN_MS = DAY_MS
OPEN_MS = 30 * DAY_MS
LENGTH, REASON_LENGTH = 120, 400


class Inquiry(msgspec.Struct, frozen=True):
    """One, as it is kept. `rows` and `digest` (SHA-256) are of the extract, which is not kept itself."""

    id: int
    authority: str
    reference: str
    basis: Basis
    place: str
    from_ms: int
    until_ms: int
    asked_ms: int
    asked_by: str
    decided: Decision = ""
    decided_ms: int | None = None
    decided_by: str = ""
    why: str = ""
    guests: bool = False
    contacts: bool = False
    rows: int | None = None
    digest: str = ""
    handed_ms: int | None = None
    handed_by: str = ""

    @property
    def opens_contacts(self) -> bool:
        """Whether contacts may be opened for it."""
        return self.contacts and self.basis in OF_A_COURT


def state(one: Inquiry, now_ms: int) -> State:
    """How it stands."""
    if one.decided == "refused":
        return "refused"
    if one.handed_ms is not None:
        return "handed"
    since_ms = one.asked_ms if one.decided_ms is None else one.decided_ms
    if now_ms >= since_ms + OPEN_MS:
        return "expired"
    return "approved" if one.decided else "waiting"


def may(one: Inquiry, act: Act, who: str, now_ms: int) -> bool:
    """Whether somebody may do this with it now."""
    if act == "hand_out":
        return state(one, now_ms) == "approved" and who == one.asked_by
    return state(one, now_ms) == "waiting" and who != one.asked_by


def wrong(one: Inquiry, now_ms: int) -> str:
    """What is wrong with one as it was typed (a word `inquiry_bad_…`); empty for nothing."""
    if not (one.authority and one.reference and one.place):
        return "missing"
    if not one.from_ms < one.until_ms:
        return "order"
    if one.until_ms - one.from_ms > SPAN_MS:
        return "long"
    if one.from_ms > now_ms:
        return "ahead"
    if one.contacts and one.basis not in OF_A_COURT:
        return "court"
    return ""
