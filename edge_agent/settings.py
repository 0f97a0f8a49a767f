"""The agent's settings: one file, read once at start.  A default and a unit stand on each field."""

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from wire import settings_file, topics
from wire.settings_file import BadSetting

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Positive = Annotated[int, msgspec.Meta(ge=1)]
TimeOfDay = Annotated[
    str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]\Z", description="a time of day from 00:00 to 23:59")
]


class BrokerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the broker listens, and how long bulk records may wait for company."""

    host: str = "127.0.0.1"
    port: Port = 8883
    keepalive_s: Positive = 30
    bulk_every_s: Positive = 60


class SpoolSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much of the disk the spool may take, and how long acked records stay."""

    max_mb: Positive = 256
    ballast_kb: Positive = 512
    keep_days: Positive = 14


class ReaderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which reader: `udp:<host>:<port>`, `usb`, `tty:AMA0:pn532` (nfcpy), `serial:/dev/ttyUSB0`, `pcsc`,
    `wedge:/dev/input/by-id/…`; empty for none."""

    reader: str = ""
    serial_baud: Positive = 9600
    serial_checksum: Literal["xor", "none"] = "xor"
    debounce_s: Annotated[int, msgspec.Meta(ge=0, le=3600)] = 120
    clock_out_from: TimeOfDay = "12:00"


class KioskSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The page for people in front of the device; on this machine only. Port 0: none.

    `contact` is whom to call, as it is shown behind 総務課: `内線 123`.
    """

    host: Literal["127.0.0.1", "::1"] = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    language: Literal["ja", "en"] = "ja"
    contact: Annotated[str, msgspec.Meta(max_length=30)] = ""


class OrderSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the town's IT may order here: the command that reboots (empty: none does), the folders whose logs go into
    a diagnostics file, and how long a wipe waits for unsent records."""

    reboot: tuple[str, ...] = ("systemctl", "reboot")
    log_dirs: tuple[str, ...] = ("/var/log/machinaka",)
    send_before_wipe_s: Positive = 600


class IdentitySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the hub's pages are (empty: as the device was told when it enrolled), and after how long without the broker
    the next certificate is asked for there."""

    hub_url: Annotated[str, msgspec.Meta(max_length=300)] = ""
    late_after_s: Positive = 900


class TabletSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The home page of a lent tablet, on this machine only. Port 0: none.

    `browser_policies` is the folder of Chromium's managed policies (empty: none are written); `speech` and `sound` are
    the commands that read a text aloud from standard input and that set the volume, `backlight` the folder of the
    screen's light in /sys (empty: the buttons for them are not shown). `dbus` is the address of the bus of ModemManager
    and NetworkManager (empty: the system's).
    """

    host: Literal["127.0.0.1", "::1"] = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    browser_policies: str = ""
    speech: tuple[str, ...] = ()
    sound: tuple[str, ...] = ()
    backlight: str = ""
    dbus: str = ""
    sample_every_s: Annotated[int, msgspec.Meta(ge=10, le=900)] = 900


class WifiSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an access point stands in the town's networks. Without `guests` it receives nobody.

    `guests` is the bridge of guests' networks, `uplink` leads to the internet; `ipv4` and `ipv6` are this device's own
    address there, with its network. `office` are networks that guests never reach (the private ranges, unless said).
    `enforce` "nothing" is for looking at the portal on a desk: no packet is touched. `radio` names the interface of the
    guests' network and `driver` hostapd's way to it; `radius_server` is `address:port` of whoever answers for 802.1X.
    `button` is an input device (`/dev/input/by-path/…`) or a file (`file:/run/machinaka/button`): the disaster switch.
    """

    guests: str = ""
    uplink: str = ""
    ipv4: str = "10.77.0.1/22"
    ipv6: str = "fd6d:6368:6e6b::1/64"
    office: tuple[str, ...] = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
    enforce: Literal["nftables", "nothing"] = "nftables"
    listen: str = ""
    http_port: Port = 80
    https_port: Port = 443
    radio: str = "wlan0"
    staff_radio: str = ""
    driver: Literal["nl80211", "wired"] = "nl80211"
    channel: Annotated[int, msgspec.Meta(ge=1, le=196)] = 6
    hostapd_dir: str = "/run/hostapd"
    run_dir: str = "/run/machinaka"
    radius_server: str = ""
    button: str = ""
    account_every_s: Positive = 10
    tell_every_s: Positive = 300


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that the agent is told by its file."""

    device: str
    kind: Literal["terminal", "tablet", "access_point"]
    state_dir: str
    broker: BrokerSettings = BrokerSettings()
    spool: SpoolSettings = SpoolSettings()
    attendance: ReaderSettings = ReaderSettings()
    kiosk: KioskSettings = KioskSettings()
    identity: IdentitySettings = IdentitySettings()
    orders: OrderSettings = OrderSettings()
    wifi: WifiSettings = WifiSettings()
    tablet: TabletSettings = TabletSettings()
    health_every_s: Positive = 60
    usage_every_s: Positive = 60
    supervisor_socket: str = ""


def load(path: Path) -> Settings:
    """The settings in a file. Raises BadSetting."""
    settings = settings_file.read(path, Settings)
    if not topics.is_device(settings.device):
        raise BadSetting(path, "device", repr(settings.device), "a name of a-z, 0-9 and - (at most 63)")
    if not Path(settings.state_dir).is_absolute():
        raise BadSetting(path, "state_dir", repr(settings.state_dir), "a folder's whole path, from / on")
    if settings.kind == "terminal" and settings.kiosk.port and not settings.attendance.reader:
        raise BadSetting(
            path, "attendance.reader", "nothing", "a reader, because kiosk.port asks for a terminal's page"
        )
    return settings
