"""The messages and the bodies of records, as types. `wire/golden/` holds one example of each.

A record's name for ever is (device, spool, lane, seq).  Money, minutes, bytes and milliseconds are integers.
"""

from typing import Annotated, Any, Literal

import msgspec

from wire.fields import (
    INT64_MAX,
    KIND_PATTERN,
    Count,
    Identifier,
    Kind,
    Millis,
    Seq,
    Spool,
    Text,
    Through,
)
from wire.tablet import Answer, BenefitUse, ContentSeen, HelpAsk, PaperReport, TabletState

__all__ = [
    "INT64_MAX",
    "KIND_PATTERN",
    "Answer",
    "BenefitUse",
    "ContentSeen",
    "HelpAsk",
    "PaperReport",
    "TabletState",
]

Lane = Literal["urgent", "bulk"]
ClockQuality = Literal["synced", "held", "unset"]

LANES: tuple[Lane, ...] = ("urgent", "bulk")

# Which lane a kind travels in.  A kind that is not here is bulk.
LANE_OF_KIND: dict[str, Lane] = {
    "punch": "urgent",
    "consent": "urgent",
    "result": "urgent",
    "alarm": "urgent",
    "reported": "urgent",
    "roster_report": "urgent",
    "kit_report": "urgent",
    "disaster_report": "urgent",
    "loan": "urgent",
    "renewal": "urgent",
    "paper_report": "urgent",
    "help_ask": "urgent",
    "answer": "urgent",
    "benefit_use": "urgent",
    "health": "bulk",
    "usage": "bulk",
    "wifi_session": "bulk",
    "wifi_state": "bulk",
    "clock": "bulk",
    "content": "bulk",
    "dropped": "bulk",
    "inventory": "bulk",
    "bundle": "bulk",
    "tablet_state": "bulk",
}

RECORDS_PER_BATCH = 500
BATCH_BYTES = 60 * 1024
# A batch inflates to at most this; more is an attack or a mistake, and is refused before it takes memory.
BATCH_PLAIN_BYTES = 1024 * 1024
BODY_BYTES = 16 * 1024
BATCHES_UNDER_WAY = 4


class Record(msgspec.Struct, array_like=True, frozen=True):
    """One thing that happened: `[seq, kind, boot, mono_ms, at_ms, clock, body]`.

    `boot` is the kernel's boot id, `mono_ms` the milliseconds since that boot, `at_ms` the wall clock in UTC.
    `body` stays as it came, so that one unreadable body does not hold up the rest.
    """

    seq: Seq
    kind: Kind
    boot: Text
    mono_ms: Millis
    at_ms: Millis
    clock: ClockQuality
    body: msgspec.Raw


class Batch(msgspec.Struct, frozen=True, omit_defaults=True):
    """Records of one lane in ascending seq, joined to what came before by `after`.

    `missing` tells how many acked records before the first of this batch are no longer kept (wire design, 3).
    """

    spool: Spool
    lane: Lane
    after: Through
    records: Annotated[tuple[Record, ...], msgspec.Meta(max_length=RECORDS_PER_BATCH)]
    missing: Count = 0


class Ack(msgspec.Struct, frozen=True, omit_defaults=True):
    """The hub has everything of this lane through `through` in its database.

    With a `run` it is for that start of the agent alone (there are two devices of this name): others ignore it.
    `begins`: nobody asked; the hub has just begun to hear its broker, and a device says again that it is there.
    """

    spool: Spool
    lane: Lane
    through: Through
    run: Text = ""
    begins: bool = False


class Held(msgspec.Struct, frozen=True):
    """A paper (`Paper`) that a device goes by."""

    kind: Kind
    incarnation: Text
    generation: Count


class Presence(msgspec.Struct, frozen=True, omit_defaults=True):
    """Online or not; also the last will.  A will whose `connection` is not the newest of its boot is ignored.

    `connection` counts the connections of a device and never goes back (kept on its disk). `run` is random and new with
    each start of the agent: one that comes back after another shows that two devices use one identity. `roster` is the
    incarnation of the roster that a terminal goes by, or of the kit that an access point does, with its generation;
    `papers` tells the same of each paper that it holds.
    """

    online: bool
    boot: Text
    connection: Count
    version: Text = ""
    device_kind: Text = ""
    seen: Count = 0
    applied: Count = 0
    incarnation: Text = ""
    run: Text = ""
    roster: Text = ""
    roster_generation: Count = 0
    papers: Annotated[tuple[Held, ...], msgspec.Meta(max_length=16)] = ()


# ---- down: one of these a message, told apart by `what`

# Ed25519 (RFC 8032), in base64 as RFC 4648 section 5 has it, without padding; over the bytes of wire/signed.py.
Signature = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9_-]{86}$", max_length=86)]


