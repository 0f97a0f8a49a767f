"""The portal's certificate: the kit's, checked by a client that knows the town's root; a new one counts at once."""

import asyncio
import logging
import ssl
from pathlib import Path

import pytest

from edge_agent.wifi.portal_tls import Certificates
from tests.wifi.portal.parts import PORTAL, V4, Hall, certificate, hall, kit, trusting
from tests.wifi.sessions.parts import give_kit
from wire.kit import KitContent


async def _serial(one: Hall) -> str:
    """The number of the certificate that a new connection is shown."""
    _, writer = await one.connect()
    found = writer.get_extra_info("peercert")
    assert found["subjectAltName"] == (("DNS", PORTAL),)
    writer.close()
    return str(found["serialNumber"])


async def test_a_new_certificate_counts_without_a_restart(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        reader, kept = await one.connect()
        first = await _serial(one)
        assert await _serial(one) == first
        give_kit(one.ap, kit())
        assert await _serial(one) != first
        # Who is being answered is not cut off.
        kept.write(b"GET /en/ HTTP/1.1\r\nHost: portal.town.example\r\nConnection: close\r\n\r\n")
        async with asyncio.timeout(60):
            assert (await reader.read()).startswith(b"HTTP/1.1 200")
        kept.close()


async def test_one_that_cannot_be_used_changes_nothing_and_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with hall(tmp_path) as one:
        first = await _serial(one)
        chain, _ = certificate()
        _, other_key = certificate()
        for chain_now, key in ((chain, other_key), ("no certificate", "no key"), ("", "")):
            caplog.clear()
            give_kit(one.ap, kit(chain=chain_now, key=key))
            assert [await _serial(one), await _serial(one)] == [first, first]
            told = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
            assert len(told) == 1
            assert "KEY" not in told[0]


async def test_old_versions_and_other_names_are_refused(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        old = trusting()
        old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        with pytest.warns(DeprecationWarning, match="TLSVersion.TLSv1_1 is deprecated"):
            old.maximum_version = ssl.TLSVersion.TLSv1_1
        for context, name in ((old, PORTAL), (trusting(), "other.example"), (ssl.create_default_context(), PORTAL)):
            # The portal's word why, or its end of the connection, whichever comes first.
            with pytest.raises((ssl.SSLError, ConnectionResetError)):
                await asyncio.open_connection("127.0.0.1", one.https, ssl=context, server_hostname=name)
        assert (await one.ask("/en/", source=V4)).status == 200


def test_before_a_kit_there_is_none(tmp_path: Path) -> None:
    now: list[KitContent | None] = [None]
    certificates = Certificates(lambda: now[0])
    assert certificates.now() is None
    now[0] = kit()
    assert certificates.now() is certificates.now() is not None
    now[0] = None
    # A kit that is gone leaves the page of the session of those who are on.
    assert certificates.now() is not None
