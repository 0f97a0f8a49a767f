"""The garden: names that may be reached before a login. Keeps where they lead in the kernel's sets, and the way open.

The resolver of guests (dnsmasq) puts what it answers into the same sets; what is looked up here besides keeps them full
where an answer came out of a cache. That a set holds too much opens nothing: see garden_proxy.
"""

import asyncio
import contextlib
import functools
import ipaddress
import logging
import socket
from collections.abc import Callable, Iterable, Sequence

from edge_agent.wifi import elements
from edge_agent.wifi.commands import Failed, run
from edge_agent.wifi.garden_proxy import GardenProxy
from edge_agent.wifi.ruleset import Plan

_log = logging.getLogger(__name__)
_LOOK_EVERY_S = 300.0
_AGAIN_AFTER_S = 10.0


async def keep(plan: Callable[[], Plan | None], names: Callable[[], Sequence[str]], portal: Callable[[], str]) -> None:
    """A loop, until cancelled. What stands for each is asked again and again: a changed garden needs no restart.

    `portal` is the address of the portal's page, empty while there is none.
    """
    fault = ""
    while True:
        now = plan()
        said = ""
        if now is not None and now.garden:
            try:
                await _while_it_stands(now, plan, names, portal)
            except* OSError as errors:
                said = str(errors.exceptions[0])
        if said != fault:
            _log.warning("the garden: %s", said or "is open again")
        fault = said
        await asyncio.sleep(_AGAIN_AFTER_S)


async def _while_it_stands(
    now: Plan, plan: Callable[[], Plan | None], names: Callable[[], Sequence[str]], portal: Callable[[], str]
) -> None:
    """Until the ports, or the networks that are no place to go, are others."""
    async with asyncio.TaskGroup() as tasks:
        works = [
            tasks.create_task(GardenProxy(now, names, portal).serve(), name="garden proxy"),
            tasks.create_task(_look_up(names), name="garden names"),
        ]
        while plan() == now:  # noqa: ASYNC110 (nobody tells when it is another)
            await asyncio.sleep(1)
        for work in works:
            work.cancel()


async def _look_up(names: Callable[[], Sequence[str]]) -> None:
    """Where the names lead, at once and again whenever they change."""
    loop = asyncio.get_running_loop()
    while True:
        told, until_s = tuple(names()), loop.time() + _LOOK_EVERY_S
        with contextlib.suppress(Failed):
            await put(await _addresses(told))
        while tuple(names()) == told and loop.time() < until_s:  # noqa: ASYNC110 (the same)
            await asyncio.sleep(1)


async def put(addresses: Iterable[str]) -> None:
    """Puts addresses into the garden, for an hour from now. Raises Failed."""
    lines = [line for address in addresses for line in elements.garden(address)]
    if lines:
        await run("nft", "-f", "-", given="\n".join(lines))


async def _addresses(names: Iterable[str]) -> list[str]:
    loop = asyncio.get_running_loop()
    found: dict[str, None] = {}
    for name in names:
        # A name that leads nowhere just now is no fault of the garden; it is asked for again.
        with contextlib.suppress(OSError):
            told = await loop.getaddrinfo(name, 443, type=socket.SOCK_STREAM)
            found |= dict.fromkeys(str(ipaddress.ip_address(str(one[4][0]).partition("%")[0])) for one in told)
    return list(found)


@functools.lru_cache(maxsize=4)
def certificate_names(pem: str) -> tuple[str, ...]:
    """Where a client asks whether the portal's certificate was revoked (RFC 8908, section 4: to be let through).

    Names of the OCSP and CRL addresses in all certificates of the chain; none without one. Raises ValueError for what
    is no PEM.
    """
    from urllib.parse import urlsplit

    from cryptography import x509
    from cryptography.x509.oid import AuthorityInformationAccessOID

    found: dict[str, None] = {}
    for certificate in x509.load_pem_x509_certificates(pem.encode()) if pem else ():
        for extension in certificate.extensions:
            value, told = extension.value, []
            if isinstance(value, x509.AuthorityInformationAccess):
                told = [one.access_location for one in value if one.access_method == AuthorityInformationAccessOID.OCSP]
            elif isinstance(value, x509.CRLDistributionPoints):
                told = [name for point in value for name in point.full_name or ()]
            for name in told:
                if isinstance(name, x509.UniformResourceIdentifier) and (host := urlsplit(name.value).hostname):
                    found[host.lower()] = None
    return tuple(found)
