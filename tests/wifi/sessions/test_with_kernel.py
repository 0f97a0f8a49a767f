"""Guests with the real packet filter in network namespaces: let in, counted, gone on with after a restart, ended."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from edge_agent.clock import Clock
from edge_agent.effective import Effective, Holder
from edge_agent.settings import Settings
from edge_agent.spool import Spool
from edge_agent.spool_thread import AsyncSpool
from edge_agent.wifi.firewall import Firewall
from edge_agent.wifi.guests import Guests, Normal
from edge_agent.wifi.kit_task import KitHolder
from tests.wifi.enforcement.parts import PLAN
from tests.wifi.netns import WAN4, WAN6, Town, mac, needs_netns
from tests.wifi.sessions.parts import AP, CLICK, files
from wire import codec
from wire.messages import WifiSession

pytestmark = needs_netns
V4, V6 = f"http://{WAN4}/bytes/200000", f"http://[{WAN6}]/bytes/100000"


class Reception:
    """The guests of an access point whose kernel is real."""

    def __init__(self, state: Path) -> None:
        state.mkdir(exist_ok=True)
        self.clock = Clock(state / "good-time")
        self.spool = AsyncSpool(
            lambda: Spool(state / "spool.db", max_bytes=64 << 20, ballast_bytes=1 << 10, stamp=self.clock.stamp)
        )
        settings = Settings(device=AP, kind="access_point", state_dir=str(state))
        self.holder = Holder(Effective())
        self.mode = Normal()
        self.firewall = Firewall()
        kit = KitHolder(settings, self.spool, self.clock)
        self.guests = Guests(settings, self.spool, self.clock, self.holder, self.firewall, kit, lambda: self.mode)

    async def told(self) -> list[WifiSession]:
        """All that was told of sessions."""
        return [codec.decode_body(one.kind, one.body) for one in await self.spool.recent("wifi_session", 1000)]


@contextlib.asynccontextmanager
async def receiving(state: Path) -> AsyncIterator[Reception]:
    """One, as after a start of the agent."""
    one = Reception(state)
    await one.firewall.apply(PLAN)
    await one.guests.restore()
    try:
        yield one
    finally:
        await one.guests.close()
        one.spool.close()


async def test_a_guest_agrees_is_counted_through_a_restart_and_is_ended(tmp_path: Path) -> None:
    with Town(tmp_path) as town, town.inside("ap"):
        async with receiving(tmp_path / "state") as one:
            assert await asyncio.to_thread(town.status, "c1", V4) == "curl 7"
            await asyncio.gather(one.guests.agree(mac("c1"), CLICK), one.guests.agree(mac("c2"), CLICK))
            assert await asyncio.to_thread(town.status, "c1", V4) == "200"
            assert await asyncio.to_thread(town.status, "c1", V6) == "200"
            await one.guests.round()
            before = one.guests.standing(mac("c1"))
            assert before is not None
            assert before.bytes_left is not None
            assert 300_000 < 1_000_000_000 - before.bytes_left < 350_000
        async with receiving(tmp_path / "state") as one:
            now = one.guests.standing(mac("c1"))
            assert now is not None
            assert (now.session, now.bytes_left) == (before.session, before.bytes_left)
            assert await asyncio.to_thread(town.status, "c1", V4) == "200"
            # Another speed for what goes on, without another session.
            one.holder.put(msgspec.structs.replace(one.holder.now, down_kbit=900))
            await one.guests.round()
            assert (await one.guests.extend(mac("c1"))).extensions_left == 2
            assert 3600 < (await one.firewall.seconds_left())[(await one.firewall.admitted())[mac("c1")]] <= 7200
            await one.guests.leave(mac("c1"))
            assert await asyncio.to_thread(town.status, "c1", V4) == "curl 7"
            end = (await one.told())[-1]
            assert (end.session, end.cause) == (before.session, "user")
            assert 500_000 < end.up_bytes + end.down_bytes < 580_000
            # The other one goes on; a house that closes ends all.
            assert await asyncio.to_thread(town.status, "c2", V4) == "200"
            one.mode = Normal("closed")
            await one.guests.round()
            assert await asyncio.to_thread(town.status, "c2", V6) != "200"
            assert [end.cause for end in await one.told() if end.cause] == ["user", "closed"]
            assert await one.firewall.admitted() == {}
            assert await one.firewall.counters() == {}
        assert b"02:00:00:00:00" not in b"".join(path.read_bytes() for path in files(tmp_path / "state"))
