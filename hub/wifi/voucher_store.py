"""SQL of vouchers: batches, hashes of codes, and what consents say of their use."""

import msgspec

from hub.db import Connection, Into, insert
from hub.wifi import kit, kit_store
from hub.wifi.voucher import Used, Wanted

_VOUCHER = Into("voucher (batch_id, number, code_hash)", 3)
# A use is a device on a day, as far as the session tells it; a consent whose session is not known (yet) is one.
_USES = (
    "SELECT c.voucher, count(DISTINCT coalesce(s.guest, c.session)), count(DISTINCT c.device_id), max(c.at_ms) "
    "FROM wifi_consent c LEFT JOIN wifi_session s ON s.session = c.session AND s.device_id = c.device_id "
    "WHERE c.voucher <> '' GROUP BY c.voucher ORDER BY c.voucher"
)


class Batch(msgspec.Struct, frozen=True):
    """A batch as the list shows it: `used` of its `count` vouchers were used, `over` of them on too many devices.

    `fits`: its hashes were made with the voucher key that is there now.
    """

    id: int
    label: str
    count: int
    minutes: int
    devices: int
    until_ms: int
    made_ms: int
    made_by: str
    instead_of: int | None
    withdrawn_ms: int | None
    withdrawn_by: str
    fits: bool
    used: int = 0
    over: int = 0

    def is_usable(self, now_ms: int) -> bool:
        """Whether its vouchers count."""
        return self.withdrawn_ms is None and self.until_ms > now_ms and self.fits


def make(
    conn: Connection,
    wanted: Wanted,
    hashes: list[str],
    check: str,
    who: str,
    now_ms: int,
    instead_of: int | None = None,
) -> int:
    """A new batch, with the hashes of its codes in the order of their numbers; its number. Raises Refused when a code
    is there already."""
    row = conn.execute(
        "INSERT INTO voucher_batch (label, minutes, devices, until_ms, made_ms, made_by, key_check, instead_of) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (wanted.label, wanted.minutes, wanted.devices, wanted.until_ms, now_ms, who, check, instead_of),
    ).fetchone()
    batch_id = int(row[0])
    insert(conn, _VOUCHER, [value for number, one in enumerate(hashes, 1) for value in (batch_id, number, one)])
    kit_store.touch(conn)
    return batch_id


def withdraw(conn: Connection, batch_id: int, who: str, now_ms: int) -> bool:
    """No voucher of the batch counts any more; whether one did so far."""
    done = conn.execute(
        "UPDATE voucher_batch SET withdrawn_ms = ?, withdrawn_by = ? WHERE id = ? AND withdrawn_ms IS NULL",
        (now_ms, who, batch_id),
    ).rowcount
    if done:
        kit_store.touch(conn)
    return done > 0


def batches(conn: Connection, check: str) -> list[Batch]:
    """Every batch, newest first; `check` is that of the voucher key which is there now."""
    found = _used(conn)
    rows = conn.execute(
        "SELECT b.id, b.label, count(v.id), b.minutes, b.devices, b.until_ms, b.made_ms, b.made_by, b.instead_of, "
        "b.withdrawn_ms, b.withdrawn_by, b.key_check = ? FROM voucher_batch b LEFT JOIN voucher v ON v.batch_id = b.id "
        "GROUP BY b.id ORDER BY b.id DESC",
        (check,),
    )
    return [_batch(row, found.get(row[0], [])) for row in rows]


def batch(conn: Connection, batch_id: int, check: str) -> Batch | None:
    """One batch, or None."""
    return next((one for one in batches(conn, check) if one.id == batch_id), None)


def _batch(row: tuple[object, ...], used: list[Used]) -> Batch:
    devices = int(str(row[4]))
    over = sum(one.uses > devices for one in used)
    return msgspec.convert(
        dict(zip(Batch.__struct_fields__, (*row[:11], bool(row[11]), len(used), over), strict=True)), Batch
    )


def used(conn: Connection, one: Batch) -> list[Used]:
    """The vouchers of a batch that were used, by number."""
    return [msgspec.structs.replace(each, devices=one.devices) for each in _used(conn, one.id).get(one.id, [])]


def _used(conn: Connection, batch_id: int | None = None) -> dict[int, list[Used]]:
    """What consents say, by batch."""
    found: dict[int, list[Used]] = {}
    known = {
        kit.voucher_id(batch, number): batch
        for batch, number in conn.execute(
            "SELECT batch_id, number FROM voucher WHERE ? IS NULL OR batch_id = ?", (batch_id, batch_id)
        )
    }
    for name, uses, places, last_ms in conn.execute(_USES):
        if name in known:
            found.setdefault(known[name], []).append(Used(name, uses, 0, places, last_ms))
    return found
