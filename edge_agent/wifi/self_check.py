"""Loop: what an access point tries on itself, from a guest's place: not what is set, but what comes of it.

A device of its own (a pair of interfaces, one end in a network namespace) joins the guests' bridge for some seconds,
as a captive guest: is told the portal's address three ways, asks for its name, knocks at port 443 and at the office.

| check      | well when                                                                     |
| isolation  | every port of the guests' bridge is isolated, or the kernel's rules part them |
| option_114, option_103, option_37 | the URI that is told there is the one wanted           |
| captive_443 | a captive device is turned away at once, and by nobody else's certificate    |
| office     | no network of the office answers                                              |
| dns        | the portal's name leads to this device                                        |
| portal     | the portal answers with a certificate for its name that is valid now          |
| clock      | the kernel's clock is synchronised                                            |
| hostapd, dnsmasq, advert | they run, and take what they are told                           |
"""

import asyncio
import contextlib
import ipaddress
import json
import os
import ssl
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from edge_agent.clock import Clock
from edge_agent.settings import WifiSettings
from edge_agent.wifi import commands, dnsmasq_conf
from edge_agent.wifi.dnsmasq_conf import BadServices
from edge_agent.wifi.services import Services
from wire.messages import SelfCheck

_EVERY_S = 300.0
_SOON_S = 20.0
_PLACES, _PORT, _DEVICE = "mk-guest-", "mkg0", "mkg1"
_PLACE = f"{_PLACES}{os.getpid()}"
_ANSWER_S = 10.0
_OFFICES = 4

View = Mapping[str, Any]
# (what is well or not, why not): the name, and an empty text when it is well.
Findings = list[tuple[str, str]]


class SelfChecks:
    """The checks of one access point; `now` are the last ones. `captive` says whether guests have to agree first."""

    def __init__(self, wifi: WifiSettings, services: Services, clock: Clock, captive: Callable[[], bool]) -> None:
        self._wifi, self._services, self._clock, self._captive = wifi, services, clock, captive
        self.now: tuple[SelfCheck, ...] = ()

    async def run(self) -> None:
        """Checks soon after the start and every few minutes, until cancelled."""
        if not self._services.stands:
            return
        await asyncio.sleep(_SOON_S)
        while True:
            await self.look()
            await asyncio.sleep(_EVERY_S)

    async def look(self) -> tuple[SelfCheck, ...]:
        """One round of all checks."""
        found = [("isolation", await isolation(self._wifi.guests)), *await self._seen_by_a_guest()]
        found.append(("clock", "" if self._clock.quality() == "synced" else "not synchronised"))
        faults = self._services.faults.now
        found += [
            (name, "it is away, or refuses" if name in faults else "") for name in ("hostapd", "dnsmasq", "advert")
        ]
        at_ms = self._clock.now_ms()
        self.now = tuple(SelfCheck(name, not why, at_ms, why[:200]) for name, why in found)
        return self.now

    async def _seen_by_a_guest(self) -> Findings:
        wanted = self._services.wanted
        found: Findings = []
        try:
            own = dnsmasq_conf.pool(self._wifi.ipv4).own
        except BadServices as error:
            return [("guest", str(error))]
        if wanted.portal_host:
            found.append(("portal", await portal(own, self._wifi.https_port, wanted.portal_host)))
        try:
            view = await guest_view(self._wifi, wanted.portal_host)
        except (commands.Failed, ValueError) as error:
            return [*found, ("guest", str(error))]
        return found + judged(view, wanted.uri, own if wanted.portal_host else "", captive=self._captive())


def judged(view: View, uri: str, portal_address: str, *, captive: bool) -> Findings:
    """What a guest saw, against what it should have seen."""
    found: Findings = [
        (f"option_{option}", "" if view[option] == uri else f"{view[option] or 'nothing'} is told")
        for option in ("114", "103", "37")
        if option in view and uri
    ]
    if portal_address:
        found.append(("dns", "" if view["dns"] == portal_address else f"{view['dns'] or 'no answer'}"))
    if captive:
        # No way at all is no interception either: the uplink is away.
        knocked = [view[key] for key in ("443", "443v6") if key in view]
        wrong = [came for came in knocked if came not in ("refused", "no way")]
        found.append(("captive_443", f"443 is {wrong[0]}" if wrong else ""))
    reached = [address for address, came in view["office"].items() if came == "open"]
    found.append(("office", f"{', '.join(reached)} answers a guest" if reached else ""))
    return found


