"""What every device's purse is to say now: SQL and the town's card key."""

from pathlib import Path

from hub import shown
from hub.benefit import account_store, purse
from hub.benefit.benefit import Kind
from hub.benefit.purse import Given
from hub.db import Connection
from hub.papers.store import PACKED_BYTES, Contents, NoContent
from hub.staff import roster_keys
from hub.staff.roster_keys import BadKey
from wire.purse import Allowance, as_json

_GIVEN = (
    "SELECT a.device_id, a.id, c.card, a.benefit, a.limit_units, a.until_ms, a.balance_units, a.used_units, "
    "a.changed_ms FROM benefit_allowance a JOIN benefit_card c ON c.resident_id = a.resident_id "
    "AND c.taken_back_ms IS NULL JOIN device d ON d.id = a.device_id ORDER BY a.device_id"
)


def contents(conn: Connection, state_dir: Path, now_ms: int) -> Contents:
    """Purses by device: of those that take benefits, and of those that did and hold one. Raises NoContent, OSError."""
    serving = account_store.places(conn)
    had = {id_ for (id_,) in conn.execute("SELECT device_id FROM paper WHERE kind = 'purse'")}
    if not serving and not had:
        return {}
    try:
        key = roster_keys.read(state_dir).cards
    except BadKey as error:
        raise NoContent(str(error)) from error
    kinds, today, given = account_store.kinds(conn), shown.day_of(now_ms), _given(conn)
    return {
        device_id: as_json(
            purse.content(key, _kinds(kinds, device_id in serving), given.get(device_id, []), today, PACKED_BYTES)[0]
        )
        for device_id in {*serving, *had}
    }


def left_out(conn: Connection, now_ms: int) -> dict[str, int]:
    """Devices whose purse does not hold all that they were given: how many allowances are left out, by name."""
    kinds, today, given = account_store.kinds(conn), shown.day_of(now_ms), _given(conn)
    key = bytes(32)
    found = {
        name: purse.content(key, kinds, given.get(device_id, []), today, PACKED_BYTES)[1]
        for device_id, name in account_store.places(conn).items()
    }
    return {name: count for name, count in found.items() if count}


def _kinds(kinds: dict[str, Kind], serves: bool) -> dict[str, Kind]:  # noqa: FBT001 (the one question)
    """A device that takes no benefits any more is offered none; its allowances are down to what it took."""
    return kinds if serves else {}


def _given(conn: Connection) -> dict[int, list[Given]]:
    found: dict[int, list[Given]] = {}
    for device_id, id_, card, benefit, limit, until_ms, balance, used, changed_ms in conn.execute(_GIVEN):
        allowance = Allowance(id_, card, benefit, limit, until_ms, balance, used)
        found.setdefault(device_id, []).append(Given(allowance, benefit, changed_ms))
    return found
