"""A plan becomes text that the kernel takes, whatever the plan; what is no plan becomes nothing; what is taken back."""

import ipaddress
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from edge_agent.wifi import elements, ruleset
from edge_agent.wifi.commands import Failed, run
from edge_agent.wifi.firewall import Firewall, Limits, NotApplied, Plan
from edge_agent.wifi.ruleset import TABLE
from tests.wifi.enforcement.parts import PLAN
from tests.wifi.netns import SITE, Town, mac, needs_netns

_names = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,14}", fullmatch=True)
_ports = st.integers(1, 65535)
_v4 = st.builds(
    lambda n, length: ipaddress.ip_network((n, length), strict=False), st.integers(0, 2**32 - 1), st.integers(0, 32)
)
_v6 = st.builds(
    lambda n, length: ipaddress.ip_network((n, length), strict=False), st.integers(0, 2**128 - 1), st.integers(0, 128)
)
_own4 = st.builds(
    lambda n, length: f"{ipaddress.IPv4Address(n)}/{length}", st.integers(2**24, 2**32 - 1), st.integers(8, 30)
)
_own6 = st.builds(lambda n: f"{ipaddress.IPv6Address((0xFD << 120) + n)}/64", st.integers(1, 2**120 - 1))
plans = st.builds(
    Plan,
    guests=_names.map(lambda name: f"g{name}"[:15]),
    uplink=_names.map(lambda name: f"u{name}"[:15]),
    ipv4=_own4,
    ipv6=st.just("") | _own6,
    office=st.lists((_v4 | _v6).map(str), max_size=8).map(tuple),
    http_port=_ports,
    https_port=_ports,
    garden=st.booleans(),
    mode=st.sampled_from(["captive", "open", "closed"]),
    garden_http_port=_ports,
    garden_https_port=_ports,
)


@needs_netns
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(plan=plans, before=plans)
def test_every_plan_is_taken_by_the_kernel_after_any_other(bare: None, plan: Plan, before: Plan) -> None:
    for told in (before, plan):
        _nft("-c", ruleset.transaction(told))
        _nft("", ruleset.transaction(told))
    listed = subprocess.run(
        ["nft", "list", "chain", "inet", TABLE, "forward"], capture_output=True, text=True, check=True
    )
    assert f'"{plan.guests}"' in listed.stdout


@given(st.text(max_size=20))
def test_only_a_name_of_an_interface_becomes_part_of_the_text(name: str) -> None:
    if set(name) & set(" \"'{};\n\t@#$\\/") or not 0 < len(name) < 16 or not name.isascii():
        for plan in (replace(PLAN, guests=name), replace(PLAN, uplink=name)):
            with pytest.raises(ValueError):
                ruleset.transaction(plan)


@pytest.mark.parametrize(
    "wrong",
    [
        {"uplink": PLAN.guests},
        {"ipv4": "10.77.0.1/22; flush ruleset"},
        {"ipv4": "fd00::1/64"},
        {"ipv6": "10.77.0.1/22"},
        {"office": ("0.0.0.0/0; drop",)},
        {"office": ("10.1.2.3/8",)},
        {"mode": "disaster"},
        {"http_port": 0},
        {"garden_https_port": 65536},
    ],
)
def test_a_plan_of_bad_values_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        ruleset.transaction(replace(PLAN, **wrong))


@given(st.text(max_size=20) | st.sampled_from(["ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01", "00:00:00:00:00:00"]))
def test_only_an_address_of_one_device_becomes_part_of_the_text(address: str) -> None:
    with pytest.raises(ValueError):
        elements.admission(address, 1, 60)


@pytest.mark.parametrize("mark", [0, -1, 2**32])
def test_only_32_bits_are_a_mark(mark: int) -> None:
    with pytest.raises(ValueError):
        elements.admission("02:00:00:00:00:01", mark, 60)


