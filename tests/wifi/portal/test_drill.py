"""A drill of the disaster switch is nothing that guests notice: neither in opening hours nor outside of them."""

from pathlib import Path

import msgspec
import pytest

from edge_agent.effective import Effective, Holder
from edge_agent.wifi.guests import Refused
from edge_agent.wifi.task import Wifi
from tests.clock.hand_time import HandTime
from tests.wifi.portal.parts import GUEST, kit
from tests.wifi.sessions.parts import CLICK, AccessPoint, Kernel
from wire.policy import Opening


@pytest.mark.parametrize(("hours", "name"), [("08:00-17:15", "normal"), ("10:00-17:15", "closed")])
async def test_a_drill_opens_no_door_and_closes_none(tmp_path: Path, hours: str, name: str) -> None:
    time = HandTime()
    ap = AccessPoint(tmp_path, time, Kernel(time))
    desk = msgspec.structs.replace(ap.settings.wifi, enforce="nothing", guests="br0")
    rules = Effective(network_name="Town_Free", opening_follows=True, opening=Opening(tuesday=[hours]))
    settings = msgspec.structs.replace(ap.settings, wifi=desk)
    wifi = Wifi(settings, ap.spool, ap.clock, Holder(rules), lambda: False)
    try:
        await wifi.guests.restore()
        wifi.kit.use(msgspec.structs.replace(wifi.kit.kept, incarnation="1" * 32, generation=1, content=kit()))
        assert wifi.mode_of_guests().name == name
        assert (await wifi.modes.drill("a" * 32, 10)).name == "drill"
        assert (wifi.mode_of_guests().name, wifi.mode_of_guests().network_name) == (name, "Town_Free")
        if name == "closed":
            with pytest.raises(Refused, match="closed"):
                await wifi.guests.agree(GUEST, CLICK)
        else:
            assert (await wifi.guests.agree(GUEST, CLICK)).seconds_left == 3600
    finally:
        await wifi.guests.close()
        await ap.guests.close()
        ap.spool.close()