class Desired(msgspec.Struct, frozen=True, tag_field="what", tag="desired"):
    """What a device is to be: the whole document, never a part of one.

    `generation` counts the documents of an `incarnation`; an older one than the device has seen is refused.
    """

    incarnation: Text
    generation: Count
    document: dict[str, Any]
    signature: Signature


class Order(msgspec.Struct, frozen=True, tag_field="what", tag="order"):
    """One thing to do, at most once, and not after `not_after_ms` (UTC); `name` is one of a fixed list."""

    id: Identifier
    name: Kind
    arguments: dict[str, Any]
    not_after_ms: Millis
    nonce: Identifier
    signature: Signature


class Certificate(msgspec.Struct, frozen=True, tag_field="what", tag="certificate"):
    """The answer to a renewal: the device's new certificate and its issuer's, in PEM. Proved by the town's root."""

    chain: Annotated[str, msgspec.Meta(max_length=16_384)]


class Roster(msgspec.Struct, frozen=True, tag_field="what", tag="roster"):
    """What a terminal is to know of cards, whole and sealed to its certificate's key (`wire/sealed.py`), in base64url.

    `generation` counts the rosters of an `incarnation`; an older one than the terminal goes by is refused.
    """

    incarnation: Text
    generation: Count
    sealed: Annotated[str, msgspec.Meta(max_length=90_000)]
    signature: Signature


class Kit(msgspec.Struct, frozen=True, tag_field="what", tag="kit"):
    """What an access point needs to receive guests (`wire/kit.py`), whole and sealed to its certificate's key.

    `generation` counts the kits of an `incarnation`; an older one than the access point goes by is refused.
    """

    incarnation: Text
    generation: Count
    sealed: Annotated[str, msgspec.Meta(max_length=90_000)]
    signature: Signature


