"""Loop: hostapd, dnsmasq and router advertisements, made to be as wanted and kept so.

1. All texts are made and checked (`dnsmasq --test`) before any is laid: a change that fails changes nothing (NotLaid).
2. Files are written whole, for their owner only; dnsmasq is restarted, hostapd told network by network.
3. Every few seconds what lies there and what is on the air is compared with what was laid. What was changed by others
   is an alarm (`wifi_drift`), and is put back.
4. A program that is away is a fault that is expected: it is tried again at each round, and said once.
"""

import asyncio
import contextlib
import logging
import os
import secrets
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from edge_agent.clock import Clock
from edge_agent.policy.keep import write_whole
from edge_agent.settings import Settings
from edge_agent.spool import SpoolFull
from edge_agent.spool_thread import AsyncSpool
from edge_agent.wifi import commands, dnsmasq_conf, hostapd_conf
from edge_agent.wifi.advert_task import Adverts
from edge_agent.wifi.air import Air, NotTaken
from edge_agent.wifi.dnsmasq_conf import BadServices
from edge_agent.wifi.faults import Faults
from edge_agent.wifi.hostapd import NoHostapd, Refused
from edge_agent.wifi.hostapd_conf import BadNetwork, Radius
from edge_agent.wifi.programs import NotRunning, Programs, Supervised
from edge_agent.wifi.wanted import OnAir, Wanted
from wire.messages import Alarm

__all__ = ["NotLaid", "OnAir", "Services", "Wanted"]

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 10.0
_ALARM = "wifi_drift"
_DETAIL = 200


class NotLaid(Exception):
    """A change that cannot be; everything is as it was before. One sentence, without a secret."""


class _Texts(msgspec.Struct, frozen=True):
    dnsmasq: str
    air: dict[str, str]


