"""What a device tells of itself, from folders laid out as kernels have them."""

import base64
from pathlib import Path

import msgspec
import pytest
from cryptography.x509 import load_pem_x509_certificate
from hypothesis import given
from hypothesis import strategies as st

from edge_agent import validity
from edge_agent.fleet.inventory import inventory, is_news
from tests.certificates import pki
from wire import codec, x509
from wire.messages import Inventory

PI = {
    "proc/device-tree/model": "Raspberry Pi 4 Model B Rev 1.5\0",
    "proc/device-tree/serial-number": "10000000a1b2c3d4\0",
    "etc/os-release": 'ID=debian\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
    "proc/sys/kernel/osrelease": "6.6.31+rpt-rpi-v8\n",
    "sys/class/net/eth0/address": "dc:a6:32:01:02:03\n",
    "sys/block/mmcblk0/device/life_time": "0x01 0x03\n",
    "sys/block/mmcblk1/device/type": "SD\n",
}


def lay(root: Path, files: dict[str, str]) -> Path:
    """Files with these texts."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_a_raspberry_pi(tmp_path: Path) -> None:
    found = inventory(lay(tmp_path, PI), tmp_path / "none", "0.1.0")
    assert found == Inventory(
        "Raspberry Pi 4 Model B Rev 1.5",
        "10000000a1b2c3d4",
        "Debian GNU/Linux 12 (bookworm), Linux 6.6.31+rpt-rpi-v8",
        "0.1.0",
        300,
    )
    assert codec.decode_body("inventory", codec.encode_body(found)) == found


def test_a_tablet_with_a_battery(tmp_path: Path) -> None:
    dmi = "sys/class/dmi/id"
    supply = "sys/class/power_supply"
    files = {
        f"{dmi}/product_name": "Latitude 7230\n",
        f"{dmi}/product_serial": "7X1ABC3\n",
        f"{supply}/AC/type": "Mains\n",
        f"{supply}/hid-mouse/type": "Battery\n",
        f"{supply}/hid-mouse/scope": "Device\n",
        f"{supply}/hid-mouse/capacity": "11\n",
        f"{supply}/BAT0/type": "Battery\n",
        f"{supply}/BAT0/capacity": "87\n",
        f"{supply}/BAT0/cycle_count": "212\n",
    }
    found = inventory(lay(tmp_path, files), tmp_path, "")
    assert (found.model, found.serial) == ("Latitude 7230", "7X1ABC3")
    assert (found.battery_permille, found.battery_cycles, found.storage_wear_permille) == (870, 212, None)
    # Firmware that does not count.
    lay(tmp_path, {f"{supply}/BAT0/cycle_count": "0\n", f"{supply}/BAT0/capacity": "101\n"})
    found = inventory(tmp_path, tmp_path, "")
    assert (found.battery_permille, found.battery_cycles) == (1000, None)


def test_a_machine_that_tells_nothing(tmp_path: Path) -> None:
    assert inventory(tmp_path, tmp_path, "1") == Inventory(version="1")


@pytest.mark.parametrize("fill_in", ["To Be Filled By O.E.M.", "Default string", "0000000000", " \0", "None", "0-0"])
def test_what_makers_leave_in_is_no_serial_number(tmp_path: Path, fill_in: str) -> None:
    dmi = "sys/class/dmi/id"
    lay(tmp_path, {f"{dmi}/product_serial": fill_in, f"{dmi}/board_serial": "REAL1"})
    assert inventory(tmp_path, tmp_path, "").serial == "REAL1"


def test_a_network_address_is_never_told_as_a_serial_number(tmp_path: Path) -> None:
    dmi = "sys/class/dmi/id"
    lay(tmp_path, {f"{dmi}/product_serial": "DCA632010203\n", "sys/class/net/eth0/address": "dc:a6:32:01:02:03\n"})
    assert inventory(tmp_path, tmp_path, "").serial == ""


@pytest.mark.parametrize(
    ("life_time", "wear"),
    [("0x00 0x00", None), ("0x01 0x01", 100), ("0x0b 0x02", 1100), ("0xff 0x01", 1100), ("", None), ("new", None)],
)
def test_wear_is_in_steps_of_a_tenth(tmp_path: Path, life_time: str, wear: int | None) -> None:
    lay(tmp_path, {"sys/block/mmcblk0/device/life_time": life_time + "\n"})
    assert inventory(tmp_path, tmp_path, "").storage_wear_permille == wear


def test_texts_are_kept_short_and_plain(tmp_path: Path) -> None:
    lay(tmp_path, {"proc/device-tree/model": "x\x1b[31m\n" + "y" * 999, "etc/os-release": "PRETTY_NAME=" + "z" * 999})
    found = inventory(tmp_path, tmp_path, "v" * 999)
    assert found.model == "x[31m" + "y" * 195
    assert max(map(len, (found.system, found.version))) == 200


@pytest.mark.parametrize("days", [1, 90, 12_000])
def test_the_end_is_what_the_library_reads(tmp_path: Path, days: int) -> None:
    # Beyond 2049 a time is written otherwise.
    folder = pki().identity("terminal-1", tmp_path / "identity", days=days)
    chain = (folder / "certificate.pem").read_bytes()
    assert validity.end_ms(chain) == x509.end_ms(load_pem_x509_certificate(chain))
    assert inventory(tmp_path, folder, "").certificate_end_ms == validity.end_ms(chain)


@given(st.binary(max_size=300))
def test_no_bytes_make_it_fail_otherwise_than_told(data: bytes) -> None:
    for pem in (data, b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(data) + b"\n-----END CERTIFICATE-----"):
        with pytest.raises(ValueError):
            validity.end_ms(pem)


@given(st.data())
def test_a_certificate_with_any_byte_changed_is_read_or_refused(data: st.DataObject) -> None:
    pem = x509.pem(pki().root.certificate)
    der = bytearray(base64.b64decode(b"".join(pem.split(b"\n")[1:-2])))
    der[data.draw(st.integers(0, len(der) - 1))] = data.draw(st.integers(0, 255))
    changed = b"-----BEGIN CERTIFICATE-----\n" + base64.b64encode(der) + b"\n-----END CERTIFICATE-----"
    try:
        assert isinstance(validity.end_ms(changed), int)
    except ValueError:
        return


def test_news_is_a_start_a_change_and_a_tenth_of_the_charge() -> None:
    told = Inventory(model="x", battery_permille=500)
    assert is_news(None, told)
    assert not is_news(told, told)
    assert not is_news(told, msgspec.structs.replace(told, battery_permille=420))
    assert is_news(told, msgspec.structs.replace(told, battery_permille=400))
    assert is_news(told, msgspec.structs.replace(told, battery_permille=None))
    assert is_news(told, msgspec.structs.replace(told, certificate_end_ms=1))