async def guest_view(wifi: WifiSettings, host: str) -> View:
    """What a device in a guest's place sees. Raises commands.Failed, ValueError."""
    pool = dnsmasq_conf.pool(wifi.ipv4)
    length = wifi.ipv4.rpartition("/")[2]
    six = str(ipaddress.IPv6Interface(wifi.ipv6).ip) if wifi.ipv6 else "-"
    await _leave()
    try:
        await _take_place(wifi.guests, f"{pool.probe}/{length}", pool.own, six)
        words = (_DEVICE, pool.probe, pool.own, six, host or "localhost", *_offices(wifi))
        program = (sys.executable, "-m", "edge_agent.wifi.guest_view", *words)
        view = json.loads(await commands.run("ip", "netns", "exec", _PLACE, *program))
    finally:
        await _leave()
    if not isinstance(view, dict):
        raise ValueError("the guest's place says nothing")  # noqa: TRY004 (an answer, not an argument)
    return view


async def _take_place(bridge: str, own: str, router: str, router6: str) -> None:
    inside = ("ip", "-n", _PLACE)
    await commands.run("ip", "netns", "add", _PLACE)
    await commands.run("ip", "link", "add", _PORT, "type", "veth", "peer", "name", _DEVICE, "netns", _PLACE)
    await commands.run("ip", "link", "set", _PORT, "master", bridge, "up")
    await commands.run("bridge", "link", "set", "dev", _PORT, "isolated", "on")
    await commands.run(*inside, "link", "set", "lo", "up")
    await commands.run(*inside, "link", "set", _DEVICE, "up")
    await commands.run(*inside, "addr", "add", own, "dev", _DEVICE)
    await commands.run(*inside, "route", "add", "default", "via", router)
    # Its own addresses come from the advertisement; the way out is set, so that a refusal is seen without one.
    if router6 != "-":
        with contextlib.suppress(commands.Failed):
            await commands.run(*inside, "route", "add", "::/0", "via", router6, "dev", _DEVICE, "onlink")


async def _leave() -> None:
    """Also from places of an agent that was killed in one."""
    await _quietly("ip", "link", "delete", _PORT)
    names = (line.split()[0] for line in (await _quietly("ip", "netns", "list")).splitlines() if line.strip())
    for name in names:
        if name == _PLACE or (name.startswith(_PLACES) and not _lives(name.removeprefix(_PLACES))):
            await _quietly("ip", "netns", "delete", name)


async def _quietly(*words: str) -> str:
    with contextlib.suppress(commands.Failed):
        return await commands.run(*words)
    return ""


def _lives(pid: str) -> bool:
    return Path("/proc", pid).exists()


def _offices(wifi: WifiSettings) -> list[str]:
    """An address of each network of the office that is not the guests' own."""
    own = ipaddress.ip_network(wifi.ipv4, strict=False)
    networks = [network for network in map(ipaddress.ip_network, wifi.office) if isinstance(network, type(own))]
    firsts = (next(iter(network.hosts())) for network in networks if not network.overlaps(own) or network != own)
    return [str(address) for address in firsts if address not in own][:_OFFICES]


async def isolation(bridge: str) -> str:
    """Why guests could see each other; empty when they cannot."""
    try:
        if "table bridge machinaka" in await commands.run("nft", "list", "tables"):
            return ""
        told = json.loads(await commands.run("bridge", "-j", "-d", "link", "show"))
    except (commands.Failed, ValueError) as error:
        return str(error)
    open_ports = [one.get("ifname") for one in told if one.get("master") == bridge and not one.get("isolated")]
    return f"not isolated: {', '.join(map(str, open_ports))}" if open_ports else ""


async def portal(address: str, port: int, host: str) -> str:
    """What is wrong with the portal and its certificate, as a browser would find; empty when nothing is.

    Who vouches for the certificate is the browser's to say.
    """
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(_ANSWER_S):
            _, writer = await asyncio.open_connection(address, port, ssl=context, server_hostname=host)
    except (OSError, TimeoutError) as error:
        return f"no answer: {type(error).__name__}"
    try:
        shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    finally:
        writer.close()
    return certificate_fault(shown, host, datetime.now(UTC))


def certificate_fault(shown: bytes, host: str, now: datetime) -> str:
    """Why a certificate (DER) does not do for a name at a moment; empty when it does."""
    from cryptography import x509

    try:
        certificate = x509.load_der_x509_certificate(shown)
    except ValueError:
        return "a certificate that cannot be read"
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        return f"the certificate is valid until {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return "the certificate is for no name"
    known = extension.value.get_values_for_type(x509.DNSName)
    return "" if host in known else f"the certificate is for {', '.join(known)[:100]}"
