"""What one access point is to know to receive guests while the hub is away (rule; its bytes are `wire/kit.py`).

1. A voucher is in it from when it is made until it is over or withdrawn; one whose hash was made with another key
   would fit nothing, and is not.
2. The order that begins the disaster network is signed in advance and good for `wire.orders.STANDING_MS`; another
   takes its place once it was used, or when a third of its time is left.
3. A kit that is larger than a message may be is not made: nothing is left out of it unseen.
"""

from collections.abc import Iterable, Sequence

import msgspec

from wire.kit import DayKey, KitContent, SealingKey, Terms, Voucher, pack
from wire.messages import Order
from wire.orders import STANDING_MS

RUN = "standing"
ARGUMENTS = {"action": "begin", "run": RUN, "minutes": 1440}
# What fits, packed, into a message to a device (60 KiB): sealed, in base64, deflated.
PACKED_BYTES = 58_000
# How much a voucher takes, packed: its hash cannot be made smaller.
VOUCHER_BYTES = 32


class Files(msgspec.Struct, frozen=True):
    """What comes from the hub's folder: the portal's certificate, and keys."""

    portal_host: str
    chain: str
    key: str
    voucher_key: bytes
    voucher_check: str
    day_keys: tuple[DayKey, ...]
    sealing_key: SealingKey
    radius_secret: str


class VoucherRow(msgspec.Struct, frozen=True):
    """A voucher as it is stored, with what its batch says."""

    batch_id: int
    number: int
    code_hash: str
    minutes: int
    devices: int
    until_ms: int
    key_check: str
    withdrawn: bool = False


class Place(msgspec.Struct, frozen=True):
    """What guests are told of where they are, and whom they may ask."""

    place: str = ""
    contact: str = ""


def voucher_id(batch_id: int, number: int) -> str:
    """What a consent says of a voucher, and what is printed small on it: `3-017`."""
    return f"{batch_id}-{number:03}"


def vouchers(rows: Iterable[VoucherRow], check: str, now_ms: int) -> tuple[Voucher, ...]:
    """Those that can be used now or later, by number."""
    usable = [row for row in rows if not row.withdrawn and row.until_ms > now_ms and row.key_check == check]
    return tuple(
        Voucher(row.code_hash, voucher_id(row.batch_id, row.number), row.minutes, row.devices, row.until_ms)
        for row in sorted(usable, key=lambda row: (row.batch_id, row.number))
    )


def content(files: Files, terms: Terms, some: tuple[Voucher, ...], where: Place, standing: Order | None) -> KitContent:
    """A kit, whole."""
    return KitContent(
        portal_host=files.portal_host,
        chain=files.chain,
        key=files.key,
        terms=terms,
        voucher_key=files.voucher_key,
        vouchers=some,
        day_keys=files.day_keys,
        sealing_key=files.sealing_key,
        standing=standing,
        place=where.place[:200],
        contact=where.contact[:200],
        radius_secret=files.radius_secret,
    )


def is_standing_over(made_ms: int, report_then: int, last_use: int, now_ms: int) -> bool:
    """Whether another order is to be signed. `report_then` is the number of the last disaster report when it was, and
    `last_use` that of the last report of a standing order that began (0: none)."""
    return last_use > report_then or not made_ms <= now_ms < made_ms + STANDING_MS * 2 // 3


def over_bytes(packed: int) -> int:
    """By how much a kit is too large; 0 for one that fits."""
    return max(packed - PACKED_BYTES, 0)


def room(one: KitContent) -> int:
    """How many more vouchers fit surely."""
    return max(PACKED_BYTES - len(pack(one)), 0) // VOUCHER_BYTES


def fits(one: KitContent, more: Sequence[Voucher] = ()) -> bool:
    """Whether a kit with these vouchers as well can be told to an access point."""
    return not over_bytes(len(pack(msgspec.structs.replace(one, vouchers=one.vouchers + tuple(more)))))
