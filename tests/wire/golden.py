"""The golden files, and what each of them says in types."""

import base64
import json
from pathlib import Path
from typing import Any

import msgspec

import wire
from tests.wire.golden_keys import CHAIN, HUB, REQUEST, SEALED
from wire import codec, signed
from wire.messages import (
    LANE_OF_KIND,
    Ack,
    Alarm,
    Batch,
    Bundle,
    Certificate,
    ClockQuality,
    ClockReading,
    Consent,
    Desired,
    DisasterReport,
    Down,
    Drift,
    Dropped,
    Grant,
    Health,
    Held,
    Interface,
    Inventory,
    Kit,
    KitReport,
    Network,
    Order,
    Paper,
    Presence,
    ProcessState,
    Punch,
    Record,
    Renewal,
    Reported,
    Result,
    Roam,
    Roster,
    RosterReport,
    SelfCheck,
    Usage,
    WifiSession,
    WifiState,
)
from wire.roster import CardKind, RosterCard, RosterContent
from wire.tablet import Answer, BenefitUse, ContentSeen, HelpAsk, Modem, PaperReport, TabletState

FOLDER = Path(wire.__file__).parent / "golden"

BOOT = "3f1c9a52-7d0e-4b6a-9c58-2e81f0a4d7b3"
SPOOL = "9f3c0a7be2d41568"
MONO_MS = 86_412_907
# 24 November 2026, 8:24 in Japan.
AT_MS = 1_795_476_240_512
MINUTE_MS = 60_000
DEVICE = "terminal-1"
INCARNATION = "5b8e2f60-13ad-4c97-8d04-7a9e6c1b02f5"
ORDER = "a94f0c62b7d8135e60f2c4b91e7d3a58"
NONCE = "0d6b7e91c2f34a58e6071b9d8c5a2f43"
# With a text that is not ASCII, a list, a table in a table, and nothing: all that a document may hold.
DOCUMENT: dict[str, Any] = {
    "attendance": {"repeat_s": 60, "directions": ["clock_in", "clock_out"]},
    "place": "本庁舎 1階",
    "quiet": True,
    "wifi": None,
}


def _signature(data: bytes) -> str:
    return base64.urlsafe_b64encode(HUB.sign(data)).decode().rstrip("=")


DESIRED_BYTES = signed.desired_bytes(DEVICE, INCARNATION, 4, DOCUMENT)
_UNSIGNED = Order(ORDER, "reboot", {"delay_s": 5}, AT_MS + 10 * MINUTE_MS, NONCE, "")
ORDER_BYTES = signed.order_bytes(DEVICE, _UNSIGNED)

ROSTER_BYTES = signed.roster_bytes(DEVICE, INCARNATION, 7, SEALED)
# What is in the seal.
ROSTER = RosterContent(
    bytes(range(32)),
    (
        RosterCard("18e2c96fd40b73a5f1067c2b9e845d30", "issued", "山田花子", "staff"),
        RosterCard("b0d7e6413fa95c2288c1904e7a5df36b", "lost"),
    ),
    (CardKind("staff", "felica", bytes(range(32, 64))),),
)

KIT_BYTES = signed.kit_bytes("access-point-1", INCARNATION, 3, SEALED)
SESSION = "5d0f9b3a7c61e2488a94f3b1d27c60ae"
GUEST = "c7a1f05b92e8d3641b07f8e52c9a4d16"
GRANTS = (
    Grant(SESSION, GUEST, "2026-11-24", AT_MS + 40 * MINUTE_MS, 1, 5_242_880, 104_857_600, "2026-11-01"),
    Grant(ORDER, "18e2c96fd40b73a5f1067c2b9e845d30", "2026-11-24", 0),
)
ROAM_BYTES = signed.roam_bytes("access-point-1", GRANTS, AT_MS)

PAPER_BYTES = signed.paper_bytes("tablet-1", "shelf", INCARNATION, 5, SEALED)
SIM = "8981100000000000012"

