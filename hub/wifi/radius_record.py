"""RADIUS accounting as other makers' access points send it, read into what is known of a session (rule).

1. Attributes come as FreeRADIUS writes them: in JSON from rlm_rest (`{"Acct-Session-Id": {"type": …, "value": […]}}`,
   or plain values from a template), or as text from a detail file.  Numbers may stand by their names or as figures.
2. Counters are cumulative (RFC 2866): input is what came from the guest.  Gigawords (RFC 2869, 5.1 and 5.2) are the
   upper halves: 1 and 100 octets are 4,294,967,396.
3. When it happened is what Event-Timestamp says (RFC 2869, 5.3).  Without one that can be believed it is when it
   arrived, less Acct-Delay-Time (RFC 2866, 5.2).  Acct-Session-Time says how long before that the session began.
4. A session is (NAS, Acct-Session-Id, device).  Some NAS count from 1 again when they start anew: what began after a
   session of that name had ended is another one.  A packet's own identifier says nothing (it changes when it is sent
   again).
5. Accounting-On and -Off say that a NAS knows of no session any more: those that are open end at their last sign of
   life.
6. A device's address leaves here only to become a pseudonym; a user's name is not read at all.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from hub.wifi.session import plausible_ms
from wire.messages import Cause

Kind = Literal["start", "stop", "interim", "on", "off"]
_KINDS: dict[str, Kind] = {
    "start": "start",
    "1": "start",
    "stop": "stop",
    "2": "stop",
    "interim-update": "interim",
    "alive": "interim",
    "3": "interim",
    "accounting-on": "on",
    "7": "on",
    "accounting-off": "off",
    "8": "off",
}
# RFC 2866, 5.10, by number and as FreeRADIUS's dictionary names them.
_CAUSES: dict[Cause, str] = {
    "user": "1 user-request 17 user-error",
    "lost": "2 lost-carrier 3 lost-service 8 port-error 9 nas-error 19 supplicant-restart 20 reauthentication-failure",
    "idle": "4 idle-timeout",
    "time": "5 session-timeout",
    "admin": "6 admin-reset 22 port-administratively-disabled",
    "power": "7 admin-reboot 11 nas-reboot",
}
_CAUSE_OF: dict[str, Cause] = {word: cause for cause, words in _CAUSES.items() for word in words.split()}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DATE = re.compile(r"([A-Za-z]{3})\s+(\d{1,2}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) ([A-Z]{3,4})")
_ZONES = {"UTC": 0, "GMT": 0, "JST": 9 * 3600}
_ADDRESS = re.compile(r"(?:[0-9a-f]{2}[-:.]?){5}[0-9a-f]{2}")
_FIGURE = re.compile(r"[0-9]{1,19}")
_GIGAWORD = 2**32
_LARGEST = 2**63 - 1
_NAME_LENGTH = 100
_LONGEST_S = 366 * 86_400

Attributes = Mapping[str, str]


class BadRecord(Exception):
    """What is no accounting; the text says which attribute and what was expected, and nothing of a guest."""


class Said(msgspec.Struct, frozen=True):
    """What a packet says. `session` is the NAS's own id, and with `address` never kept as it is.

    `began_ms` is None when it says not how long the session has lasted.
    """

    kind: Kind
    nas: str
    at_ms: int
    session: str = ""
    address: str = ""
    network: str = ""
    began_ms: int | None = None
    up_bytes: int = 0
    down_bytes: int = 0
    cause: Cause = ""


class Run(msgspec.Struct):
    """A session that is known under a name; `number` tells those apart that were given the same one."""

    number: int
    began_ms: int
    ended_ms: int | None
    guest: str | None = None
    day: str = ""


# ---- attributes


def attributes(body: bytes) -> dict[str, str]:
    """The attributes in a body of JSON, by their names in lower case. Raises BadRecord."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise BadRecord("expected the attributes as a JSON object") from error
    if not isinstance(found, dict):
        raise BadRecord("expected the attributes as a JSON object")
    return {name.lower(): text for name, value in found.items() if (text := _text(value)) is not None}


