"""Which link an interface is, from what the kernel and the name tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.fleet.usage import INTERFACES, Counters, Facts, Link, link_of, usage_of
from wire import codec
from wire.messages import BODY_BYTES


@pytest.mark.parametrize(
    ("name", "facts", "link"),
    [
        ("wlan0", Facts(type=1, devtype="wlan", wireless=True, physical=True), "wifi"),
        ("home", Facts(type=1, wireless=True, physical=True), "wifi"),
        ("eth0", Facts(type=1, driver="bcmgenet", physical=True), "wired"),
        ("enx001122334455", Facts(type=1, driver="lan78xx", physical=True), "wired"),
        ("eth1", Facts(type=1, driver="cdc_ether", physical=True), "mobile"),
        ("wwan0", Facts(type=65534, devtype="wwan", driver="qmi_wwan", physical=True), "mobile"),
        ("wwp0s20f0u4", Facts(type=1, driver="cdc_mbim", physical=True), "mobile"),
        ("ppp0", Facts(type=512), "mobile"),
        ("wg0", Facts(type=65534, devtype="wireguard"), "tunnel"),
        ("tun0", Facts(type=65534, tun=True), "tunnel"),
        ("tap0", Facts(type=1, tun=True), "tunnel"),
        ("sit0", Facts(type=776), "tunnel"),
        ("br0", Facts(type=1, devtype="bridge"), "other"),
        ("eth0.7", Facts(type=1, devtype="vlan"), "other"),
        ("docker0", Facts(type=1, devtype="bridge"), "other"),
        ("veth12ab", Facts(type=1), "other"),
        ("eth0", Facts(type=1), "wired"),
        ("eth0", Facts(), "wired"),
        ("wlan0", Facts(), "wifi"),
        ("ifb0", Facts(type=1), "other"),
        ("can0", Facts(type=280, physical=True), "other"),
    ],
)
def test_link(name: str, facts: Facts, link: Link) -> None:
    assert link_of(name, facts) == link


def test_loopback_is_left_out_by_name_and_by_type() -> None:
    counters = [
        Counters("lo", 1, 1),
        Counters("lo1", 1, 1, Facts(type=772)),
        Counters("eth0", 2**40, 3, Facts(type=1)),
    ]
    (only,) = usage_of(counters).interfaces
    assert (only.name, only.rx_bytes, only.tx_bytes, only.link) == ("eth0", 2**40, 3, "wired")


@given(st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=300))
def test_however_many_interfaces_the_record_fits_and_keeps_the_metered_ones(figures: list[int]) -> None:
    counters = [Counters(f"veth{n}", figure, figure) for n, figure in enumerate(figures)]
    usage = usage_of([*counters, Counters("wwan0", 5, 6, Facts(devtype="wwan"))])
    assert usage.interfaces[0].name == "wwan0"
    assert len(usage.interfaces) == min(INTERFACES, len(figures) + 1)
    raw = codec.encode_body(usage)
    assert len(raw) <= BODY_BYTES
    assert codec.decode_body("usage", raw) == usage