# Of each kind: a body with every field, and one with only those that must be there.
BODIES: dict[str, tuple[msgspec.Struct, msgspec.Struct]] = {
    "punch": (
        Punch("b0d7e6413fa95c2288c1904e7a5df36b", "clock_out", "unsure", "person", "FeliCa", 40),
        Punch("18e2c96fd40b73a5f1067c2b9e845d30", "clock_in"),
    ),
    "health": (
        Health(
            cpu_permille=83,
            memory_total=1_979_711_488,
            memory_available=1_502_838_784,
            disk_total=31_268_536_320,
            disk_free=24_117_248_000,
            uptime_s=86_412,
            version="0.1.0",
            agent_rss=41_943_040,
            temperature_milli_c=48_312,
            throttled=0x50000,
            load_milli=210,
            spool_urgent=3,
            spool_bulk=118,
            clock_max_error_ms=12,
            processes=(ProcessState("machinaka-agent", "running", 86_390), ProcessState("kiosk", "backoff")),
            reader="pn532",
            reader_since_ms=AT_MS - 86_000_000,
        ),
        Health(0, 1_979_711_488, 1_502_838_784, 31_268_536_320, 24_117_248_000, 42),
    ),
    "usage": (
        Usage(
            (
                Interface("wwan0", 734_003_200, 52_428_800, "mobile", SIM, 32),
                Interface("wlan0", 734_003_200, 52_428_800, "wifi"),
                Interface("eth0", 0, 0),
            ),
            "midnight",
        ),
        Usage(()),
    ),
    "clock": (
        ClockReading(AT_MS, MONO_MS, "held", -1734),
        ClockReading(AT_MS + 60 * MINUTE_MS, MONO_MS + 60 * MINUTE_MS),
    ),
    "dropped": (Dropped({"health": 1437, "usage": 24}, "bulk", 12, 1499), Dropped({}, "bulk", 1, 1)),
    "alarm": (Alarm("reader", "begun", "the reader does not answer"), Alarm("reader", "ended")),
    "reported": (
        Reported(
            INCARNATION,
            5,
            4,
            "refused",
            "repeat_s: found -1, expected 0 to 3600",
            signed.digest(DESIRED_BYTES),
            (Drift("quiet", "true", "false"),),
        ),
        Reported(INCARNATION, 4, 4, "applied"),
    ),
    "roster_report": (
        RosterReport(INCARNATION, 7, "refused", "signature", 212),
        RosterReport(INCARNATION, 7),
    ),
    "result": (Result(ORDER, "failed", "supervisor does not answer"), Result(ORDER, "delivered")),
    "bundle": (
        Bundle(ORDER, 0, 2, base64.b64encode(b"machinaka bundle 1\n").decode()),
        Bundle(ORDER, 1, 2, base64.b64encode(b"the end\n").decode()),
    ),
    "renewal": (Renewal(REQUEST), Renewal(REQUEST)),
    "inventory": (
        Inventory(
            model="Raspberry Pi 4 Model B Rev 1.5",
            serial="10000000a3f41b7c",
            system="Debian GNU/Linux 12 (bookworm)",
            version="0.1.0",
            storage_wear_permille=100,
            battery_permille=870,
            battery_cycles=112,
            certificate_end_ms=AT_MS + 90 * 1440 * MINUTE_MS,
        ),
        Inventory(),
    ),
    "wifi_session": (
        WifiSession(
            session=SESSION,
            boot=BOOT,
            number=7,
            began_ms=AT_MS - 20 * MINUTE_MS,
            last_ms=AT_MS,
            up_bytes=5_242_880,
            down_bytes=4_294_967_396,
            guest=GUEST,
            day="2026-11-24",
            network="Town_Free_Wi-Fi",
            way="roam",
            cause="idle",
            extensions=1,
            slowed=True,
            origin=ORDER,
            ends_ms=AT_MS + 40 * MINUTE_MS,
        ),
        WifiSession(SESSION, BOOT, 1, AT_MS, AT_MS, 0, 0, GUEST, "2026-11-24"),
    ),
    "consent": (
        Consent(SESSION, "2026-11-01", "ja-easy", "voucher", "12-7", "BFrNL8XO5Ymg8Xn", "2026-11", confirmed=True),
        Consent(SESSION, "2026-11-01", "ko"),
    ),
    "wifi_state": (
        WifiState(
            "disaster",
            (Network("00000JAPAN", True, "open", 31, 6, 412), Network("staff", on_air=False)),
            29,
            2,
            "htb",
            ("hostapd",),
            (SelfCheck("isolation", True, AT_MS, "2 stations"), SelfCheck("office", ok=False, at_ms=AT_MS)),
            "2026-11-01",
            3,
            INCARNATION,
        ),
        WifiState("closed"),
    ),
    "disaster_report": (
        DisasterReport("drill-2026-11-24", "drilled", "order", AT_MS + 60 * MINUTE_MS, ("on air: Town_Free_Wi-Fi",)),
        DisasterReport("standing", "begun", "button"),
    ),
    "kit_report": (
        KitReport(INCARNATION, 3, "refused", "signature"),
        KitReport(INCARNATION, 3),
    ),
    "paper_report": (
        PaperReport("shelf", INCARNATION, 5, "refused", "sealed"),
        PaperReport("purse", INCARNATION, 2),
    ),
    "tablet_state": (
        TabletState(
            83,
            True,
            (Modem("wwan0", SIM, "connected", "NTT DOCOMO", "lte", True, 62), Modem("wwan1")),
            "mobile",
            41_943_040,
            1,
            "large",
        ),
        TabletState(),
    ),
    "content": (ContentSeen(SESSION, "opened"), ContentSeen(ORDER, "fetched")),
    "answer": (
        Answer(SESSION, (("はい",), ("バス", "買い物"), (), ("雪かきが大変です",))),
        Answer(ORDER, ()),
    ),
    "help_ask": (HelpAsk(SESSION, "taken_back", "画面が動かない"), HelpAsk(SESSION)),
    "benefit_use": (
        BenefitUse(NONCE, "taxi-2026.000017", 1, 4, "18e2c96fd40b73a5f1067c2b9e845d30", SESSION, AT_MS + MINUTE_MS),
        BenefitUse(SESSION, "taxi-2026.000017", 2, 5),
    ),
}
_CLOCKS: dict[str, tuple[ClockQuality, ClockQuality]] = {
    "punch": ("synced", "held"),
    "usage": ("synced", "unset"),
    "alarm": ("held", "synced"),
}
_AFTER = {"punch": 41, "health": 7, "usage": 0, "clock": 2, "dropped": 1499, "alarm": 3}
_AFTER |= {"reported": 5, "roster_report": 9, "result": 8, "bundle": 60, "renewal": 11, "inventory": 0}
_AFTER |= {"wifi_session": 200, "consent": 12, "wifi_state": 70, "disaster_report": 4, "kit_report": 6}
_AFTER |= {"paper_report": 2, "tablet_state": 30, "content": 44, "answer": 21, "help_ask": 23, "benefit_use": 90}


