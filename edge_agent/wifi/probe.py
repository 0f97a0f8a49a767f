"""Rule: what phones and computers ask for to see whether they are online, and what they then expect.

1. A captive device is never answered 200 or 204: it is led to the portal, and no answer may be kept.
2. A released device that asks here all the same (its connection is older than its session) gets its maker's own answer.
"""

from typing import NamedTuple

_APPLE = "<HTML><HEAD><TITLE>Success</TITLE></HEAD><BODY>Success</BODY></HTML>"
_FIREFOX = '<meta http-equiv="refresh" content="0;url=https://support.mozilla.org/kb/captive-portal"/>'
_KINDLE = (
    "<html><head><title>Kindle Reachability Probe Page</title></head>"
    "<body>81ce4465-7167-4dcb-835b-dcc9e44c112a</body></html>"
)


class Success(NamedTuple):
    """What a system takes for being online."""

    status: int
    content_type: str
    body: str


_NOTHING = Success(204, "", "")
_OF_PATH: dict[tuple[str, str], Success] = {
    # iOS, iPadOS, macOS
    ("captive.apple.com", "/hotspot-detect.html"): Success(200, "text/html", _APPLE),
    ("captive.apple.com", "/"): Success(200, "text/html", _APPLE),
    ("www.apple.com", "/library/test/success.html"): Success(200, "text/html", _APPLE),
    # Android, ChromeOS
    ("connectivitycheck.gstatic.com", "/generate_204"): _NOTHING,
    ("connectivitycheck.android.com", "/generate_204"): _NOTHING,
    ("clients3.google.com", "/generate_204"): _NOTHING,
    ("www.google.com", "/gen_204"): _NOTHING,
    ("www.google.com", "/generate_204"): _NOTHING,
    ("play.googleapis.com", "/generate_204"): _NOTHING,
    # Windows
    ("www.msftconnecttest.com", "/connecttest.txt"): Success(200, "text/plain", "Microsoft Connect Test"),
    ("ipv6.msftconnecttest.com", "/connecttest.txt"): Success(200, "text/plain", "Microsoft Connect Test"),
    ("www.msftncsi.com", "/ncsi.txt"): Success(200, "text/plain", "Microsoft NCSI"),
    ("ipv6.msftncsi.com", "/ncsi.txt"): Success(200, "text/plain", "Microsoft NCSI"),
    # Firefox
    ("detectportal.firefox.com", "/canonical.html"): Success(200, "text/html", _FIREFOX),
    ("detectportal.firefox.com", "/success.txt"): Success(200, "text/plain", "success\n"),
    # Fire OS
    ("spectrum.s3.amazonaws.com", "/kindle-wifi/wifistub.html"): Success(200, "text/html", _KINDLE),
    # NetworkManager
    ("nmcheck.gnome.org", "/check_network_status.txt"): Success(200, "text/plain", "NetworkManager is online\n"),
    ("connectivity-check.ubuntu.com", "/"): _NOTHING,
}


def expected(host: str, path: str) -> Success | None:
    """What the system that asks for this expects when it is online; None when it is nobody's probe.

    `host` may have a port and any case; what follows a question mark is not looked at (Firefox: `?ipv4`).
    """
    name = host.lower().split(":", 1)[0].rstrip(".")
    return _OF_PATH.get((name, path.split("?", 1)[0]))
