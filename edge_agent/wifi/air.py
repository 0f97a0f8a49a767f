"""Access: the networks on the air: a file for each, and hostapd made to go by them.

1. hostapd starts without a network; each is added by name over its global control socket, and taken away so. A network
   that stays is not disturbed by one that comes or goes: beginning the disaster network cuts nobody's session.
2. What is on the air is compared with what should be: the file, whether hostapd has it, and the name it sends out.
   A network that nobody wanted is taken off.
3. A network that hostapd does not take is not laid: the one before comes back.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from pathlib import Path

from edge_agent.policy.keep import write_whole
from edge_agent.settings import WifiSettings
from edge_agent.wifi import commands, hostapd_conf
from edge_agent.wifi.hostapd import Hostapd, NoHostapd, Refused

# interface -> the text of its file
Texts = Mapping[str, str]


class NotTaken(Exception):
    """hostapd did not take a network; the sentence names its interface."""


class Air:
    """hostapd's networks. Methods raise NoHostapd where hostapd is away."""

    def __init__(self, wifi: WifiSettings) -> None:
        self._wifi = wifi
        self._folder = Path(wifi.run_dir)
        self._whole = Hostapd(Path(wifi.hostapd_dir), "", self._folder)
        self._each: dict[str, Hostapd] = {}

    def control(self, interface: str) -> Hostapd:
        """The control socket of one network."""
        if interface not in self._each:
            self._each[interface] = Hostapd(Path(self._wifi.hostapd_dir), interface, self._folder)
        return self._each[interface]

    async def interfaces(self) -> tuple[str, ...]:
        """Those that hostapd has now. Raises NoHostapd."""
        return tuple((await self._whole.ask("INTERFACES")).split())

    async def strays(self, texts: Texts) -> list[str]:
        """What is not as these texts say, in words; a hostapd that has just started has no network, and is no stray.

        Raises NoHostapd.
        """
        found = [self._path(name).name for name in texts if self._read(name) != texts[name]]
        there = await self.interfaces()
        found += [f"{name}: on the air, wanted by nobody" for name in there if name not in texts]
        for name in there:
            if name in texts and await self._is_other(name, texts[name]):
                found.append(f"{name}: another name on the air")
        return found

    async def put(self, texts: Texts) -> None:
        """From now on these. What is as it should be goes on undisturbed. Raises NoHostapd, NotTaken."""
        before = {name: self._read(name) for name in texts}
        there = await self.interfaces()
        for name in there:
            if name not in texts or before[name] != texts[name] or await self._is_other(name, texts[name]):
                await self._take_off(name)
        self._forget_others(texts)
        refused = [name for name in texts if not await self._bring(name, texts[name], before[name])]
        if refused:
            raise NotTaken(f"hostapd does not take {', '.join(refused)}")

    async def _is_other(self, name: str, text: str) -> bool:
        """Whether another name than this text's is sent out; a hostapd that goes away meanwhile says nothing."""
        try:
            return (await self.control(name).status()).get("ssid[0]", "") != hostapd_conf.ssid_of(text)
        except (NoHostapd, Refused):
            return False

    async def _bring(self, name: str, text: str, before: str) -> bool:
        """On the air with this text, or with the one before: whether it is the former."""
        if before != text:
            await asyncio.to_thread(write_whole, self._path(name), text.encode())
        # Taking off the first network of a radio takes the others with it: asked anew each time.
        if name in await self.interfaces() or await self._add(name):
            return True
        if before and before != text:
            await asyncio.to_thread(write_whole, self._path(name), before.encode())
            await self._add(name)
        return False

    async def _add(self, name: str) -> bool:
        phy = Path("/sys/class/net", self._wifi.radio, "phy80211", "name")
        await self._make_interface(name)
        where = name
        with contextlib.suppress(OSError):
            where = (await asyncio.to_thread(phy.read_text, encoding="ascii")).strip()
        try:
            await self._whole.ask(f"ADD bss_config={where}:{self._path(name)}")
        except Refused:
            return False
        return True

    async def _make_interface(self, name: str) -> None:
        """A radio has its first interface only; further ones are made. hostapd says what is wrong when this fails."""
        there = await asyncio.to_thread(Path("/sys/class/net", name).exists)
        if self._wifi.driver == "nl80211" and not there:  # hardware only
            with contextlib.suppress(commands.Failed):
                await commands.run("iw", "dev", self._wifi.radio, "interface", "add", name, "type", "__ap")

    async def _take_off(self, name: str) -> None:
        with contextlib.suppress(Refused):
            await self._whole.ask(f"REMOVE {name}")
        if (control := self._each.pop(name, None)) is not None:
            control.close()

    def _forget_others(self, texts: Texts) -> None:
        for path in self._folder.glob("hostapd-*.conf"):
            if path.name not in {self._path(name).name for name in texts}:
                path.unlink(missing_ok=True)

    def _path(self, name: str) -> Path:
        return self._folder / f"hostapd-{name}.conf"

    def _read(self, name: str) -> str:
        try:
            return self._path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return ""

    def close(self) -> None:
        """Gives the sockets back."""
        for control in (self._whole, *self._each.values()):
            control.close()