@needs_netns
async def test_a_plan_that_does_not_stand_its_check_is_taken_back(tmp_path: Path) -> None:
    said = ""

    async def check() -> str:
        return said

    with Town(tmp_path) as town, town.inside("ap"):
        firewall = Firewall(check=check)
        await firewall.apply(PLAN)
        await firewall.admit(mac("c1"), 9, 600)
        assert town.status("c1", f"https://{SITE}/") == "200"
        before, used = await _listed(), await firewall.counters()
        said = "the hub does not answer any more"
        with pytest.raises(NotApplied, match="does not answer"):
            await firewall.apply(replace(PLAN, mode="open", office=()))
        assert await _listed() == before
        assert await firewall.counters() == used
        assert firewall.plan == PLAN
        assert town.status("c1", f"https://{SITE}/") == "200"
        assert town.status("c2", f"https://{SITE}/") == "curl 7"


@needs_netns
async def test_a_first_plan_that_does_not_stand_its_check_leaves_nothing(tmp_path: Path) -> None:
    async def check() -> str:
        return "no"

    with Town(tmp_path) as _town, _town.inside("ap"):
        with pytest.raises(NotApplied):
            await Firewall(check=check).apply(PLAN)
        with pytest.raises(Failed):
            await _listed()


@needs_netns
async def test_rules_that_somebody_changed_are_noticed_and_put_right(tmp_path: Path) -> None:
    with Town(tmp_path) as _town, _town.inside("ap"):
        firewall = Firewall()
        await firewall.apply(PLAN)
        assert not await firewall.drift()
        await run("nft", "insert", "rule", "inet", TABLE, "guests_through", "accept")
        assert await firewall.drift()
        await firewall.apply(PLAN)
        assert not await firewall.drift()


@needs_netns
async def test_sessions_come_back_after_somebody_threw_all_rules_away(tmp_path: Path) -> None:
    with Town(tmp_path) as town, town.inside("ap"):
        firewall = Firewall()
        await firewall.apply(PLAN)
        await firewall.admit(mac("c1"), 9, 600, Limits(50_000, 50_000))
        await firewall.admit(mac("c2"), 10, 600)
        assert town.status("c1", f"https://{SITE}/bytes/100000") == "200"
        used = await firewall.counters()
        await run("nft", "flush", "ruleset")
        await run("tc", "qdisc", "del", "dev", "br0", "root")
        assert await firewall.drift()
        await firewall.apply(PLAN)
        assert await firewall.counters() == used
        assert await firewall.admitted() == {mac("c1"): 9, mac("c2"): 10}
        assert 500 < (await firewall.seconds_left())[9] <= 600
        assert "rate 50Mbit" in await run("tc", "class", "show", "dev", "br0")
        assert town.status("c1", f"https://{SITE}/bytes/100000") == "200"
        assert (await firewall.counters())[9].down_bytes > used[9].down_bytes + 100_000
        assert not await firewall.drift()


@needs_netns
async def test_a_kernel_without_rules_refuses_and_says_so(tmp_path: Path) -> None:
    with Town(tmp_path) as _town, _town.inside("ap"):
        firewall = Firewall()
        for wanted in (firewall.admit(mac("c1"), 9, 600), firewall.prolong(9, 60), firewall.remove(9)):
            with pytest.raises(NotApplied):
                await wanted
        with pytest.raises(NotApplied):
            await firewall.counters()


@needs_netns
async def test_an_uplink_that_is_not_there_yet_is_shaped_once_it_comes(tmp_path: Path) -> None:
    with Town(tmp_path) as town, town.inside("ap"):
        firewall = Firewall()
        await firewall.apply(replace(PLAN, uplink="ppp0"))
        await firewall.admit(mac("c1"), 9, 600, Limits(50_000, 50_000))
        assert firewall.shaping == ""
        assert not await firewall.drift()
        town.must("ap", "ip", "link", "add", "ppp0", "type", "veth", "peer", "name", "ppp1")
        assert await firewall.drift()
        await firewall.apply(replace(PLAN, uplink="ppp0"))
        assert firewall.shaping
        assert "rate 50Mbit" in await run("tc", "class", "show", "dev", "ppp0")


async def _listed() -> str:
    return await run("nft", "-s", "-t", "list", "table", "inet", TABLE)


def _nft(option: str, text: str) -> None:
    done = subprocess.run(
        ["nft", *([option] if option else []), "-f", "-"], input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr + text
