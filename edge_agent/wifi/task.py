"""Everything that an access point does for guests, put together; and the loop that keeps it as the town wants it.

1. The policy, the mode and the kit say what is wanted: a plan for the kernel, services on the air, a portal's name.
2. What is wanted is brought about in this order: the kernel's rules first, then the services, so that nothing is on the
   air before it is enforced.
3. What cannot be brought about is said once, stays as it was, and is tried again.
4. Guests come back by themselves: whoever hostapd hears come is looked up before the phone asks.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import msgspec

from edge_agent.clock import Clock
from edge_agent.effective import Holder
from edge_agent.orders.outcome import Doing
from edge_agent.orders.seen import Seen
from edge_agent.settings import Settings
from edge_agent.spool_thread import AsyncSpool
from edge_agent.wifi import capport, garden, portal, seen_air
from edge_agent.wifi.button import Button
from edge_agent.wifi.disaster import Mode
from edge_agent.wifi.disaster_doing import DisasterDoing
from edge_agent.wifi.faults import Faults
from edge_agent.wifi.firewall import Firewall, NotApplied
from edge_agent.wifi.guests import Guests, Normal
from edge_agent.wifi.kit_task import KitHolder
from edge_agent.wifi.mode_task import Air, Modes
from edge_agent.wifi.nothing import Nothing
from edge_agent.wifi.radius_task import NoAnswer, Radius
from edge_agent.wifi.ruleset import Plan
from edge_agent.wifi.self_check import SelfChecks
from edge_agent.wifi.services import NotLaid, Services
from edge_agent.wifi.standing import Standing
from edge_agent.wifi.state_task import StateTeller
from edge_agent.wifi.wanted import Wanted, wanted
from edge_agent.wifi.wifi_end_doing import WifiEnd
from wire.messages import Network, Order, WifiState

_AGAIN_AFTER_S = 30.0
# How often it is looked whether somebody else changed the kernel's rules.
_DRIFT_EVERY_S = 30.0


class Wifi:
    """One access point's guests. `works` are tasks of the agent, `doings` what it can be ordered to do."""

    def __init__(
        self,
        settings: Settings,
        spool: AsyncSpool,
        clock: Clock,
        holder: Holder,
        online: Callable[[], bool],
        barred: Callable[[], bool] = lambda: False,
    ) -> None:
        self._settings, self._holder, self._clock, self._online = settings, holder, clock, online
        self.on_desk = settings.wifi.enforce == "nothing"
        self.kit = KitHolder(settings, spool, clock, barred)
        self.firewall: Firewall | Nothing = Nothing() if self.on_desk else Firewall()
        self.services = Services(_without_guests(settings) if self.on_desk else settings, spool, clock)
        self.modes = Modes(settings, spool, clock, holder, look=self._air, rehearse=self._rehearse)
        self.guests = Guests(settings, spool, clock, holder, self.firewall, self.kit, self.mode_of_guests)
        self.radius = Radius(spool, clock, self.kit.day_key, lambda: self.services.own_secret)
        self._stands = asyncio.Event()
        self._changed = asyncio.Event()
        self._faults = Faults("guests' network")
        self._standing: Standing | None = None
        self._state = StateTeller(settings, spool, clock, self.state)
        self._checks = SelfChecks(settings.wifi, self.services, clock, self._is_captive)
        holder.watch(lambda _: self._changed.set())
        self.modes.watch(lambda _: self._mode_changed())
        self.kit.watch(lambda _: self._changed.set())

    @property
    def doings(self) -> dict[str, Doing]:
        """What only an access point can be ordered to do."""
        end = WifiEnd([lambda session: self.guests.end(session, "admin"), self._end_staff])
        return {"disaster": DisasterDoing(self.modes).doing, "wifi_end": end.doing}

    def works(self, seen: Seen) -> list[Coroutine[Any, Any, None]]:
        """The loops, each until cancelled. `seen` are the orders that were carried out once."""
        works = [self.kit.run(), self._keep_in_step(), self.modes.run(), self._receive(), self._state.run()]
        if self._settings.wifi.button:
            self._standing = Standing(self._settings, self._clock, seen, self.modes, self._standing_order)
            works.append(Button(self._settings.wifi.button, self._standing.use, self.modes).run())
        if self.on_desk:
            # Nothing of this machine is touched: no services, no stations, no staff, no garden.
            return works
        names = garden.keep(lambda: self.firewall.plan, self._garden, self._portal_page)
        return [*works, self.services.run(), self.radius.run(), self._greet(), names, self._checks.run()]

    def _is_captive(self) -> bool:
        """Whether a device that comes has to agree first."""
        return self.modes.now.guests == "captive"

    def _garden(self) -> tuple[str, ...]:
        """Names that are open before a login: the town's, and where the portal's certificate is asked about."""
        kit = self.kit.now
        return (*self._holder.now.garden, *(garden.certificate_names(kit.chain) if kit else ()))

    def _portal_page(self) -> str:
        return self._on_portal("/")

    def _on_portal(self, path: str) -> str:
        """An address of the portal; empty while it has no name."""
        kit, port = self.kit.now, self._settings.wifi.https_port
        return f"https://{kit.portal_host}{'' if port == 443 else f':{port}'}{path}" if kit else ""

    def _standing_order(self) -> Order | None:
        return self.kit.now.standing if self.kit.now else None

    # ---- what is wanted

    def mode_of_guests(self) -> Normal:
        """The mode as guests meet it: a drill changes nothing for them, also where the house is closed meanwhile."""
        now = self.modes.now
        return Normal(now.on_air, now.network_name)

    def plan(self, mode: Mode) -> Plan:
        """How the kernel is to treat guests' packets."""
        wifi = self._settings.wifi
        return Plan(
            wifi.guests,
            wifi.uplink or "uplink",
            wifi.ipv4,
            wifi.ipv6,
            wifi.office,
            wifi.http_port,
            wifi.https_port,
            garden=bool(self._garden()),
            mode=mode.guests,
        )

    def wanted(self, mode: Mode) -> Wanted:
        """What the services are to be."""
        kit = self.kit.now
        return wanted(
            self._holder.now,
            mode.on_air,
            mode.network_name,
            portal_host=kit.portal_host if kit else "",
            api_uri=self._on_portal(capport.PATH),
            radius_secret=kit.radius_secret if kit else "",
        )

    # ---- loops

    async def _keep_in_step(self) -> None:
        """Brings about what is wanted, whenever that changes, and again when others changed what stands."""
        while True:
            self._changed.clear()
            mode = self.modes.now
            done = await self._enforce(mode)
            if done:
                # Guests are received even where a service does not come up: what is on the air is enforced.
                self._stands.set()
                done = await self._serve(mode)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_DRIFT_EVERY_S if done else _AGAIN_AFTER_S):
                    await self._changed.wait()

    async def _enforce(self, mode: Mode) -> bool:
        """The kernel's rules as planned; whether they are."""
        try:
            plan = self.plan(mode)
            if plan != self.firewall.plan or await self.firewall.drift():
                await self.firewall.apply(plan)
                self._state.wake()
        except (NotApplied, ValueError, OSError) as error:
            self._faults.begin("firewall", str(error))
            self._state.wake()
            return False
        self._faults.end("firewall")
        return True

    async def _serve(self, mode: Mode) -> bool:
        """The services as wanted; whether they are."""
        try:
            if (services := self.wanted(mode)) != self.services.wanted:
                await self.services.apply(services)
                self._state.wake()
        except (NotLaid, ValueError, OSError) as error:
            self._faults.begin("services", str(error))
            self._state.wake()
            return False
        self._faults.end("services")
        return True

    async def _receive(self) -> None:
        """Guests, once the rules stand."""
        await self._stands.wait()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.guests.run(), name="guests")
            tasks.create_task(self._show_portal(), name="portal")

    async def _show_portal(self) -> None:
        await portal.run(
            self._settings.wifi,
            self.guests,
            self.kit,
            self._holder,
            mode=self.mode_of_guests,
            online=self._online,
            clock=self._clock,
        )

    async def _greet(self) -> None:
        """Whoever comes on the air and is known is let in before the phone asks."""
        async for event in self.services.air.control(self._settings.wifi.radio).events():
            if event.name == "AP-STA-CONNECTED" and event.address:
                await self.guests.arrive(event.address)

    async def _end_staff(self, session: str) -> bool:
        try:
            return await self.radius.disconnect(session)
        except NoAnswer:
            return False

    def _mode_changed(self) -> None:
        self._changed.set()
        self.guests.stir()

    # ---- what is seen

    async def _air(self) -> Air:
        networks: tuple[Network, ...] = ()
        if not self.on_desk:
            made = self.services.wanted.networks
            security = {one.name: "802.1X" if one.role == "staff" else one.security for one in made}
            networks = await seen_air.networks(self.services.air, security)
        return Air(networks, self.guests.count)

    async def state(self) -> WifiState:
        """How the access point is now, as the hub is told."""
        kit, (incarnation, generation) = self.kit.now, self.kit.followed
        networks = (await self._air()).networks
        stations = sum(one.stations for one in networks)
        return WifiState(
            self.modes.now.name,
            networks,
            sessions=self.guests.count,
            captive=max(0, stations - self.guests.count),
            shaping=self.firewall.shaping,
            checks=self._checks.now,
            faults=(*self._faults.now, *(() if kit else ("kit",)), *self.services.faults.now, *self.radius.faults.now),
            terms=kit.terms.version if kit else "",
            kit=generation,
            kit_incarnation=incarnation,
        )

    async def _rehearse(self, mode: Mode) -> Sequence[str]:
        button = await self._standing.rehearse() if self._standing else []
        try:
            return [*button, *await self.services.rehearse(self.wanted(mode))]
        except NotLaid as error:
            return [*button, f"would_fail: {error}"]


def _without_guests(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, wifi=msgspec.structs.replace(settings.wifi, guests=""))
