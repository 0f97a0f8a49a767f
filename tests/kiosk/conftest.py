"""One broker, one terminal and one Chromium for a whole journey: starting them is most of the time."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from edge_agent.attendance.punch import duty_day
from tests.broker import Broker, wait_for_port
from tests.chromium import chromium
from tests.kiosk.terminal import DEBOUNCE_S, TARO, Terminal

_AGO_S = DEBOUNCE_S + 30


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal that runs; Taro has clocked in a while ago. There is a broker, and no hub behind it."""
    # At 03:00 in Japan a duty day begins: what happened before it would be no reason to ask.
    while duty_day(_now_ms() - _AGO_S * 1000) != duty_day(_now_ms()):
        time.sleep(1)
    folder = tmp_path_factory.mktemp("terminal")
    with Broker(folder) as broker, Terminal(folder, broker.port) as one:
        one.clocked_in(TARO, ago_s=_AGO_S)
        one.start()
        wait_for_port(one.port, within_s=60)
        yield one


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with chromium() as one:
        yield one


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
