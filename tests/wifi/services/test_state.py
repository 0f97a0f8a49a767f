"""The state of an access point is told when it changes and from time to time; airtime is a difference of counts."""

import asyncio
from pathlib import Path

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.wifi import airtime
from edge_agent.wifi.airtime import Survey
from edge_agent.wifi.state_task import StateTeller
from tests.wifi.services.parts import Kept, make_settings, wifi
from wire.messages import Network, SelfCheck, WifiState

SURVEY = """Survey data from wlan0
	frequency:			2412 MHz
Survey data from wlan0
	frequency:			2437 MHz [in use]
	noise:				-95 dBm
	channel active time:		{active} ms
	channel busy time:		{busy} ms
	channel receive time:		11 ms
"""


def test_airtime_is_the_busy_part_of_the_time_between_two_looks() -> None:
    one, two = (airtime.survey(SURVEY.format(active=a, busy=b)) for a, b in ((1000, 100), (3000, 600)))
    assert (one, two) == (Survey(1000, 100), Survey(3000, 600))
    assert airtime.permille(one, two) == 250
    assert airtime.permille(two, one) is None
    assert airtime.permille(None, one) is None
    assert airtime.survey("") is None
    assert airtime.survey(SURVEY.replace("[in use]", "").format(active=1, busy=1)) is None


@given(st.text())
def test_whatever_iw_says_is_read_or_not(text: str) -> None:
    assert airtime.survey("Survey data from x [in use] channel active time: " + text) is None or "busy" in text


async def test_a_state_is_told_when_it_changes_and_not_for_the_time_of_a_check(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    now = WifiState("normal", (Network("town", on_air=True),), checks=(SelfCheck("portal", ok=True, at_ms=1),))
    states = [
        now,
        msgspec.structs.replace(now, checks=(SelfCheck("portal", ok=True, at_ms=2),)),
        msgspec.structs.replace(now, sessions=1),
        msgspec.structs.replace(now, sessions=1, checks=(SelfCheck("portal", ok=False, at_ms=3),)),
    ]
    coming = iter(states)

    async def gather() -> WifiState:
        return next(coming)

    teller = StateTeller(make_settings(tmp_path, wifi(tmp_path)), kept.spool, kept.clock, gather)
    assert [await teller.look() for _ in states] == [True, False, True, True]
    told = [msgspec.json.decode(r.body, type=WifiState) for r in await kept.spool.recent("wifi_state", 9)]
    assert told == [states[0], states[2], states[3]]
    await asyncio.to_thread(kept.spool.close)


async def test_a_state_that_does_not_change_is_told_again_after_its_time(tmp_path: Path) -> None:
    kept = Kept(tmp_path)

    async def gather() -> WifiState:
        return WifiState("closed")

    told = wifi(tmp_path, tell_every_s=1)
    teller = StateTeller(make_settings(tmp_path, told), kept.spool, kept.clock, gather)
    assert await teller.look()
    async with asyncio.timeout(60):
        while not await teller.look():  # noqa: ASYNC110 (that is the look)
            await asyncio.sleep(0.1)
    await asyncio.to_thread(kept.spool.close)
