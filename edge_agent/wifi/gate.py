"""What guests need of others: a kernel that lets packets through, and the mode of the access point."""

from typing import Protocol

import msgspec

from edge_agent.wifi.firewall import Counted, Limits


class ModeNow(Protocol):
    """The mode of the access point, as far as guests go by it."""

    @property
    def name(self) -> str:
        """`normal`, `closed`, `disaster`, `drill` or `off`."""
        ...

    @property
    def network_name(self) -> str:
        """The network on the air; empty for the town's usual one."""
        ...


class Normal(msgspec.Struct, frozen=True):
    """The mode where nobody says another."""

    name: str = "normal"
    network_name: str = ""


class Gate(Protocol):
    """What lets packets through: `firewall.Firewall`, or `nothing.Nothing`. All raise NotApplied."""

    async def admit(self, address: str, mark: int, seconds: int, limits: Limits) -> None:
        """Lets a device through for so long."""
        ...

    async def prolong(self, mark: int, seconds: int) -> None:
        """From now on for so long."""
        ...

    async def limit(self, mark: int, limits: Limits) -> None:
        """Another speed, for what is under way too."""
        ...

    async def remove(self, mark: int) -> Counted:
        """Lets it through no more, nor what is under way; what it used in all."""
        ...

    async def counters(self) -> dict[int, Counted]:
        """Bytes since each was let in."""
        ...

    async def admitted(self) -> dict[str, int]:
        """Which addresses are let through, and their marks."""
        ...
