"""Access: what this machine is made of, from /proc, /sys, /etc and its identity.  Every call here may block.

1. What the machine does not tell is absent, never a guess: vendors' fill-ins are no serial number.
2. A serial number that is one of the machine's network addresses is not told: a MAC address can be followed about.
3. Wear is told by the kernel for eMMC alone (JEDEC JESD84-B51, EXT_CSD 268 and 269, in steps of a tenth).
   SD cards do not tell it, and NVMe only by a command that needs root.
4. A battery's charge moves all day; it is news once it moved by a tenth.
"""

import re
from pathlib import Path

import msgspec

from edge_agent import validity
from wire.messages import Inventory

_TEXT_LENGTH = 200
_CHARGE_STEP_PERMILLE = 100
_WEAR_MOST_PERMILLE = 1100
# What board makers leave in the firmware's table.
_FILL_INS = frozenset(
    {"to be filled by o.e.m.", "default string", "system serial number", "system product name", "not specified"}
    | {"not applicable", "none", "n/a", "unknown", "invalid", "oem", "0123456789", "123456789", "1234567890"}
)
_PRETTY_NAME = re.compile(r"""^PRETTY_NAME=["']?(.*?)["']?\s*$""", re.MULTILINE)


def inventory(root: Path, identity: Path, version: str) -> Inventory:
    """What the machine is made of; `root` is where /proc, /sys and /etc lie, `identity` the folder of its certificate.

    Never raises for what a machine may lack.
    """
    charge, cycles = _battery(root / "sys/class/power_supply")
    dmi = root / "sys/class/dmi/id"
    return Inventory(
        model=_first(root / "proc/device-tree/model", dmi / "product_name"),
        serial=serial_number(root),
        system=_system(root),
        version=version[:_TEXT_LENGTH],
        storage_wear_permille=_wear(root / "sys/block"),
        battery_permille=charge,
        battery_cycles=cycles,
        certificate_end_ms=_certificate_end(identity / "certificate.pem"),
    )


def is_news(told: Inventory | None, found: Inventory) -> bool:
    """Whether the hub should hear of it: the first since the start, or a change."""
    if told is None:
        return True
    if (told.battery_permille is None) != (found.battery_permille is None):
        return True
    if abs((told.battery_permille or 0) - (found.battery_permille or 0)) >= _CHARGE_STEP_PERMILLE:
        return True
    return msgspec.structs.replace(found, battery_permille=told.battery_permille) != told


def _first(*files: Path) -> str:
    """The first of these that says something."""
    for file in files:
        text = _word(file)
        if text.strip("0-. ") and text.lower() not in _FILL_INS:
            return text
    return ""


def serial_number(root: Path) -> str:
    """The machine's own; empty when it tells none."""
    dmi = root / "sys/class/dmi/id"
    serial = _first(root / "proc/device-tree/serial-number", dmi / "product_serial", dmi / "board_serial")
    addresses = {_signs(_word(file)) for file in root.glob("sys/class/net/*/address")}
    return "" if _signs(serial) in addresses else serial


def _signs(text: str) -> str:
    return re.sub("[^0-9a-z]", "", text.lower())


def _system(root: Path) -> str:
    name = _PRETTY_NAME.search(_text(root / "etc/os-release") or _text(root / "usr/lib/os-release"))
    kernel = _word(root / "proc/sys/kernel/osrelease")
    return ", ".join(part for part in (name[1] if name else "", kernel and f"Linux {kernel}") if part)[:_TEXT_LENGTH]


def _wear(blocks: Path) -> int | None:
    """The most worn memory's; `life_time` holds two figures in hexadecimal, 0 where the chip does not say."""
    steps = [int(step, 16) for file in blocks.glob("mmcblk*/device/life_time") for step in _hexadecimal(_word(file))]
    worst = max(steps, default=0)
    return min(worst * 100, _WEAR_MOST_PERMILLE) if worst else None


def _hexadecimal(text: str) -> list[str]:
    return [step for step in text.split() if re.fullmatch("0x[0-9a-fA-F]{1,2}", step)]


def _battery(supplies: Path) -> tuple[int | None, int | None]:
    """Charge and cycles of the machine's own battery; a mouse's is not meant."""
    for supply in sorted(supplies.glob("*")):
        if _word(supply / "type") == "Battery" and _word(supply / "scope") != "Device":
            charge, cycles = _number(supply / "capacity"), _number(supply / "cycle_count")
            # Firmware that does not count says 0.
            return None if charge is None else min(charge, 100) * 10, cycles or None
    return None, None


def _certificate_end(file: Path) -> int | None:
    try:
        return validity.end_ms(file.read_bytes())
    except (OSError, ValueError):
        return None


def _number(file: Path) -> int | None:
    text = _word(file)
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else None


def _word(file: Path) -> str:
    """The text of a file without what a device tree and firmware put around it."""
    return "".join(sign for sign in _text(file) if sign.isprintable()).strip()[:_TEXT_LENGTH]


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
