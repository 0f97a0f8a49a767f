"""A Wi-Fi scan, by programs that stand where NetworkManager and iw would: no machine that tests has a radio."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.orders import networks
from edge_agent.orders.networks import Network
from edge_agent.orders.outcome import Given, Outcome
from edge_agent.orders.wifi_scan import WifiScan
from wire.orders import Nothing

NMCLI = "yakuba:11:78\nguest\\:free:1:40\n:6:20\n"
IW = """BSS 02:00:00:00:00:00(on wlan0)
\tsignal: -42.00 dBm
\tSSID: yakuba
\tDS Parameter set: channel 11
BSS 02:00:00:00:01:00(on wlan0)
\tsignal: -80.00 dBm
\tSSID:
\tHT operation:
\t\t * primary channel: 36
"""
GIVEN = Given("a" * 32, Nothing())


def test_what_nmcli_prints() -> None:
    assert networks.from_nmcli(NMCLI) == [
        Network("yakuba", "11", "78 %"),
        Network("guest:free", "1", "40 %"),
        Network("", "6", "20 %"),
    ]


def test_what_iw_prints() -> None:
    assert networks.from_iw(IW) == [Network("yakuba", "11", "-42.00 dBm"), Network("", "36", "-80.00 dBm")]


@given(st.text(max_size=400))
def test_any_output_can_be_read(text: str) -> None:
    for found in (networks.from_nmcli(text), networks.from_iw("BSS " + text)):
        written = networks.written(found)
        assert all(line.isprintable() for line in written.split("\n"))


def test_a_list_that_is_too_long_says_so() -> None:
    lines = networks.written([Network(str(n), "1", "") for n in range(40)]).splitlines()
    assert (len(lines), lines[-1]) == (26, "… 15")


def _program(folder: Path, name: str, text: str, code: int = 0) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.txt").write_text(text)
    path = folder / name
    path.write_text(f"#!/bin/sh\n/bin/cat {folder / name}.txt\nexit {code}\n")
    path.chmod(0o755)


@pytest.fixture
def net(tmp_path: Path) -> Path:
    """A kernel's list of interfaces with one that is wireless."""
    (tmp_path / "net" / "wlan0" / "wireless").mkdir(parents=True)
    (tmp_path / "net" / "eth0").mkdir()
    return tmp_path / "net"


@pytest.mark.parametrize(
    ("programs", "state", "words"),
    [
        ({"nmcli": (NMCLI, 0)}, "done", "78 %  ch 11  yakuba"),
        ({"nmcli": ("", 8), "iw": (IW, 0)}, "done", "-42.00 dBm  ch 11  yakuba"),
        ({"iw": ("", 1)}, "failed", "no_wifi: iw: 1"),
        ({}, "failed", "no_wifi: iw"),
    ],
)
async def test_the_program_that_is_there_scans(
    tmp_path: Path, net: Path, programs: dict[str, tuple[str, int]], state: str, words: str
) -> None:
    (tmp_path / "bin").mkdir()
    for name, (text, code) in programs.items():
        _program(tmp_path / "bin", name, text, code)
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("PATH", str(tmp_path / "bin"))
        outcome = await WifiScan(net).doing.do(GIVEN)
    assert outcome is not None
    assert outcome.state == state
    assert words in outcome.detail


async def test_without_wifi_it_says_so(tmp_path: Path) -> None:
    assert await WifiScan(tmp_path).doing.do(GIVEN) == Outcome("failed", "no_wifi")
    assert await WifiScan(tmp_path / "none").doing.do(GIVEN) == Outcome("failed", "no_wifi")
