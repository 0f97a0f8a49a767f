"""One tablet and one Chromium for a module: starting them is most of the time."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.chromium import chromium
from tests.tablet.home.parts import GB, PICTURE, TabletProcess, content, now_ms, paper


@pytest.fixture(scope="module")
def tablet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TabletProcess]:
    """A tablet that runs with the hub away: it has a shelf, its files, and used 2.8 of 3 GB this month."""
    folder = tmp_path_factory.mktemp("tablet")
    light = folder / "light"
    light.mkdir()
    (light / "max_brightness").write_text("200\n")
    (light / "brightness").write_text("100\n")
    said, loud = folder / "said", folder / "loud"
    with TabletProcess(
        folder,
        speech=["sh", "-c", f"cat > {said}; echo {{language}} >> {said}; exec sleep 60"],
        sound=["sh", "-c", f"echo {{percent}} >> {loud}"],
        backlight=str(light),
    ) as one:
        one.lay(content(now_ms()), paper(), PICTURE)
        one.used(2_800_000_000, 5 * GB)
        one.start()
        yield one


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium as it is before people: its viewer of papers is there only in the new headless mode."""
    with chromium("--headless=new") as one:
        yield one
