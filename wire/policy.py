"""What a device can be told to be: typed documents, every field of which may be left unsaid.

1. A layer is what a group or a device says: any field, also for several kinds of device (`terminal`, `tablet`,
   `access_point` are tables of their own).  A field that is not there says nothing; `null` takes out what a lower
   layer said, back to the default of the device.
2. A document is what one device gets: layers merged, without `null`, and only the table of its own kind.
3. Only leaves can be `null`, never a table: that is what makes the merging of layers associative (hub/policy/merge.py).
4. Nothing but texts, whole numbers, true, false, lists and tables, so that there is one way to sign it.
"""

from datetime import date
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import UNSET, UnsetType

DeviceKind = Literal["terminal", "tablet", "access_point"]
KINDS: tuple[DeviceKind, ...] = get_args(DeviceKind)

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
# For so many days from its publication a document holds the closed days of the national calendar.
CALENDAR_DAYS = 400

# The settings file of a device may say one second; more than a day would be no interval.
LONGEST_S = 86_400
Every = Annotated[int, msgspec.Meta(ge=1, le=LONGEST_S)]
Days = Annotated[int, msgspec.Meta(ge=0, le=365)]
Contact = Annotated[str, msgspec.Meta(max_length=30)]
Debounce = Annotated[int, msgspec.Meta(ge=0, le=3600)]
Percent = Annotated[int, msgspec.Meta(ge=0, le=100)]
TimeOfDay = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z", max_length=5)]
_SPAN = r"^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)\Z"
# From the first minute to the one before the last: `08:30-17:15`.
Span = Annotated[str, msgspec.Meta(pattern=_SPAN, max_length=11)]
Hours = Annotated[list[Span], msgspec.Meta(max_length=3)]
Day = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z", max_length=10)]
SomeDays = Annotated[list[Day], msgspec.Meta(max_length=100)]
PageAddress = Annotated[str, msgspec.Meta(pattern=r"^https?://[!-~]+\Z", max_length=200)]
Pages = Annotated[list[PageAddress], msgspec.Meta(max_length=6)]
SSID_BYTES = 32
NetworkName = Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
StaffNetworkName = Annotated[str, msgspec.Meta(max_length=32)]
# Printable ASCII (IEEE 802.11, annex J.4.1); empty where the network asks for none.
Passphrase = Annotated[str, msgspec.Meta(pattern=r"^([ -~]{8,63})?\Z", max_length=63)]
Security = Literal["open", "owe", "wpa2", "wpa3"]
Confirmation = Literal["none", "email"]
SessionMinutes = Annotated[int, msgspec.Meta(ge=1, le=1440)]
Extensions = Annotated[int, msgspec.Meta(ge=0, le=100)]
IdleMinutes = Annotated[int, msgspec.Meta(ge=1, le=1440)]
Kbit = Annotated[int, msgspec.Meta(ge=64, le=1_000_000)]
Quota = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
HostName = Annotated[
    str,
    msgspec.Meta(pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?\Z", max_length=253),
]
Names = Annotated[list[HostName], msgspec.Meta(max_length=50)]
Language = Literal["ja", "en"]
TextSize = Literal["normal", "large", "largest"]


class Opening(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """When the house is open, in Japan's time: hours of each weekday (none: closed), and days that are otherwise.

    `holidays` are dates of the national calendar (国民の祝日に関する法律); the hub writes them at publication when
    `holidays_closed` is true, so that a device needs no calendar of its own.
    """

    monday: Hours | UnsetType | None = UNSET
    tuesday: Hours | UnsetType | None = UNSET
    wednesday: Hours | UnsetType | None = UNSET
    thursday: Hours | UnsetType | None = UNSET
    friday: Hours | UnsetType | None = UNSET
    saturday: Hours | UnsetType | None = UNSET
    sunday: Hours | UnsetType | None = UNSET
    holidays_closed: bool | UnsetType | None = UNSET
    closed_days: SomeDays | UnsetType | None = UNSET
    open_days: SomeDays | UnsetType | None = UNSET
    open_days_hours: Hours | UnsetType | None = UNSET
    holidays: SomeDays | UnsetType = UNSET


class Terminal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What only an attendance terminal is told; `volume` in per cent. `benefits`: cards can pay with benefits here."""

    clock_out_from: TimeOfDay | UnsetType | None = UNSET
    debounce_s: Debounce | UnsetType | None = UNSET
    language: Language | UnsetType | None = UNSET
    sound: bool | UnsetType | None = UNSET
    volume: Percent | UnsetType | None = UNSET
    benefits: bool | UnsetType | None = UNSET


class Tablet(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What only a lent tablet is told; it is quiet from `quiet_from` to `quiet_until`, over midnight if need be.

    `allowed` are the sites that its browser opens besides its own page (none: every site); `content_mb` (10^6 bytes) is
    what newsletters may take on its disk. `volume` and `light` in per cent, until the resident chooses otherwise.
    """

    language: Language | UnsetType | None = UNSET
    text_size: TextSize | UnsetType | None = UNSET
    home: Pages | UnsetType | None = UNSET
    quiet_from: TimeOfDay | UnsetType | None = UNSET
    quiet_until: TimeOfDay | UnsetType | None = UNSET
    allowed: Names | UnsetType | None = UNSET
    content_mb: Quota | UnsetType | None = UNSET
    volume: Percent | UnsetType | None = UNSET
    light: Percent | UnsetType | None = UNSET
    speech: bool | UnsetType | None = UNSET
    benefits: bool | UnsetType | None = UNSET


class AccessPoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What only an access point is told: its networks, and the town's rules for guests.

    `opening_follows`: guests get on only while the house is open. A session lasts `session_minutes` and can be extended
    `extensions` times. Over `quota_mb` (both ways, 10^6 bytes; 0: none) a guest is slowed to `slow_kbit`, never cut.
    `garden` are names that are reached without agreeing. `confirmation`: whether an e-mail address is asked for.
    `passphrase` is the public one of a network with WPA; `staff_network_name` is a network with 802.1X (empty: none).
    """

    network_name: NetworkName | UnsetType | None = UNSET
    security: Security | UnsetType | None = UNSET
    passphrase: Passphrase | UnsetType | None = UNSET
    staff_network_name: StaffNetworkName | UnsetType | None = UNSET
    opening_follows: bool | UnsetType | None = UNSET
    session_minutes: SessionMinutes | UnsetType | None = UNSET
    extensions: Extensions | UnsetType | None = UNSET
    idle_minutes: IdleMinutes | UnsetType | None = UNSET
    down_kbit: Kbit | UnsetType | None = UNSET
    up_kbit: Kbit | UnsetType | None = UNSET
    quota_mb: Quota | UnsetType | None = UNSET
    slow_kbit: Kbit | UnsetType | None = UNSET
    confirmation: Confirmation | UnsetType | None = UNSET
    vouchers: bool | UnsetType | None = UNSET
    garden: Names | UnsetType | None = UNSET


class Layer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a group or a device says. A lent tablet that has not heard the hub for `lease_days` locks (0: never)."""

    health_every_s: Every | UnsetType | None = UNSET
    usage_every_s: Every | UnsetType | None = UNSET
    bulk_every_s: Every | UnsetType | None = UNSET
    lease_days: Days | UnsetType | None = UNSET
    contact: Contact | UnsetType | None = UNSET
    opening: Opening | UnsetType = UNSET
    terminal: Terminal | UnsetType = UNSET
    tablet: Tablet | UnsetType = UNSET
    access_point: AccessPoint | UnsetType = UNSET


class BadDocument(Exception):
    """A document that says something that it cannot say: where, and what was expected; one line."""


def read_layer(raw: object) -> Layer:
    """What a group or a device says, checked. Raises BadDocument."""
    try:
        layer = msgspec.convert(raw, Layer)
    except (msgspec.ValidationError, RecursionError) as error:
        raise BadDocument(str(error)) from error
    if layer.opening is not UNSET:
        _check_opening(layer.opening)
    if layer.access_point is not UNSET:
        _check_names(layer.access_point)
    return layer


def read_document(raw: object, kind: str) -> Layer:
    """A device's document, checked: nothing taken out is left in it, and no other kind's table. Raises BadDocument."""
    layer = read_layer(raw)
    for other in KINDS:
        if other != kind and getattr(layer, other) is not UNSET:
            raise BadDocument(f"the table `{other}` is not for a device of the kind `{kind}`")
    _refuse_null(raw, "$")
    return layer


def for_kind(document: dict[str, Any], kind: str) -> dict[str, Any]:
    """Without the tables of other kinds."""
    return {key: value for key, value in document.items() if key == kind or key not in KINDS}


def is_open(opening: Opening, day: date, minute: int) -> bool:
    """Whether the house is open at a minute of a day (Japan's time). A weekday that is not said is closed."""
    name, weekday = day.isoformat(), WEEKDAYS[day.weekday()]
    hours: list[str] = getattr(opening, weekday) or []
    if name in (opening.open_days or []):
        hours = opening.open_days_hours or hours
    elif name in (opening.closed_days or []) or name in (opening.holidays or []):
        return False
    return any(_minute(span[:5]) <= minute < _minute(span[6:]) for span in hours)


def _check_opening(opening: Opening) -> None:
    for key in (*WEEKDAYS, "open_days_hours"):
        ended = -1
        for span in getattr(opening, key) or []:
            begins, ends = _minute(span[:5]), _minute(span[6:])
            if not ended < begins < ends:
                raise BadDocument(f"{span}: expected hours in order that end after they begin - at `$.opening.{key}`")
            ended = ends
    for key in ("closed_days", "open_days", "holidays"):
        for day in getattr(opening, key) or []:
            try:
                date.fromisoformat(day)
            except ValueError as error:
                raise BadDocument(f"{day}: expected a day such as 2026-12-29 - at `$.opening.{key}`") from error


def _check_names(point: AccessPoint) -> None:
    """A network's name is 32 bytes on the air (IEEE 802.11, 9.4.2.2): ten kanji, not thirty-two."""
    for key in ("network_name", "staff_network_name"):
        name = getattr(point, key)
        if isinstance(name, str) and len(name.encode("utf-8", "surrogatepass")) > SSID_BYTES:
            raise BadDocument(f"{name}: expected at most {SSID_BYTES} bytes in UTF-8 - at `$.access_point.{key}`")


def _minute(text: str) -> int:
    return int(text[:2]) * 60 + int(text[3:5])


def _refuse_null(value: object, where: str) -> None:
    if value is None:
        raise BadDocument(f"expected a value, got `null` - at `{where}`")
    if isinstance(value, dict):
        for key, part in value.items():
            _refuse_null(part, f"{where}.{key}")
