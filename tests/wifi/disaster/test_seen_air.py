"""What a real hostapd sends out, as the evidence of the disaster switch tells it."""

import asyncio
import contextlib
import tempfile
from pathlib import Path

from edge_agent.settings import WifiSettings
from edge_agent.wifi import hostapd_conf, seen_air
from edge_agent.wifi.air import Air
from edge_agent.wifi.hostapd import NoHostapd
from edge_agent.wifi.wanted import OnAir
from tests.wifi.netns import Town, needs_netns
from wire.messages import Network

NAME = '町の"Wi-Fi\\e'


@needs_netns
async def test_the_networks_of_a_real_hostapd_are_seen_by_name(tmp_path: Path) -> None:
    # A socket's path is short.
    with tempfile.TemporaryDirectory(prefix="mw") as short, Town(tmp_path) as town:
        told = WifiSettings(guests="br0", driver="wired", radio="wl0", run_dir=short, hostapd_dir=f"{short}/h")
        Path(told.hostapd_dir).mkdir()  # noqa: ASYNC240 (nothing else runs)
        air = Air(told)
        assert await seen_air.networks(air, {}) == ()
        for name in ("wl0", "wl0_dis"):
            town.must("ap", "ip", "link", "add", name, "type", "veth", "peer", "name", f"{name}p")
            town.must("ap", "ip", "link", "set", name, "up")
        town.popen("ap", "hostapd", "-g", f"{told.hostapd_dir}/global", log=tmp_path / "hostapd.log")
        async with asyncio.timeout(60):
            while True:
                with contextlib.suppress(NoHostapd):
                    await air.interfaces()
                    break
                await asyncio.sleep(0.1)
        networks = [OnAir(NAME), OnAir("00000JAPAN", "disaster")]
        await air.put(hostapd_conf.files(networks, told, None))
        found = await seen_air.networks(air, {NAME: "wpa3", "00000JAPAN": "open"})
        assert found == (
            Network(NAME, on_air=True, security="wpa3"),
            Network("00000JAPAN", on_air=True, security="open"),
        )
        air.close()
