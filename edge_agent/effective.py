"""What the running tasks go by now: the settings file's values, and over them what the hub ordered (`policy/`).

A task reads the holder at each round or request, so that a change reaches it without a restart.
"""

from collections.abc import Callable
from typing import Literal

import msgspec

from edge_agent.settings import Settings
from wire.policy import Confirmation, Opening, Security, TextSize

Language = Literal["ja", "en"]


class Effective(msgspec.Struct, frozen=True):
    """Every value, whatever the kind of device; `volume` in per cent, times of day as `HH:MM`."""

    health_every_s: int = 60
    usage_every_s: int = 60
    bulk_every_s: int = 60
    lease_days: int = 0
    contact: str = ""
    opening: Opening = Opening()
    language: Language = "ja"
    clock_out_from: str = "12:00"
    debounce_s: int = 120
    sound: bool = True
    volume: int = 100
    text_size: TextSize = "normal"
    home: tuple[str, ...] = ()
    quiet_from: str = ""
    quiet_until: str = ""
    allowed: tuple[str, ...] = ()
    content_mb: int = 2000
    light: int = 80
    speech: bool = True
    benefits: bool = False
    network_name: str = ""
    security: Security = "open"
    passphrase: str = ""
    staff_network_name: str = ""
    opening_follows: bool = False
    # The town's rule as shipped: 60 minutes, three times extended.
    session_minutes: int = 60
    extensions: int = 3
    idle_minutes: int = 15
    down_kbit: int = 8000
    up_kbit: int = 4000
    quota_mb: int = 1000
    slow_kbit: int = 1000
    confirmation: Confirmation = "none"
    vouchers: bool = False
    garden: tuple[str, ...] = ()


def of_settings(settings: Settings) -> Effective:
    """What the settings file alone says."""
    return Effective(
        health_every_s=settings.health_every_s,
        usage_every_s=settings.usage_every_s,
        bulk_every_s=settings.broker.bulk_every_s,
        contact=settings.kiosk.contact,
        language=settings.kiosk.language,
        clock_out_from=settings.attendance.clock_out_from,
        debounce_s=settings.attendance.debounce_s,
        # On a desk there is a network from the start, so that its portal can be looked at.
        network_name="Machinaka_Free_Wi-Fi" if settings.wifi.enforce == "nothing" else "",
    )


class Holder:
    """The values of now. One an agent; lives on the event loop."""

    def __init__(self, now: Effective) -> None:
        self.now = now
        self._watchers: list[Callable[[Effective], None]] = []

    def watch(self, watcher: Callable[[Effective], None]) -> None:
        """`watcher` is called on the loop whenever a value has changed."""
        self._watchers.append(watcher)

    def put(self, now: Effective) -> None:
        """From now on these."""
        if now != self.now:
            self.now = now
            for watcher in self._watchers:
                watcher(now)