def _record(seq: int, kind: str, nth: int) -> Record:
    clock = _CLOCKS.get(kind, ("synced", "synced"))[nth]
    body = msgspec.Raw(codec.encode_body(BODIES[kind][nth]))
    return Record(seq, kind, BOOT, MONO_MS + nth * MINUTE_MS, AT_MS + nth * MINUTE_MS, clock, body)


def _of_kind(kind: str) -> Batch:
    after = _AFTER[kind]
    return Batch(SPOOL, LANE_OF_KIND[kind], after, (_record(after + 1, kind, 0), _record(after + 2, kind, 1)))


# As it was before interfaces told their card.
_USAGE = Usage((Interface("wlan0", 734_003_200, 52_428_800, "wifi"), Interface("eth0", 0, 0)))
MIXED = Batch(
    SPOOL,
    "bulk",
    12,
    (
        _record(13, "clock", 0),
        _record(14, "health", 0),
        msgspec.structs.replace(_record(15, "usage", 0), body=msgspec.Raw(codec.encode_body(_USAGE))),
        _record(16, "health", 1),
    ),
)
# What every file says.
BATCHES: dict[str, Batch] = {
    **{f"batch-{kind}.json": _of_kind(kind) for kind in BODIES},
    "batch-mixed.json": MIXED,
    "batch-deflated.hex": MIXED,
    "batch-missing.json": Batch(SPOOL, "urgent", 2, (_record(5, "punch", 1), _record(6, "alarm", 1)), 2),
}
RUN = "c41d08e95ab7f236"
ACKS = {
    "ack.json": Ack(SPOOL, "urgent", 43),
    "ack-of-one-run.json": Ack(SPOOL, "urgent", 43, RUN, begins=True),
    "ack-of-a-beginning.json": Ack(SPOOL, "bulk", 16, begins=True),
}
PRESENCES = {
    "presence.json": Presence(
        online=True,
        boot=BOOT,
        connection=1207,
        version="0.1.0",
        device_kind="terminal",
        seen=4,
        applied=3,
        incarnation=INCARNATION,
        run=RUN,
    ),
    "presence-of-a-terminal.json": Presence(
        online=True,
        boot=BOOT,
        connection=1208,
        version="0.1.0",
        device_kind="terminal",
        seen=4,
        applied=4,
        incarnation=INCARNATION,
        run=RUN,
        roster=INCARNATION,
        roster_generation=7,
    ),
    "presence-of-a-tablet.json": Presence(
        online=True,
        boot=BOOT,
        connection=77,
        version="0.1.0",
        device_kind="tablet",
        seen=4,
        applied=4,
        incarnation=INCARNATION,
        run=RUN,
        roster=INCARNATION,
        roster_generation=7,
        papers=(Held("shelf", INCARNATION, 5),),
    ),
    "last-will.json": Presence(online=False, boot=BOOT, connection=1207),
}
DOWNS: dict[str, Down] = {
    "down-desired.json": Desired(INCARNATION, 4, DOCUMENT, _signature(DESIRED_BYTES)),
    "down-order.json": msgspec.structs.replace(_UNSIGNED, signature=_signature(ORDER_BYTES)),
    "down-certificate.json": Certificate(CHAIN),
    "down-roster.json": Roster(INCARNATION, 7, SEALED, _signature(ROSTER_BYTES)),
    "down-kit.json": Kit(INCARNATION, 3, SEALED, _signature(KIT_BYTES)),
    "down-paper.json": Paper("shelf", INCARNATION, 5, SEALED, _signature(PAPER_BYTES)),
    "down-roam.json": Roam(GRANTS, AT_MS, _signature(ROAM_BYTES)),
}


def payload(name: str) -> bytes:
    """A golden file as it goes over the wire; those for reading keep their white space."""
    data = (FOLDER / name).read_bytes()
    return bytes.fromhex(data.decode()) if name.endswith(".hex") else data


def value(name: str) -> Any:
    """A golden file's plain JSON value."""
    return json.loads((FOLDER / name).read_bytes())


def plain(message: Batch | Ack | Presence | Down) -> Any:
    """What a message encodes to, as a plain JSON value."""
    return json.loads(codec.inflate(codec.encode(message)))


def same(one: Batch, other: Batch) -> bool:
    """Whether two batches say the same, whatever white space their bodies have."""
    return bool(plain(one) == plain(other))
