"""Rule: what accounting tells of a session of staff (RFC 2866), folded into the record that the hub is told.

1. The name for ever is (device, boot, session): hostapd's Acct-Session-Id, 16 hexadecimal digits, is the last half of
   ours, so that a session can be ended by its name also after the agent began anew.
2. Figures are cumulative: the greatest counts, over 32 bits too (Gigawords). What comes late or twice changes nothing.
3. A lost Start is made good: a session began so long before its event as it says it lasted.
4. The first Stop that is told stands. After it only bytes can still grow.
5. `input` is what came from the device (up), seen from the access point; who the user is is not kept at all.
"""

import re
from typing import Literal

import msgspec

from edge_agent.wifi.radius import ACCT_SESSION_ID, EVENT_TIMESTAMP, Packet
from wire.messages import Cause, WifiSession

Status = Literal["start", "stop", "interim", "on", "off"]
_STATUS: dict[int, Status] = {1: "start", 2: "stop", 3: "interim", 7: "on", 8: "off"}
# RFC 2866, 5.10; what is not here is `lost`.
_CAUSE: dict[int, Cause] = {1: "user", 4: "idle", 5: "time", 6: "admin", 7: "admin"}
_HOSTAPD_ID = re.compile(r"[0-9A-Fa-f]{16}\Z")
_SESSION = re.compile(r"0{16}([0-9a-f]{16})\Z")
_COUNT_MOST = 2**63 - 1
# A century in ms bounds what a packet can say of time.
_LONGEST_S = 100 * 366 * 86_400


class NotAccounting(Exception):
    """A packet that lacks what accounting must have, or has what nobody can read; one sentence."""


class Told(msgspec.Struct, frozen=True):
    """One accounting request. `event_ms` is None without an Event-Timestamp; `delay_s` is how old it was when sent."""

    status: Status
    session: str = ""
    delay_s: int = 0
    event_ms: int | None = None
    lasted_s: int = 0
    up_bytes: int = 0
    down_bytes: int = 0
    cause: Cause = ""
    address: str = ""
    network: str = ""


def told(packet: Packet) -> Told:
    """What a request says. Raises NotAccounting."""
    status = _STATUS.get(packet.number(40) or 0)
    if status is None:
        raise NotAccounting("no Acct-Status-Type that is known")
    if status in ("on", "off"):
        return Told(status, delay_s=_seconds(packet, 41))
    session = (packet.first(ACCT_SESSION_ID) or b"").decode("ascii", "replace")
    if not _HOSTAPD_ID.match(session):
        raise NotAccounting("an Acct-Session-Id that is none of hostapd's")
    stamp = packet.number(EVENT_TIMESTAMP)
    return Told(
        status,
        session.lower(),
        _seconds(packet, 41),
        None if stamp is None else stamp * 1000,
        _seconds(packet, 46),
        _octets(packet, 42, 52),
        _octets(packet, 43, 53),
        _CAUSE.get(packet.number(49) or 0, "lost") if status == "stop" else "",
        _address(packet.first(31)),
        _network(packet.first(30)),
    )


def session_name(acct: str) -> str:
    """Our name for hostapd's."""
    return acct.lower().rjust(32, "0")


def acct_name(session: str) -> str | None:
    """hostapd's name for ours, as it writes it; None for a session that is none of hostapd's."""
    found = _SESSION.match(session)
    return found[1].upper() if found else None


def folded(kept: WifiSession | None, said: Told, new: WifiSession, event_ms: int) -> WifiSession:
    """The session with what was said; the very same object where nothing new was. `new` is one that begins now, with
    the number of this telling, `event_ms` when it happened (UTC ms)."""
    began_ms = event_ms - said.lasted_s * 1000
    before = kept or msgspec.structs.replace(new, began_ms=began_ms, last_ms=began_ms, up_bytes=0, down_bytes=0)
    ended = bool(before.cause)
    after = msgspec.structs.replace(
        before,
        began_ms=min(before.began_ms, began_ms),
        last_ms=before.last_ms if ended else max(before.last_ms, event_ms),
        up_bytes=max(before.up_bytes, said.up_bytes),
        down_bytes=max(before.down_bytes, said.down_bytes),
        cause=before.cause or said.cause,
    )
    if kept is not None and after == kept:
        return kept
    return msgspec.structs.replace(after, number=max(new.number, before.number + (kept is not None)))


def lost(kept: WifiSession, number: int) -> WifiSession:
    """A session that nobody will tell of any more: over at its last sign of life."""
    if kept.cause:
        return kept
    return msgspec.structs.replace(kept, cause="lost", number=max(number, kept.number + 1))


def _seconds(packet: Packet, kind: int) -> int:
    return min(packet.number(kind) or 0, _LONGEST_S)


def _octets(packet: Packet, low: int, high: int) -> int:
    return min(((packet.number(high) or 0) << 32) + (packet.number(low) or 0), _COUNT_MOST)


def _address(value: bytes | None) -> str:
    """`02-AB-…` as `02:ab:…`; empty when it is no device's address."""
    letters = re.sub(r"[-:.]", "", (value or b"").decode("ascii", "replace")).lower()
    return ":".join(re.findall("..", letters)) if re.fullmatch("[0-9a-f]{12}", letters) else ""


def _network(value: bytes | None) -> str:
    """The network's name behind the access point's address in Called-Station-Id (RFC 3580, 3.20)."""
    address, _, name = (value or b"").partition(b":")
    return name.decode("utf-8", "replace")[:200] if len(address) == 17 else ""
