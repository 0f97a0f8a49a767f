"""Ports: the wanted ones where they are free, the next ones where not, and who is in the way."""

import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioning import ports
from provisioning.ports import Moved, NoFreePort, Ports
from wire.settings_file import BadSetting

PORTS = st.integers(1, 65535)


def _all(chosen: Ports) -> list[int]:
    return [getattr(chosen, name) for name in Ports.__struct_fields__]


def test_what_is_free_stays() -> None:
    assert ports.choose(Ports(), lambda _name, _port: True) == (Ports(), ())


def test_a_taken_port_gives_way_to_the_next_that_is_nobody_s() -> None:
    chosen, moved = ports.choose(Ports(), lambda name, port: (name, port) not in {("hub", 8080), ("broker", 8883)})
    assert (chosen.broker, chosen.hub, chosen.kiosk) == (8884, 8082, 8081)
    assert moved == (Moved("broker", 8883, 8884), Moved("hub", 8080, 8082))


@given(
    st.builds(Ports, *[PORTS] * len(Ports.__struct_fields__)),
    st.sets(st.tuples(st.sampled_from(Ports.__struct_fields__), st.integers(1, 200)), max_size=200),
)
def test_chosen_ports_are_free_and_differ(wanted: Ports, taken: set[tuple[str, int]]) -> None:
    try:
        chosen, moved = ports.choose(wanted, lambda name, port: (name, port) not in taken)
    except NoFreePort:
        assert max(_all(wanted)) > 65000
        return
    assert len(set(_all(chosen))) == len(Ports.__struct_fields__)
    assert not taken & set(zip(Ports.__struct_fields__, _all(chosen), strict=True))
    changed = {name for name in Ports.__struct_fields__ if getattr(wanted, name) != getattr(chosen, name)}
    assert {one.name for one in moved} == changed


def test_none_is_left() -> None:
    with pytest.raises(NoFreePort, match="no port from 65535 on is free for the broker"):
        ports.choose(Ports(broker=65535), lambda name, _port: name != "broker")


def test_a_listener_holds_its_port_by_name() -> None:
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))
        port = listener.getsockname()[1]
        listener.listen()
        assert not ports.is_free("broker", port)
        assert f"(process {os.getpid()})" in ports.holder("broker", port)
    assert ports.is_free("broker", port)
    assert ports.holder("broker", port) == "another program"


def test_udp_and_tcp_do_not_stand_in_each_other_s_way() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as field:
        field.bind(("127.0.0.1", 0))
        port = field.getsockname()[1]
        assert not ports.is_free("field", port)
        assert f"(process {os.getpid()})" in ports.holder("field", port)


def test_ports_are_remembered(tmp_path: Path) -> None:
    file = tmp_path / "town.toml"
    assert ports.recall(file) == Ports()
    ports.remember(file, Ports(hub=9000))
    assert ports.recall(file) == Ports(hub=9000)


def test_a_wrong_port_is_told(tmp_path: Path) -> None:
    file = tmp_path / "town.toml"
    file.write_text("[ports]\nhub = 70000\n")
    with pytest.raises(BadSetting, match=r"town\.toml: ports\.hub: found 70000, expected `int` <= 65535|hub"):
        ports.recall(file)