def _text(value: Any) -> str | None:
    """The first value of an attribute as text."""
    if isinstance(value, dict):
        value = value.get("value")
    if isinstance(value, list):
        value = value[0] if value else None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def read(found: Attributes, arrived_ms: int) -> Said:
    """What a packet says that arrived at a moment. Raises BadRecord."""
    kind = _KINDS.get(found.get("acct-status-type", "").lower())
    if kind is None:
        raise BadRecord("Acct-Status-Type: expected Start, Stop, Interim-Update, Accounting-On or Accounting-Off")
    nas = _nas(found)
    at_ms = _event_ms(found, arrived_ms)
    if kind in ("on", "off"):
        return Said(kind, nas, at_ms)
    session = found.get("acct-session-id", "")
    if not session:
        raise BadRecord("Acct-Session-Id: expected the NAS's name of the session")
    said = Said(kind, nas, at_ms, session, address(found.get("calling-station-id", "")), _network(found))
    if kind == "start":
        return msgspec.structs.replace(said, began_ms=at_ms)
    lasted_s = _number(found, "acct-session-time") if "acct-session-time" in found else None
    return msgspec.structs.replace(
        said,
        began_ms=None if lasted_s is None else at_ms - min(lasted_s, _LONGEST_S) * 1000,
        up_bytes=_bytes(found, "input"),
        down_bytes=_bytes(found, "output"),
        cause=_CAUSE_OF.get(found.get("acct-terminate-cause", "").lower(), "lost") if kind == "stop" else "",
    )


def _nas(found: Attributes) -> str:
    # Both where there are both: many a NAS comes from its maker with the same identifier.
    names = [found.get(name, "") for name in ("nas-identifier", "nas-ip-address", "nas-ipv6-address")]
    nas = "/".join(name for name in names if name)
    if not nas:
        raise BadRecord("NAS-Identifier or NAS-IP-Address: expected one of them (RFC 2866, 4.1)")
    return nas[:_NAME_LENGTH]


def _bytes(found: Attributes, way: str) -> int:
    total = _number(found, f"acct-{way}-gigawords") * _GIGAWORD + _number(found, f"acct-{way}-octets")
    return min(total, _LARGEST)


def _number(found: Attributes, name: str) -> int:
    text = found.get(name, "0")
    if not _FIGURE.fullmatch(text):
        raise BadRecord(f"{name}: expected a number of at most 19 figures")
    return int(text)


def _network(found: Attributes) -> str:
    """The network's name stands behind the access point's address (RFC 3580, 3.20)."""
    return found.get("called-station-id", "")[17:].removeprefix(":")[:32]


def address(text: str) -> str:
    """A device's address in lower case with colons; empty for what is none."""
    lower = text.strip().lower()
    if not _ADDRESS.fullmatch(lower):
        return ""
    digits = re.sub(r"[^0-9a-f]", "", lower)
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


# ---- times


def _event_ms(found: Attributes, arrived_ms: int) -> int:
    at_ms = _moment_ms(found.get("event-timestamp", ""))
    if at_ms is not None and plausible_ms(at_ms, arrived_ms) == at_ms:
        return at_ms
    return arrived_ms - min(_number(found, "acct-delay-time"), _LONGEST_S) * 1000


def _moment_ms(text: str) -> int | None:
    """Seconds since 1970, or as FreeRADIUS prints them; None for what is no time."""
    if _FIGURE.fullmatch(text):
        return min(int(text), _LARGEST // 1000) * 1000
    found = _DATE.fullmatch(text.strip())
    if not found or found[1].lower() not in _MONTHS or found[7] not in _ZONES:
        return None
    month, day, year, hour, minute, second = _MONTHS.index(found[1].lower()) + 1, *map(int, found.groups()[1:6])
    try:
        moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return (int(moment.timestamp()) - _ZONES[found[7]]) * 1000


def detail_arrived_ms(found: Attributes, read_ms: int) -> int:
    """When the server that wrote a detail file had it."""
    at_ms = _moment_ms(found.get("timestamp", ""))
    return read_ms if at_ms is None else plausible_ms(at_ms, read_ms)


# ---- which session


def which(runs: Sequence[Run], said: Said) -> Run | None:
    """Of the sessions of this name, in the order in which they began, the one that is meant; None: a new one."""
    begun = [run for run in runs if run.began_ms <= said.at_ms]
    if not begun:
        # Told before its beginning was: what is known of it began too late.
        return runs[0] if runs else None
    run = begun[-1]
    is_another = said.began_ms is not None and run.ended_ms is not None and said.began_ms > run.ended_ms
    return None if is_another else run