class Services:
    """The services of one access point. `apply` for each change, `run` as a task; one event loop."""

    def __init__(
        self,
        settings: Settings,
        spool: AsyncSpool,
        clock: Clock,
        *,
        programs: Programs | None = None,
        resolv_file: str = "",
        radius_ports: tuple[int, int] = (hostapd_conf.ACCOUNTING_PORT, hostapd_conf.DISCONNECT_PORT),
        look_every_s: float = _LOOK_EVERY_S,
    ) -> None:
        self._wifi, self._device = settings.wifi, settings.device
        self._spool, self._clock = spool, clock
        self._programs = programs or Supervised(settings.supervisor_socket, settings.device)
        self._resolv_file, self._ports, self._look_every_s = resolv_file, radius_ports, look_every_s
        self._folder = Path(settings.wifi.run_dir)
        self._turn = asyncio.Lock()
        self._making = threading.Lock()
        self._texts: _Texts | None = None
        self._drifted = False
        self.wanted = Wanted()
        self.air = Air(settings.wifi)
        self.faults = Faults("the access point's services")
        self._adverts = Adverts(settings.wifi, self.faults)

    @property
    def stands(self) -> bool:
        """Whether this device receives guests at all."""
        return bool(self._wifi.guests)

    @property
    def own_secret(self) -> str:
        """What hostapd and the accounting receiver share; of this boot, and of its owner only."""
        path = self._folder / "loopback.secret"
        # Two threads may ask at the same time, and have to be given the same.
        with self._making:
            if found := _read(path):
                return found
            made = secrets.token_hex(16)
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_whole(path, made.encode())
            return made

    async def apply(self, wanted: Wanted) -> None:
        """From now on so. Raises NotLaid: then it is as it was."""
        if not self.stands:
            self.wanted = wanted
            return
        async with self._turn:
            texts = await self._checked(wanted)
            before, self._texts = self._texts, texts
            try:
                await self._lay()
            except NotTaken as error:
                self._texts = before
                if before is not None:
                    with contextlib.suppress(NotTaken):
                        await self._lay()
                raise NotLaid(str(error)) from error
            self.wanted = wanted
            self._adverts.tell(wanted.uri)

    async def rehearse(self, wanted: Wanted) -> tuple[str, ...]:
        """What `apply` would lay, line by line, made and checked but not laid. Raises NotLaid."""
        texts = await self._checked(wanted) if self.stands else _Texts("", {})
        networks = [
            f"network {one.name}: {'802.1X' if one.role == 'staff' else one.security}" for one in wanted.networks
        ]
        files = [f"hostapd-{name}.conf: {len(text.splitlines())} lines" for name, text in texts.air.items()]
        told = [f"options 114, 103 and 37: {wanted.uri}"] if wanted.uri else []
        return (*networks, *files, *told, *(["dnsmasq.conf: checked"] if texts.dnsmasq else []))

    async def run(self) -> None:
        """Keeps it so, and advertises, until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._adverts.run(), name="adverts")
                tasks.create_task(self._keep(), name="drift")
        finally:
            self.air.close()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self._look_every_s)
            await self.look()

    async def look(self) -> None:
        """One round: what was changed by others is told and put back; what was away is tried again."""
        async with self._turn:
            if self._texts is None:
                return
            strays = await self._strays(self._texts)
            await self._tell(strays)
            with contextlib.suppress(NotTaken):
                await self._lay()

    async def _checked(self, wanted: Wanted) -> _Texts:
        """Raises NotLaid."""
        try:
            radius = await asyncio.to_thread(self._radius, wanted)
            air = hostapd_conf.files(wanted.networks, self._wifi, radius)
            text = dnsmasq_conf.text(wanted, self._wifi, resolv_file=self._resolv_file)
        except (BadNetwork, BadServices) as error:
            raise NotLaid(str(error)) from error
        except OSError as error:
            raise NotLaid(f"{self._folder}: {error.strerror}") from error
        await self._try_dnsmasq(text)
        return _Texts(text, air)

    def _radius(self, wanted: Wanted) -> Radius | None:
        if not any(network.role == "staff" for network in wanted.networks):
            return None
        return Radius(self._wifi.radius_server, wanted.radius_secret, self.own_secret, self._device, *self._ports)

    async def _try_dnsmasq(self, text: str) -> None:
        trial = self._folder / f"dnsmasq-trial-{os.getpid()}.conf"
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            await asyncio.to_thread(write_whole, trial, text.encode())
            await commands.run("dnsmasq", "--test", f"--conf-file={trial}")
        except OSError as error:
            raise NotLaid(f"{self._folder}: {error.strerror}") from error
        except commands.Failed as error:
            raise NotLaid(str(error).replace(str(trial), "dnsmasq.conf")) from error
        finally:
            trial.unlink(missing_ok=True)

    async def _lay(self) -> None:
        """Everything as the texts say; what is away is a fault, and waits for the next round. Raises NotTaken."""
        texts = self._texts
        if texts is None:
            return
        try:
            await self._lay_dnsmasq(texts.dnsmasq)
            self.faults.end("dnsmasq")
        except (OSError, NotRunning) as error:
            self.faults.begin("dnsmasq", str(error))
        try:
            await self.air.put(texts.air)
            self.faults.end("hostapd")
        except (OSError, NoHostapd, Refused) as error:
            self.faults.begin("hostapd", str(error))
        except NotTaken as error:
            self.faults.begin("hostapd", str(error))
            raise

    async def _lay_dnsmasq(self, text: str) -> None:
        path = self._folder / "dnsmasq.conf"
        if _read(path) != text:
            await asyncio.to_thread(write_whole, path, text.encode())
            await self._programs.restart("dnsmasq")
        elif not await self._programs.runs("dnsmasq"):
            await self._programs.restart("dnsmasq")

    async def _strays(self, texts: _Texts) -> list[str]:
        strays = ["dnsmasq.conf"] if _read(self._folder / "dnsmasq.conf") != texts.dnsmasq else []
        with contextlib.suppress(NoHostapd, Refused, OSError):
            strays += await self.air.strays(texts.air)
        return strays

    async def _tell(self, strays: Sequence[str]) -> None:
        """The alarm begins with what was found, and ends with the first round that finds nothing."""
        if bool(strays) == self._drifted:
            return
        detail = "; ".join(strays)[:_DETAIL]
        log.warning("changed by others: %s", detail or "nothing any more")
        alarm = Alarm(_ALARM, "begun" if strays else "ended", detail)
        # A full disk: it is offered again at the next round.
        with contextlib.suppress(SpoolFull):
            await self._spool.append("alarm", alarm, self._clock.stamp())
            self._drifted = bool(strays)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
