"""Everything that a device can be ordered to do, put together."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from edge_agent.clock import Clock, Stamp
from edge_agent.kiosk.screen import Screen
from edge_agent.orders.diagnostics import Diagnostics
from edge_agent.orders.identify import Identify
from edge_agent.orders.lock import Lock
from edge_agent.orders.outcome import Begun, Doing, Given, Outcome, failed
from edge_agent.orders.ping import PING
from edge_agent.orders.reboot import Reboot
from edge_agent.orders.restart import Restart
from edge_agent.orders.wifi_scan import WifiScan
from edge_agent.orders.wipe import Wipe
from edge_agent.settings import Settings
from edge_agent.spool_thread import AsyncSpool


async def _no_guests(order: Given | Begun, now: Stamp | None = None) -> Outcome:
    return failed("no_guests")


# What only an access point with a network for guests can do.
_NO_GUESTS = Doing(_no_guests, _no_guests)


class Doings:
    """The doings of one device by name.

    `screen` is None where there is no page; `end` ends the agent in good order; `file` holds its settings.
    `wifi` are those of an access point that receives guests (`edge_agent/wifi`).
    """

    def __init__(
        self,
        settings: Settings,
        spool: AsyncSpool,
        clock: Clock,
        screen: Screen | None,
        end: Callable[[], None],
        file: str = "",
        wifi: Mapping[str, Doing] = MappingProxyType({}),
    ) -> None:
        folder, rules = Path(settings.state_dir), settings.orders
        self.lock = Lock(screen, folder, clock)
        self.wipe = Wipe(
            screen, folder, spool, clock, end, send_s=rules.send_before_wipe_s, keep=frozenset({Path(file)})
        )
        self.by_name: dict[str, Doing] = {
            "ping": PING,
            "identify": Identify(screen, settings.device).doing,
            "wifi_scan": WifiScan().doing,
            "diagnostics": Diagnostics(settings, spool, clock).doing,
            "restart": Restart(settings.supervisor_socket, settings.device, end).doing,
            "reboot": Reboot(rules.reboot).doing,
            "lock": self.lock.lock,
            "unlock": self.lock.unlock,
            "wipe": self.wipe.doing,
            "wifi_end": _NO_GUESTS,
            "disaster": _NO_GUESTS,
            **wifi,
        }
