"""A phone's browser before the portal: real Chromium at 360 px, the portal on a loop of another thread."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from playwright.sync_api import Browser, Page

from tests.chromium import AXE, chromium
from tests.wifi.portal.parts import PORTAL, Hall, hall
from wire.kit import KitContent

T = TypeVar("T")

PHONE = {"width": 360, "height": 640}


class Beside:
    """A hall on a loop of its own; `do` runs something there."""

    def __init__(self, one: Hall, loop: asyncio.AbstractEventLoop) -> None:
        self.hall, self._loop = one, loop

    def do(self, work: Callable[[], Awaitable[T]]) -> T:
        """Runs on the portal's loop and waits for it."""

        async def awaited() -> T:
            return await work()

        return asyncio.run_coroutine_threadsafe(awaited(), self._loop).result(60)

    def order(self, **values: object) -> None:
        """The town's rules are others now."""

        async def ordered() -> None:
            self.hall.ap.order(**values)

        self.do(ordered)


@contextlib.contextmanager
def beside(state: Path, content: KitContent | None = None, *, with_kit: bool = True) -> Iterator[Beside]:
    """A portal for the length of a `with`, beside a browser that blocks this thread."""
    ready, over = threading.Event(), threading.Event()
    made: list[Beside] = []

    async def live() -> None:
        async with hall(state, content=content, with_kit=with_kit) as one:
            made.append(Beside(one, asyncio.get_running_loop()))
            ready.set()
            await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=asyncio.run, args=(live(),), name="portal")
    thread.start()
    try:
        assert ready.wait(60)
        yield made[0]
    finally:
        over.set()
        thread.join(60)


@contextlib.contextmanager
def phone_browser() -> Iterator[Browser]:
    """A browser for which the portal's name leads to this machine."""
    with chromium(f"--host-resolver-rules=MAP {PORTAL} 127.0.0.1") as browser:
        yield browser


def phone(browser: Browser, *, language: str = "ja-JP", script: bool = False, dark: bool = False) -> Page:
    """A phone's page of 360 x 640, by default without JavaScript. The certificate is looked at in test_tls.py."""
    context = browser.new_context(
        viewport=PHONE,  # type: ignore[arg-type]
        locale=language,
        color_scheme="dark" if dark else "light",
        java_script_enabled=script,
        ignore_https_errors=True,
        bypass_csp=script,
        device_scale_factor=1,
    )
    page = context.new_page()
    page.set_default_timeout(60_000)
    return page


def findings(page: Page) -> list[str]:
    """Everything that axe-core finds in the page."""
    if not page.evaluate("() => 'axe' in window"):
        page.add_script_tag(path=AXE)
    found: list[dict[str, Any]] = page.evaluate("async () => (await axe.run()).violations")
    return [f"{one['id']}: {json.dumps([node['target'] for node in one['nodes']])}" for one in found]
