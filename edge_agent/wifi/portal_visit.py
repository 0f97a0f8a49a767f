"""Who asks the portal, and how it stands with them; what the portal knows and holds.

1. A device is known by its entry among the neighbours on the guests' bridge, IPv4 or IPv6: never by what it says of
   itself.
2. A form counts only from such a device, with the token that was made for it.
"""

import asyncio
import hashlib
import ipaddress
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from edge_agent.effective import Effective, Holder
from edge_agent.wifi import form_token
from edge_agent.wifi.confirm import Codes
from edge_agent.wifi.guesses import Brake
from edge_agent.wifi.guests import Agreed, ModeNow, Normal, Standing
from wire.kit import KitContent
from wire.messages import Grant

# Wrong codes of vouchers, of one device and of all, within ten minutes.
_GUESSES_EACH, _GUESSES_TOGETHER, _GUESSES_WITHIN_S = 5, 200, 600

_ASKED_AT_ONCE = 8
_KNOWN_S = 2.0
_KEPT = 2048

# The device that has an address of the network now, lower case; None for one that is no guest's.
Who = Callable[[str], Awaitable[str | None]]


class Neighbours:
    """Asks who somebody is, a few at a time, and remembers it for a moment: a page is several requests."""

    def __init__(self, who: Who, now_s: Callable[[], float] = time.monotonic) -> None:
        self._who, self._now_s = who, now_s
        self._kept: dict[str, tuple[str | None, float]] = {}
        self._turn = asyncio.Semaphore(_ASKED_AT_ONCE)

    async def of(self, peer: str) -> str | None:
        """The device behind an address of the network."""
        found, until_s = self._kept.get(peer, (None, 0.0))
        if until_s > self._now_s():
            return found
        async with self._turn:
            found = await self._who(peer)
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        self._kept[peer] = found, self._now_s() + (_KNOWN_S if found else 0.0)
        return found


class Host(Protocol):
    """What the portal asks of whoever keeps the sessions: `guests.Guests`."""

    def standing(self, address: str) -> Standing | None:
        """How it stands with a device."""
        ...

    def known(self, address: str) -> Grant | None:
        """Whether it may go on without agreeing again."""
        ...

    async def arrive(self, address: str) -> Standing | None:
        """Lets in whom it knows."""
        ...

    async def agree(self, address: str, agreed: Agreed) -> Standing:
        """Lets in who has agreed."""
        ...

    async def extend(self, address: str) -> Standing:
        """For longer."""
        ...

    async def confirm(self, address: str) -> Standing:
        """An address is confirmed."""
        ...

    async def leave(self, address: str) -> None:
        """Off."""
        ...


class Kits(Protocol):
    """Where the kit is: `kit_task.KitHolder`."""

    @property
    def now(self) -> KitContent | None:
        """The kit that counts."""
        ...


def _now_s() -> float:
    """A clock that nobody sets and that goes on in a standby (CLOCK_BOOTTIME)."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


@dataclass(frozen=True)
class Reception:
    """Everything the portal goes by. `online`: the hub can be reached; `clock_sure`: the wall clock can be shown.

    `desk` are names under which the portal may be looked at besides its own (a developer's machine).
    """

    guests: Host
    kit: Kits
    holder: Holder
    who: Who
    mode: Callable[[], ModeNow] = Normal
    online: Callable[[], bool] = lambda: True
    clock_sure: Callable[[], bool] = lambda: True
    https_port: int = 443
    desk: frozenset[str] = frozenset()
    now_s: Callable[[], float] = _now_s
    form_key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    codes: Codes = field(init=False)
    guesses: Brake = field(init=False)

    def __post_init__(self) -> None:
        brake = Brake(_GUESSES_EACH, _GUESSES_TOGETHER, _GUESSES_WITHIN_S, self.now_s)
        object.__setattr__(self, "codes", Codes(self.now_s))
        object.__setattr__(self, "guesses", brake)

    @property
    def rules(self) -> Effective:
        """The town's rules of this moment."""
        return self.holder.now

    def portal_url(self, asked_for: str = "") -> str:
        """Where the portal is; under the name that was asked for, where that is one of a desk."""
        kit = self.kit.now
        name = host_of(asked_for) if host_of(asked_for) in self.desk else (kit.portal_host if kit else "")
        return f"https://{name}/" if self.https_port == 443 else f"https://{name}:{self.https_port}/"

    def is_its_name(self, asked_for: str) -> bool:
        """Whether a request's host is the portal."""
        kit, name = self.kit.now, host_of(asked_for)
        return name in self.desk or (kit is not None and name == kit.portal_host.lower())

    async def look(self, peer: str) -> "Visit":
        """Who asks from this address of the network, and how it stands with them now."""
        address = await self.who(plain_address(peer)) if peer else None
        mode = self.mode().name
        if address is None:
            return Visit(self, "", None, mode)
        standing = self.guests.standing(address)
        if standing is None and (mode == "disaster" or self.guests.known(address) is not None):
            standing = await self.guests.arrive(address)
        return Visit(self, address, standing, mode)


@dataclass(frozen=True)
class Visit:
    """One request: the device (empty: no guest's), its session, and the mode of the access point."""

    reception: Reception
    address: str
    standing: Standing | None
    mode: str

    @property
    def released(self) -> bool:
        """Whether packets of this device go on to the internet. In a disaster everybody's do."""
        return self.standing is not None or self.mode == "disaster"

    def token(self, terms: str = "") -> str:
        """What makes a form of this page count."""
        return form_token.made(self.reception.form_key, self.address, terms, self.reception.now_s())

    def counts(self, token: str, terms: str = "") -> bool:
        """Whether a form counts."""
        key, now_s = self.reception.form_key, self.reception.now_s()
        return bool(self.address) and form_token.counts(key, token, self.address, terms, now_s)


def host_of(asked_for: str) -> str:
    """The name in a Host header, lower case, without its port and a last dot."""
    name = asked_for.strip().lower()
    if name.startswith("["):
        return name.partition("]")[0][1:]
    return name.partition(":")[0].rstrip(".")


def plain_address(peer: str) -> str:
    """An address as the table of neighbours has it: no zone, and IPv4 as such."""
    try:
        found = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return peer
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)


async def desk_address(peer: str) -> str | None:
    """A device for each address of the network, where there is no bridge: locally administered, always the same."""
    made = hashlib.sha256(peer.encode()).digest()[:5]
    return ":".join(f"{byte:02x}" for byte in (0x02, *made))
