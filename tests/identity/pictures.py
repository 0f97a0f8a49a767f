"""Pictures of these pages, filled: `python -m tests.identity.pictures FOLDER`."""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page

from tests.chromium import chromium
from tests.identity.parts import OwnTown, ask_of
from tests.login import second
from tests.login.parts import HASHED, PASSWORD
from tests.pages.browser import serious, sign_in, too_wide


def fill(town: OwnTown) -> None:
    """Devices in every state."""
    for name in ("genkan-tablet", "kominkan-tablet"):
        town.ask(ask_of(name, town.invite(name).code))
    town.invite("toshokan-tablet")


def main() -> None:
    """Takes them all."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        town = OwnTown(Path(place))
        with town.broker, town.hub, chromium() as browser:
            second.add_to(town.hub, "hanako", "administrator", HASHED)
            context = browser.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=True)
            page = context.new_page()
            sign_in(page, town.hub.url, "hanako", PASSWORD)
            _shoot(page, town, folder, "empty", "/devices/enrol")
            _shoot(page, town, folder, "register-empty", "/settings/identity")
            fill(town)
            page.goto(town.hub.url + "/devices/enrol")
            page.click("details summary")
            page.fill("#serial", "10000000a3f41b7c")
            page.fill("#as", "tablet-12")
            page.select_option("#as-kind", "tablet")
            page.click("details button.main")
            town.ask(ask_of("tablet-12", serial="10000000a3f41b7c"))
            for name, path in (
                ("enrol", "/devices/enrol"),
                ("register", "/settings/identity"),
                ("device", "/settings/identity/genkan-tablet"),
            ):
                _shoot(page, town, folder, name, path)
            page.click("#revoke ~ form button")
            _picture(page, folder, "revoke")
            page.click("button[name=confirm]")
            page.wait_for_selector("table")
            _picture(page, folder, "revoked")
            page.goto(town.hub.url + "/devices/enrol")
            page.fill("#device", "tablet-77")
            page.click("section[aria-labelledby=code] form.narrow button.main")
            _picture(page, folder, "code")


def _shoot(page: Page, town: OwnTown, folder: Path, name: str, path: str) -> None:
    for language in ("ja", "en"):
        page.goto(f"{town.hub.url}/language/{language}?next={path}")
        _picture(page, folder, f"{name}-{language}")


def _picture(page: Page, folder: Path, name: str) -> None:
    for width in (360, 1440):
        page.set_viewport_size({"width": width, "height": 800})
        page.screenshot(path=folder / f"{name}-{width}.png", full_page=True)
        print(name, width, too_wide(page), serious(page))


if __name__ == "__main__":
    main()
