"""How a tablet is: told when that changes, and not when it only trembles."""

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec import structs

from edge_agent.clock import Clock
from edge_agent.spool import Spool
from edge_agent.spool_thread import AsyncSpool
from edge_agent.tablet.bus import Heard
from edge_agent.tablet.state_task import StateTask, is_news
from tests.clock.hand_time import HandTime
from wire import codec
from wire.tablet import Modem, TabletState

MODEM = Modem("wwan0", "8981", "connected", "Docomo", "4G", signal_percent=70)
STATE = TabletState(battery_percent=80, charging=False, modems=(MODEM,), online_by="mobile", content_bytes=9)


@pytest.mark.parametrize(
    ("changed", "news"),
    [
        (structs.replace(STATE), False),
        (structs.replace(STATE, battery_percent=76), False),
        (structs.replace(STATE, battery_percent=75), True),
        (structs.replace(STATE, battery_percent=None), True),
        (structs.replace(STATE, charging=True), True),
        (structs.replace(STATE, content_bytes=10), False),
        (structs.replace(STATE, content_missing=1), True),
        (structs.replace(STATE, online_by="wifi"), True),
        (structs.replace(STATE, modems=()), True),
        (structs.replace(STATE, modems=(structs.replace(MODEM, signal_percent=51),)), False),
        (structs.replace(STATE, modems=(structs.replace(MODEM, signal_percent=50),)), True),
        (structs.replace(STATE, modems=(structs.replace(MODEM, sim="8982"),)), True),
    ],
)
def test_what_trembles_is_no_news(changed: TabletState, news: bool) -> None:
    assert is_news(STATE, changed) is news


class _Shelf:
    """What a library says of its files."""

    content_bytes, missing = 1234, 2


async def test_it_is_told_once_and_again_after_an_hour(tmp_path: Path) -> None:
    time_ = HandTime()
    clock = Clock(tmp_path / "good-time", time_)
    spool = AsyncSpool(lambda: Spool(tmp_path / "spool.db", max_bytes=1 << 22, ballast_bytes=0, stamp=clock.stamp))
    heard = [Heard((MODEM,), "mobile")]

    async def hear() -> Heard:
        return heard[0]

    text_size: Callable[[], str] = lambda: "large"  # noqa: E731 (a name for the type's sake)
    task = StateTask(spool, clock, hear, _Shelf(), text_size, sys=tmp_path)
    await task.look()
    await task.look()
    heard[0] = Heard((MODEM,), "wifi")
    await task.look()
    time_.pass_ms(3_600_000)
    await task.look()
    told: list[TabletState] = [
        codec.decode_body("tablet_state", one.body) for one in await spool.recent("tablet_state", 9)
    ]
    assert [one.online_by for one in told] == ["mobile", "wifi", "wifi"]
    assert told[0] == TabletState(
        modems=(MODEM,), online_by="mobile", content_bytes=1234, content_missing=2, text_size="large"
    )
    spool.close()
