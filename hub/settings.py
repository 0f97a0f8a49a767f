"""The hub's settings: one file, read once at start.  A default and a unit stand on each field."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import msgspec

from wire import settings_file
from wire.policy import HostName
from wire.settings_file import BadSetting

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class BrokerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the broker listens, and the hub's folder of certificates (`<state_dir>/ca` unless said).

    `config` is the broker's own file, which is tried before each restart. The hub restarts the broker through
    `supervisor_socket` and `program`, or by `restart_command`; without either it cannot, and says so.
    """

    host: str = "127.0.0.1"
    port: Port = 8883
    ca_dir: str = ""
    config: str = ""
    supervisor_socket: str = ""
    program: str = "hub:mosquitto"
    restart_command: tuple[str, ...] = ()


class IdentitySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For how long after its certificate's end a device still gets the next one by itself; then it needs a code."""

    grace_days: Annotated[int, msgspec.Meta(ge=0, le=365)] = 60


class WifiSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The name under which access points serve their portal, the same everywhere in town: one of the town's own domain,
    for which it can get a certificate that phones know. `.internal` (reserved for private use) is for trying out."""

    portal_host: HostName = "portal.machinaka.internal"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that the hub is told by its file. `public_url` is what people type."""

    state_dir: str
    host: str = "127.0.0.1"
    port: Port = 8080
    public_url: str = ""
    language: Literal["ja", "en"] = "ja"
    session_hours: Annotated[int, msgspec.Meta(ge=1, le=24)] = 12
    broker: BrokerSettings = BrokerSettings()
    identity: IdentitySettings = IdentitySettings()
    wifi: WifiSettings = WifiSettings()

    @property
    def url(self) -> str:
        """The address of the pages, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (self.public_url or f"http://{host}:{self.port}").rstrip("/")

    @property
    def secure(self) -> bool:
        """Whether people come by https."""
        return self.url.startswith("https://")

    @property
    def ca(self) -> Path:
        """The folder with the town's root, the hub's issuers, and the hub's and the broker's certificates."""
        return Path(self.broker.ca_dir or Path(self.state_dir) / "ca")

    @property
    def database(self) -> Path:
        """The hub's one file."""
        return Path(self.state_dir) / "hub.db"


def load(path: Path) -> Settings:
    """The settings in a file. Raises BadSetting; plain http is allowed on this machine only."""
    settings = settings_file.read(path, Settings)
    address = urlsplit(settings.url)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise BadSetting(path, "public_url", repr(settings.public_url), "an address such as https://machinaka.example")
    if not settings.secure and not (_is_loopback(settings.host) and _is_loopback(address.hostname)):
        raise BadSetting(
            path, "host", repr(settings.host), "127.0.0.1, or a public_url that begins with https:// (passwords cross)"
        )
    return settings


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
