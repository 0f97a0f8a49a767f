"""How soon a guest who presses the button is through: over TLS, the portal, the disk and the kernel, on the whole of an
access point (the real agent with its hub and broker), to the first byte of a site on the internet.
"""

import re
import time
from collections.abc import Callable

from benchmarks.measured import Benchmark, Claim, Measured, NotHere, Place, Side, percentile
from tests.wifi.journey.bed import PORTAL, Point, fields
from tests.wifi.netns import SITE, missing

# One process, so that starting programs is no part of what is measured: the form, the press, and tries until one is
# through; each transfer writes its time line.
_LINE = "%{http_code} %{time_total}\\n"


def consent(place: Place) -> Measured:
    """From the press to the first page of a site."""
    if why := missing():
        raise NotHere(why)
    took_ms, pages_bytes = [], 0
    with Point(place.fresh) as point:
        point.comes("c1")
        for _ in range(place.size(20, 2)):
            page = point.asks("c1", f"https://{PORTAL}/ja/").stdout
            pages_bytes = max(pages_bytes, len(page.encode()))
            took_ms.append(_press(point, page))
            assert point.presses("c1", "leave")
            _until(lambda: not point.is_let_in("c1"))
    return {
        "median_ms": percentile(took_ms, 0.5),
        "p95_ms": percentile(took_ms, 0.95),
        "page_kb": pages_bytes / 1000,
    }


def _press(point: Point, page: str) -> float:
    """One curl that presses the button and then asks for a site again and again; the time until it was answered."""
    given = [word for name, value in fields(page, "agree").items() for word in ("--data-urlencode", f"{name}={value}")]
    quiet = ("-o", "/dev/null", "-w", _LINE)
    words = [*quiet, *given, f"https://{PORTAL}/ja/agree"]
    for _ in range(20):
        words += ["--next", "-sS", "--max-time", "2", *quiet, f"http://{SITE}/"]
    found = re.findall(r"^(\d+) ([0-9.]+)$", point.asks("c1", *words, patience_s=60).stdout, re.MULTILINE)
    total_s = 0.0
    for code, took_s in found:
        total_s += float(took_s)
        if code == "200":
            return total_s * 1000
    raise AssertionError(f"nobody was let through: {found}")


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)


BENCHMARK = Benchmark(
    title="From the press of the button to the internet",
    about="One guest after the other presses 同意して使う and asks for a site until it answers.",
    sides=(Side("a guest", consent),),
    claims=(
        Claim("through after, median", lambda found: found["a guest"]["median_ms"], "at most", 300, ("a guest",), "ms"),
        Claim("the portal's first page", lambda found: found["a guest"]["page_kb"], "at most", 30, ("a guest",), "kB"),
    ),
    rounds=1,
)