# A keyed hash of a device's address, whose key changes with the day in Japan: the address itself is never stored.
Pseudonym = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$", max_length=32)]
DayText = Annotated[str, msgspec.Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", max_length=10)]


class Grant(msgspec.Struct, frozen=True, omit_defaults=True):
    """A session that another access point of the town has begun: a device that comes over goes on with it.

    `origin` is the session in which the guest agreed, `ends_ms` when its time is over, `up_bytes` and `down_bytes` what
    it has used so far; `day` names the key of the pseudonym. A grant with `ends_ms` 0 takes an earlier one back.
    """

    origin: Identifier
    guest: Pseudonym
    day: DayText
    ends_ms: Millis
    extensions: Count = 0
    up_bytes: Count = 0
    down_bytes: Count = 0
    terms: Text = ""


class Roam(msgspec.Struct, frozen=True, tag_field="what", tag="roam"):
    """Who is known at the town's other access points. Each says what is new; none takes away what it does not name."""

    grants: Annotated[tuple[Grant, ...], msgspec.Meta(max_length=200)]
    made_ms: Millis
    signature: Signature


class Paper(msgspec.Struct, frozen=True, tag_field="what", tag="paper"):
    """A sealed paper of some kind, whole, sealed to the certificate's key of one device and signed.

    Kinds: `shelf` (`wire/shelf.py`: what a tablet shows and goes by) and `purse` (`wire/purse.py`: how much of which
    benefit a device may take while the hub is away). `generation` counts the papers of an `incarnation` and kind; an
    older one than the device goes by is refused.
    """

    kind: Kind
    incarnation: Text
    generation: Count
    sealed: Annotated[str, msgspec.Meta(max_length=90_000)]
    signature: Signature


Down = Desired | Order | Certificate | Roster | Kit | Roam | Paper


# ---- bodies, by kind

Direction = Literal["clock_in", "clock_out"]
Standing = Literal["accepted", "repeat", "unknown", "unsure", "refused"]


class Punch(msgspec.Struct, frozen=True, omit_defaults=True):
    """A card at a time clock.  `card` is a keyed hash: the serial number never leaves the terminal.

    `standing` is what the person was told: `accepted`, `repeat` (already taken), `unknown` (card not in the
    roster), `unsure` (an impossible order; a later punch that `answers` its seq says what was meant) or `refused` (a
    card that was reported lost, or could not prove that it is genuine: no punch).
    `chosen` tells who chose the direction.
    """

    card: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$", max_length=32)]
    direction: Direction
    standing: Standing = "accepted"
    chosen: Literal["time", "person"] = "time"
    technology: Text = ""
    answers: Seq | None = None


class ProcessState(msgspec.Struct, frozen=True, omit_defaults=True):
    """A process as supervisor reports it; `state` is supervisor's word in lower case."""

    name: Text
    state: Text
    uptime_s: Count = 0


class Health(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a device is.  Absent figures are those that the machine does not have.

    Percentages are in tenths (`cpu_permille`), temperature in thousandths of a degree Celsius.
    """

    cpu_permille: Count
    memory_total: Count
    memory_available: Count
    disk_total: Count
    disk_free: Count
    uptime_s: Count
    version: Text = ""
    agent_rss: Count = 0
    temperature_milli_c: int | None = None
    throttled: Count | None = None
    load_milli: Count | None = None
    spool_urgent: Count = 0
    spool_bulk: Count = 0
    clock_max_error_ms: Count | None = None
    processes: tuple[ProcessState, ...] = ()
    reader: Text = ""
    reader_since_ms: Millis | None = None


class Interface(msgspec.Struct, frozen=True, omit_defaults=True):
    """Counters of one network interface since boot, in bytes; the record's boot id names the boot.

    `sim` is the ICCID of the card behind a mobile one, where the modem tells it. `bits` 32: the counters wrap there.
    """

    name: Text
    rx_bytes: Count
    tx_bytes: Count
    link: Literal["wifi", "mobile", "wired", "tunnel", "other"] = "other"
    sim: Text = ""
    bits: Literal[32, 64] = 64


class Usage(msgspec.Struct, frozen=True, omit_defaults=True):
    """Cumulative counters of every interface but loopback; the hub takes differences within one boot.

    `occasion` tells why now: at midnight in Japan, before the device goes off, or simply because it was time.
    """

    interfaces: Annotated[tuple[Interface, ...], msgspec.Meta(max_length=64)]
    occasion: Literal["round", "midnight", "shutdown"] = "round"


class ClockReading(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the wall clock turned out to be in this boot: it read `wall_ms` when `mono_ms` had gone by.

    `was` is the quality before; `step_ms` how far the wall clock jumped at that moment, for the reader's eye.
    """

    wall_ms: Millis
    mono_ms: Millis
    was: ClockQuality = "unset"
    step_ms: Millis = 0


class Dropped(msgspec.Struct, frozen=True):
    """The spool was full: so many records of each kind were given up, from `first_seq` to `last_seq`."""

    counts: dict[str, Count]
    lane: Lane
    first_seq: Seq
    last_seq: Seq


class Alarm(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that a person should know: begun or ended once each, never repeated meanwhile."""

    name: Text
    state: Literal["begun", "ended"]
    detail: Text = ""


class Drift(msgspec.Struct, frozen=True):
    """A setting that is not as it was ordered; both values as JSON."""

    key: Text
    wanted: Text
    found: Text


class Reported(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far a device has followed its desired state. In step: applied is the desired generation, and no drift.

    `digest` is the SHA-256 of the applied document's signed bytes, in hex.
    """

    incarnation: Text
    seen: Count
    applied: Count
    result: Literal["applied", "refused", "failed", "rolled_back"]
    error: Text = ""
    digest: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$", max_length=64)] = ""
    drift: Annotated[tuple[Drift, ...], msgspec.Meta(max_length=100)] = ()


class RosterReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """The roster that a terminal goes by, and how many cards are in it; `error` is why it took no other."""

    incarnation: Text
    generation: Count
    result: Literal["applied", "refused"] = "applied"
    error: Text = ""
    cards: Count = 0


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of an order, step by step: `delivered` first, then one of the others."""

    order: Identifier
    state: Literal["delivered", "done", "failed", "expired", "refused"]
    detail: Annotated[str, msgspec.Meta(max_length=2000)] = ""


class Bundle(msgspec.Struct, frozen=True):
    """A part of a file that an order asked for: `part` of `parts`, counted from 0, in base64."""

    order: Identifier
    part: Annotated[int, msgspec.Meta(ge=0, le=4095)]
    parts: Annotated[int, msgspec.Meta(ge=1, le=4096)]
    data: Annotated[str, msgspec.Meta(max_length=14_000)]


class Renewal(msgspec.Struct, frozen=True):
    """A device asks for its next certificate: a request (PKCS #10, RFC 2986) in PEM, with a new key."""

    request: Annotated[str, msgspec.Meta(max_length=4096)]


class Inventory(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a device is made of; sent after each boot and when it changes.

    `storage_wear_permille` is how much of its life the flash has used, `certificate_end_ms` when its identity ends.
    """

    model: Text = ""
    serial: Text = ""
    system: Text = ""
    version: Text = ""
    storage_wear_permille: Annotated[int, msgspec.Meta(ge=0, le=1100)] | None = None
    battery_permille: Annotated[int, msgspec.Meta(ge=0, le=1000)] | None = None
    battery_cycles: Count | None = None
    certificate_end_ms: Millis | None = None


Way = Literal["click", "email", "voucher", "roam", "disaster", "staff"]
Cause = Literal["", "user", "idle", "time", "quota", "closed", "admin", "lost", "power"]
TermsLanguage = Literal["ja", "ja-easy", "en", "zh-Hans", "zh-Hant", "ko"]


class WifiSession(msgspec.Struct, frozen=True, omit_defaults=True):
    """A Wi-Fi session as far as it has come: all of it is cumulative, so that a later one says all of an earlier.

    Its name for ever is (access point, `boot`, `session`): the boot in which it began, and a random id.  `number` rises
    with each telling.  `began_ms` and `last_ms` are event times (the last sign of life, or the end); `up_bytes` came
    from the guest, `down_bytes` went there, IP headers included.  `origin` is the session in which the guest agreed,
    when that was at another access point.  A session with a `cause` has ended. `ends_ms` is when its time will be over
    as things stand (extensions counted in); 0 for one without a limit, which no neighbour is told of.
    """

    session: Identifier
    boot: Text
    number: Seq
    began_ms: Millis
    last_ms: Millis
    up_bytes: Count
    down_bytes: Count
    guest: Pseudonym
    day: DayText
    network: Text = ""
    way: Way = "click"
    cause: Cause = ""
    extensions: Count = 0
    slowed: bool = False
    origin: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{32})?$", max_length=32)] = ""
    ends_ms: Millis = 0


class Consent(msgspec.Struct, frozen=True, omit_defaults=True):
    """A guest agreed to the terms: which version, read in which language, and how.

    `contact` is what identifies a person (an e-mail address with its code), sealed to the month's key of the hub
    (`wire/kit.py`), in base64url; `contact_key` names that key. `voucher` is the id of one, never its code.
    """

    session: Identifier
    terms: Text
    language: TermsLanguage
    way: Way = "click"
    voucher: Text = ""
    contact: Annotated[str, msgspec.Meta(max_length=1000)] = ""
    contact_key: Text = ""
    confirmed: bool = False


class Network(msgspec.Struct, frozen=True, omit_defaults=True):
    """One network on the air: how many stations are on it, and how busy its channel is."""

    name: Text
    on_air: bool
    security: Text = ""
    stations: Count = 0
    channel: Count = 0
    airtime_permille: Count | None = None


class SelfCheck(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that the access point tried on itself: `isolation`, `office`, `portal`, `option_114`, …"""

    name: Text
    ok: bool
    at_ms: Millis
    detail: Text = ""


class WifiState(msgspec.Struct, frozen=True, omit_defaults=True):
    """How an access point is; the latest counts. `shaping` is the back end that was found, `faults` are words."""

    mode: Literal["normal", "closed", "disaster", "drill", "off"]
    networks: Annotated[tuple[Network, ...], msgspec.Meta(max_length=8)] = ()
    sessions: Count = 0
    captive: Count = 0
    shaping: Text = ""
    faults: Annotated[tuple[Text, ...], msgspec.Meta(max_length=20)] = ()
    checks: Annotated[tuple[SelfCheck, ...], msgspec.Meta(max_length=20)] = ()
    terms: Text = ""
    kit: Count = 0
    kit_incarnation: Text = ""


class DisasterReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an access point did with the disaster switch: `run` names it, `by` is what began or ended it.

    `evidence` is what was seen at that moment (networks, stations, what a drill would have changed), line by line.
    """

    run: Text
    state: Literal["begun", "ended", "drilled", "refused"]
    by: Literal["order", "button", "time", "restart"]
    ends_ms: Millis = 0
    evidence: Annotated[tuple[Text, ...], msgspec.Meta(max_length=40)] = ()


class KitReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """The kit that an access point goes by; `error` is why it took no other."""

    incarnation: Text
    generation: Count
    result: Literal["applied", "refused"] = "applied"
    error: Text = ""


BODY_OF_KIND: dict[str, type[msgspec.Struct]] = {
    "punch": Punch,
    "health": Health,
    "usage": Usage,
    "clock": ClockReading,
    "dropped": Dropped,
    "alarm": Alarm,
    "reported": Reported,
    "roster_report": RosterReport,
    "result": Result,
    "bundle": Bundle,
    "renewal": Renewal,
    "inventory": Inventory,
    "wifi_session": WifiSession,
    "consent": Consent,
    "wifi_state": WifiState,
    "disaster_report": DisasterReport,
    "kit_report": KitReport,
    "paper_report": PaperReport,
    "tablet_state": TabletState,
    "content": ContentSeen,
    "answer": Answer,
    "help_ask": HelpAsk,
    "benefit_use": BenefitUse,
}
