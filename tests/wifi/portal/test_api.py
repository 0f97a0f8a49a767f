"""The captive portal API (RFC 8908) and the probes of phones, captive, released and expired, by IPv4 and IPv6."""

from pathlib import Path

import pytest

from edge_agent.wifi.guests import Normal
from tests.wifi.portal.parts import GUEST, NEIGHBOUR, V4, V6, Hall, hall, kit

HOUR_MS = 3_600_000
# What a system asks for, and what it takes for being online (report, C4).
PROBES = {
    "ios": ("captive.apple.com", "/hotspot-detect.html", 200, "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success"),
    "android": ("connectivitycheck.gstatic.com", "/generate_204", 204, ""),
    "windows": ("www.msftconnecttest.com", "/connecttest.txt", 200, "Microsoft Connect Test"),
    "firefox": ("detectportal.firefox.com", "/canonical.html", 200, "https://support.mozilla.org/kb/captive-portal"),
    "fireos": ("spectrum.s3.amazonaws.com", "/kindle-wifi/wifistub.html", 200, "81ce4465-7167-4dcb-835b-dcc9e44c112a"),
    "networkmanager": ("nmcheck.gnome.org", "/check_network_status.txt", 200, "NetworkManager is online"),
}
OTHERS = [
    ("www.apple.com", "/library/test/success.html", 200),
    ("connectivitycheck.android.com", "/generate_204", 204),
    ("clients3.google.com", "/generate_204", 204),
    ("www.msftncsi.com", "/ncsi.txt", 200),
    ("ipv6.msftconnecttest.com", "/connecttest.txt", 200),
    ("detectportal.firefox.com", "/success.txt?ipv4", 200),
    ("connectivity-check.ubuntu.com", "/", 204),
]


async def _state(one: Hall, state: str) -> None:
    if state != "captive":
        await one.agree("en")
    if state == "expired":
        one.ap.time.pass_ms(HOUR_MS + 1)


@pytest.mark.parametrize("source", [V4, V6])
@pytest.mark.parametrize("state", ["captive", "released", "expired"])
@pytest.mark.parametrize("system", PROBES)
async def test_a_probe_is_answered_as_it_stands(tmp_path: Path, system: str, state: str, source: str) -> None:
    host, path, status, body = PROBES[system]
    async with hall(tmp_path) as one:
        await _state(one, state)
        reply = await one.ask(path, plain=True, host=host, source=source)
        assert reply.headers["cache-control"] == "no-store"
        assert reply.headers["connection"].lower() == "close"
        if state == "released":
            assert reply.status == status
            assert body in reply.text
        else:
            assert (reply.status, reply.headers["location"]) == (302, one.url)
            assert reply.body == b"" or "Success" not in reply.text


@pytest.mark.parametrize(("host", "path", "status"), OTHERS)
async def test_older_and_other_probes_are_known_too(tmp_path: Path, host: str, path: str, status: int) -> None:
    async with hall(tmp_path) as one:
        captive = await one.ask(path, plain=True, host=host)
        assert (captive.status, captive.headers["location"]) == (302, one.url)
        await one.agree("en")
        assert (await one.ask(path, plain=True, host=host)).status == status


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
@pytest.mark.parametrize(
    ("host", "path"),
    [("town.example", "/a?b=c"), ("127.0.0.1", "/"), ("x", "/%0d%0aSet-Cookie:a"), ("x", "//e.example")],
)
async def test_whatever_else_is_asked_for_leads_to_the_portal(
    tmp_path: Path, method: str, host: str, path: str
) -> None:
    async with hall(tmp_path) as one:
        reply = await one.ask(path, plain=True, host=host, method=method)
        assert (reply.status, reply.headers["location"]) == (302, one.url)
        assert "set-cookie" not in reply.headers


async def test_an_absolute_target_and_a_stranger_are_led_there_too(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        raw = b"GET http://captive.apple.com/hotspot-detect.html HTTP/1.1\r\nHost: captive.apple.com\r\n\r\n"
        assert (await one.send(raw, plain=True)).startswith(b"HTTP/1.1 302")
        reply = await one.ask("/generate_204", plain=True, host="clients3.google.com", source="127.0.0.9")
        assert reply.status == 302


async def test_in_a_disaster_a_probe_is_online(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        one.ap.mode = Normal("disaster", "00000JAPAN")
        assert (await one.ask("/generate_204", plain=True, host="clients3.google.com")).status == 204
        said = (await one.api()).said
        assert said["captive"] is False
        assert not {"seconds-remaining", "bytes-remaining"} & set(said)


# ---- the API


@pytest.mark.parametrize("source", [V4, V6])
async def test_the_api_tells_captive_then_what_remains_then_captive(tmp_path: Path, source: str) -> None:
    async with hall(tmp_path) as one:
        venue = "https://town.example/library"
        captive = {"captive": True, "user-portal-url": one.url, "venue-info-url": venue}
        reply = await one.api(source=source)
        assert reply.status == 200
        assert reply.headers["content-type"] == "application/captive+json"
        assert {part.strip() for part in reply.headers["cache-control"].split(",")} == {"private", "no-store"}
        assert "accept" in reply.headers["vary"].lower()
        assert reply.said == captive
        await one.agree("en")
        one.ap.kernel.use(GUEST, 12_345, 1_000_000)
        await one.ap.pass_time(60_000)
        assert (await one.api(source=source)).said == {
            "captive": False,
            "user-portal-url": one.url,
            "venue-info-url": venue,
            "can-extend-session": True,
            "seconds-remaining": 59 * 60,
            "bytes-remaining": 1_000_000_000 - 1_012_345,
        }
        one.ap.time.pass_ms(HOUR_MS)
        assert (await one.api(source=source)).said == captive


async def test_without_limits_nothing_remains_and_the_last_extension_is_said(tmp_path: Path) -> None:
    async with hall(tmp_path, content=kit(venue_url="")) as one:
        one.ap.order(quota_mb=0, extensions=0)
        await one.agree("en")
        said = (await one.api()).said
        assert said == {
            "captive": False,
            "user-portal-url": one.url,
            "can-extend-session": False,
            "seconds-remaining": 3600,
        }


@pytest.mark.parametrize("header", ["text/html", "text/html,application/xhtml+xml,*/*;q=0.8", "application/json;q=0.9"])
async def test_who_does_not_accept_it_is_led_to_the_portal(tmp_path: Path, header: str) -> None:
    async with hall(tmp_path) as one:
        reply = await one.api(header)
        assert (reply.status, reply.headers["location"]) == (302, one.url)
        assert "accept" in reply.headers["vary"].lower()
        assert "no-store" in reply.headers["cache-control"]
        listed = await one.api(f"{header}, application/captive+json;q=0.3")
        assert listed.headers["content-type"] == "application/captive+json"


async def test_no_error_is_a_200(tmp_path: Path) -> None:
    async with hall(tmp_path) as one:
        stranger = await one.api(source="127.0.0.9")
        assert stranger.status == 403
        assert "captive" not in stranger.text.replace("captive+json", "")
        assert (await one.ask("/capport/api", method="POST", form={})).status in (303, 405)
        assert (await one.ask("/capport/api", host="evil.example")).status == 421
        assert (await one.api(source=NEIGHBOUR)).said["captive"] is True
