"""The browser's policies from what was ordered, and a real Chromium that goes by them."""

import asyncio
import http.server
import json
import os
import subprocess
import threading
from pathlib import Path

import pytest
from playwright.sync_api import Error, sync_playwright

from edge_agent.clock import Clock
from edge_agent.effective import Effective, Holder
from edge_agent.settings import TabletSettings
from edge_agent.tablet import browser_task
from edge_agent.tablet.browser_policy import FILE, is_quiet, policies
from tests.chromium import CHROMIUM, FLAGS
from tests.clock.hand_time import HandTime

OWN = "http://127.0.0.1:8091"


def test_without_a_list_every_site_opens() -> None:
    found = policies(Effective(), OWN, quiet=False)
    assert "URLBlocklist" not in found
    assert found["RestoreOnStartupURLs"] == [OWN]
    assert found["HomepageLocation"] == OWN


def test_with_a_list_only_these_and_the_tablets_own_page_open() -> None:
    now = Effective(allowed=("town.example.jp",), home=("https://news.example.jp/",))
    found = policies(now, OWN, quiet=False)
    assert found["URLBlocklist"] == ["*"]
    assert found["URLAllowlist"] == [OWN, "https://news.example.jp/", "town.example.jp"]
    assert found["HomepageLocation"] == "https://news.example.jp/"


def test_in_quiet_hours_only_the_tablets_own_page_opens() -> None:
    for now in (Effective(), Effective(allowed=("town.example.jp",))):
        found = policies(now, OWN, quiet=True)
        assert (found["URLBlocklist"], found["URLAllowlist"]) == (["*"], [OWN])


@pytest.mark.parametrize(
    ("quiet_from", "quiet_until", "minute", "quiet"),
    [
        ("", "", 0, False),
        ("21:00", "", 1300, False),
        ("21:00", "21:00", 1260, False),
        ("21:00", "07:00", 1259, False),
        ("21:00", "07:00", 1260, True),
        ("21:00", "07:00", 0, True),
        ("21:00", "07:00", 419, True),
        ("21:00", "07:00", 420, False),
        ("12:00", "13:00", 720, True),
        ("12:00", "13:00", 780, False),
    ],
)
def test_quiet_hours_reach_over_midnight(quiet_from: str, quiet_until: str, minute: int, quiet: bool) -> None:
    assert is_quiet(Effective(quiet_from=quiet_from, quiet_until=quiet_until), minute) is quiet


async def test_the_file_follows_the_order_and_the_hour_and_is_mended(tmp_path: Path) -> None:
    time_ = HandTime()
    clock = Clock(tmp_path / "good-time", time_)
    holder = Holder(Effective(quiet_from="21:00", quiet_until="07:00"))
    folder = tmp_path / "managed"
    folder.mkdir()
    rules = TabletSettings(port=8091, browser_policies=str(folder))
    running = asyncio.create_task(browser_task.run(rules, clock, holder, look_s=0.02))

    async def until_says(key: str, wanted: object) -> None:
        async with asyncio.timeout(60):
            while _read(folder).get(key) != wanted:  # noqa: ASYNC110 (a file tells nobody)
                await asyncio.sleep(0.01)

    await until_says("HomepageLocation", OWN)
    assert "URLBlocklist" not in _read(folder)
    assert (folder / FILE).stat().st_mode & 0o777 == 0o644
    # 08:24 and twelve hours and 36 minutes: it is 21:00.
    time_.pass_ms((12 * 60 + 36) * 60_000)
    await until_says("URLAllowlist", [OWN])
    (folder / FILE).write_text("{}")
    await until_says("URLBlocklist", ["*"])
    holder.put(Effective(allowed=("town.example.jp",)))
    await until_says("URLAllowlist", [OWN, "town.example.jp"])
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


def _read(folder: Path) -> dict[str, object]:
    try:
        found: dict[str, object] = json.loads((folder / FILE).read_text())
    except (OSError, ValueError):
        return {}
    return found


def _can_mount() -> bool:
    tried = subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True)
    return os.geteuid() == 0 and tried.returncode == 0 and Path("/etc/chromium/policies").is_dir()


class _Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(f"<p>served to {self.headers['Host']}</p>".encode())

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.mark.skipif(not _can_mount(), reason="this kernel lets nobody mount a folder of policies for one browser alone")
def test_a_real_browser_goes_by_them(tmp_path: Path) -> None:
    """With the folder of its policies mounted where Chromium looks for it: only what is allowed opens."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Site) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        port = site.server_address[1]
        own = f"http://127.0.0.1:{port}"
        folder = tmp_path / "policies"
        (folder / "managed").mkdir(parents=True)
        document = policies(Effective(allowed=("good.localhost",)), own, quiet=False)
        # Whoever tests needs the tools that a resident's browser does not have.
        for name in ("DeveloperToolsAvailability", "IncognitoModeAvailability"):
            del document[name]
        (folder / "managed" / FILE).write_text(json.dumps(document))
        shown = _shown(tmp_path, folder, {host: f"http://{host}:{port}/" for host in _HOSTS})
        site.shutdown()
    opened = [host for host in _HOSTS if "served to" in shown[host]]
    assert opened == ["127.0.0.1", "good.localhost", "sub.good.localhost"]
    assert "ERR_BLOCKED_BY_ADMINISTRATOR" in shown["bad.localhost"]


_HOSTS = ("127.0.0.1", "good.localhost", "sub.good.localhost", "bad.localhost")


def _shown(folder: Path, policies_folder: Path, addresses: dict[str, str]) -> dict[str, str]:
    """What Chromium shows at each address, or why not, with these policies and no others."""
    program = folder / "chromium"
    program.write_text(
        f"#!/bin/sh\nexec unshare --mount sh -c 'mount --bind {policies_folder} /etc/chromium/policies"
        f' && exec {CHROMIUM} "$@"\' sh "$@"\n'
    )
    program.chmod(0o700)
    found = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*FLAGS, "--headless=new"])
        page = browser.new_page()
        for name, address in addresses.items():
            try:
                page.goto(address)
                found[name] = page.inner_text("body")
            except Error as error:
                found[name] = error.message
        browser.close()
    return found
