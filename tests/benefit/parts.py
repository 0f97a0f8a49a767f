"""What these tests share: a hub with a taxi voucher, residents with cards, and terminals that take benefits."""

from hub.benefit import account_store, store
from hub.benefit.benefit import Kind
from hub.benefit.store import NewGrant
from hub.db import Connection, Db
from hub.policy import store as policy
from hub.signing import Signing

NOW_MS = 1_795_500_000_000  # 2026-11-24 in Japan
DAY_MS = 86_400_000
TAXI = Kind("taxi", "タクシー券", "Taxi voucher", "枚", "vouchers", 600, "03-01-02-19", 2, 3, "2026-04-01")
HANA, TOME = "5a" * 16, "7c" * 16


def add_resident(conn: Connection, number: str, name: str = "") -> int:
    """A resident of the register; their number in the database."""
    done = conn.execute("INSERT INTO resident (number, name, changed_ms) VALUES (?, ?, 0)", (number, name))
    return int(done.lastrowid or 0)


def add_terminal(conn: Connection, name: str) -> int:
    """A terminal as the ingest makes it; its number."""
    done = conn.execute(
        "INSERT INTO device (name, kind, first_heard_ms, last_heard_ms, online) VALUES (?, 'terminal', 0, 0, 1)",
        (name,),
    )
    return int(done.lastrowid or 0)


def takes_benefits(conn: Connection, signing: Signing, device_id: int, now_ms: int, *, on: bool = True) -> None:
    """A terminal is ordered to take benefits, or not any more."""
    policy.publish(conn, signing, device_id, {"terminal": {"benefits": on}}, now_ms, "hanako")


def grant(conn: Connection, resident_id: int, units: int, now_ms: int, *, until: str = "2027-03-31") -> int:
    """A grant that two people agreed on; its number."""
    new = NewGrant("taxi", units, "2026-04-01", until, "decision 12")
    number = store.enter_grant(conn, resident_id, new, "hanako", now_ms)
    found = store.grant(conn, number)
    assert found is not None
    assert store.decide_grant(conn, found, "approved", "jiro", now_ms)
    return number


def begin(db: Db, signing: Signing, units: int = 5, *terminals: str) -> tuple[int, list[int]]:
    """The taxi voucher, one resident with a card and so many units, and terminals that take them; their numbers."""

    def write(conn: Connection) -> tuple[int, list[int]]:
        devices = [add_terminal(conn, name) for name in terminals]
        for device_id in devices:
            takes_benefits(conn, signing, device_id, NOW_MS)
        resident_id = add_resident(conn, "J-0001", "山田ハナ")
        store.set_kind(conn, TAXI, NOW_MS)
        grant(conn, resident_id, units, NOW_MS)
        assert store.give_card(conn, HANA, resident_id, NOW_MS)
        account_store.give(conn, NOW_MS)
        return resident_id, devices

    return db.write_now(write)
