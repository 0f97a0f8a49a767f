"""Bodies of records of lent tablets and of benefits on a card."""

from typing import Annotated, Literal

import msgspec

from wire.fields import Count, Identifier, Kind, Millis, Text

Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]


class PaperReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """The paper of a kind that a device goes by; `error` is why it took no other."""

    kind: Kind
    incarnation: Text
    generation: Count
    result: Literal["applied", "refused"] = "applied"
    error: Text = ""


class Modem(msgspec.Struct, frozen=True, omit_defaults=True):
    """A modem as ModemManager tells it: the card in it, how it is registered, how well it hears."""

    interface: Text
    sim: Text = ""
    state: Text = ""
    operator: Text = ""
    technology: Text = ""
    roaming: bool = False
    signal_percent: Percent | None = None


class TabletState(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a lent tablet is; the latest counts. `online_by` is the link of its way out.

    `content_bytes` is what content takes on its disk, `content_missing` how many files of its shelf are not there yet.
    """

    battery_percent: Percent | None = None
    charging: bool | None = None
    modems: Annotated[tuple[Modem, ...], msgspec.Meta(max_length=4)] = ()
    online_by: Literal["wifi", "mobile", "wired", "none", "unknown"] = "unknown"
    content_bytes: Count = 0
    content_missing: Count = 0
    text_size: Text = ""


class ContentSeen(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of an item of content on a tablet: it is there whole, was opened by the resident, or had to go."""

    item: Identifier
    what: Literal["fetched", "opened", "dropped"]


class Answer(msgspec.Struct, frozen=True):
    """A resident's answer to a survey: for each question, in order, what was chosen or written; empty: passed over."""

    item: Identifier
    answers: Annotated[
        tuple[Annotated[tuple[Annotated[str, msgspec.Meta(max_length=1000)], ...], msgspec.Meta(max_length=20)], ...],
        msgspec.Meta(max_length=50),
    ]


class HelpAsk(msgspec.Struct, frozen=True, omit_defaults=True):
    """The resident asks the town hall for help, or takes that back; `ask` names the request."""

    ask: Identifier
    state: Literal["asked", "taken_back"] = "asked"
    about: Text = ""


class BenefitUse(msgspec.Struct, frozen=True, omit_defaults=True):
    """Units of a benefit taken at a device, within an allowance that it held; on its disk before anybody was told.

    `used` is all that was taken so far under this allowance here, this one included: the hub sees what is missing.
    `takes_back` names an earlier use of this device that was a mistake; then `units` are given back.
    """

    use: Identifier
    allowance: Text
    units: Annotated[int, msgspec.Meta(ge=1, le=10_000)]
    used: Count
    card: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{32})?$", max_length=32)] = ""
    takes_back: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{32})?$", max_length=32)] = ""
    until_ms: Millis = 0
