"""Rule: what the portal and the keeper of guests say to one another: what was agreed to, how it stands, why not."""

from typing import Literal

import msgspec

from edge_agent.clock import Stamp
from edge_agent.wifi import session
from edge_agent.wifi.session import Rules, Session
from wire.messages import Consent, TermsLanguage, Way

Reason = Literal[
    "closed", "voucher_unknown", "voucher_used", "voucher_over", "extensions", "full", "disk", "fault", "unconfirmed"
]


class Refused(Exception):
    """A guest is not let in, or not for longer; `reason` is one of a few words. `fault`: the kernel did not take it."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class Standing(msgspec.Struct, frozen=True):
    """How it stands with a guest who is let in. `seconds_left` is None where no time runs out (`ends_ms` is then 0),
    `bytes_left` None where there is no quota, or it is used up and the guest is slowed. `provisional`: until an address
    is confirmed."""

    session: str
    ends_ms: int
    seconds_left: int | None
    bytes_left: int | None
    extensions_left: int
    slowed: bool
    way: Way
    provisional: bool = False
    terms: str = ""


class Agreed(msgspec.Struct, frozen=True):
    """What a guest agreed to. `voucher` is the code as it was typed. `contact` is sealed to the session's id, which is
    then drawn beforehand (`session`, 32 hex digits)."""

    terms: str
    language: TermsLanguage
    way: Way = "click"
    voucher: str | None = None
    contact: str = ""
    contact_key: str = ""
    session: str = ""


def standing(one: Session, now: Stamp, rules: Rules) -> Standing:
    """How it stands with an open session."""
    left = session.left_ms(one, now.mono_ms, rules)
    return Standing(
        one.id,
        0 if left is None else now.at_ms + left,
        None if left is None else left // 1000,
        session.bytes_left(one, rules),
        session.extensions_left(one, rules),
        one.slowed,
        one.way,
        one.provisional,
        one.terms,
    )


def consent(one: Session, agreed: Agreed, voucher: str = "") -> Consent:
    """The record of what was agreed to; `voucher` is the id of one."""
    way: Way = "voucher" if voucher else agreed.way
    return Consent(one.id, agreed.terms, agreed.language, way, voucher, agreed.contact, agreed.contact_key)
