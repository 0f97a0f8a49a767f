"""Whose second factor is which (SQL).  What is kept is sealed or hashed: reading the file lets nobody in."""

import msgspec

from hub.db import Connection
from hub.second_factor import DRIFT


class Factor(msgspec.Struct, frozen=True):
    """A person's second factor: the sealed secret, and since when."""

    sealed: bytes
    since_ms: int


def of(conn: Connection, person_id: int) -> Factor | None:
    """A person's, if they have one."""
    row = conn.execute("SELECT sealed, since_ms FROM factor WHERE person_id = ?", (person_id,)).fetchone()
    return Factor(*row) if row else None


def keep(conn: Connection, person_id: int, sealed: bytes, step: int, now_ms: int) -> None:
    """A new one in place of whatever was there; its first code was that of `step`."""
    conn.execute("INSERT OR REPLACE INTO factor VALUES (?, ?, ?, ?)", (person_id, sealed, step, now_ms))


def use_step(conn: Connection, person_id: int, step: int, now_step: int) -> bool:
    """Whether the code of this step may be used; it may not again.

    A last step that lies ahead of now was written while the hub's clock was wrong: it must lock nobody out.
    """
    done = conn.execute(
        "UPDATE factor SET last_step = ? WHERE person_id = ? AND (last_step < ? OR last_step > ?)",
        (step, person_id, step, now_step + DRIFT),
    )
    return done.rowcount == 1


def remove(conn: Connection, person_id: int) -> None:
    """The person has none, and no recovery codes."""
    conn.execute("DELETE FROM factor WHERE person_id = ?", (person_id,))
    conn.execute("DELETE FROM recovery WHERE person_id = ?", (person_id,))


def new_recovery(conn: Connection, person_id: int, hashes: list[str]) -> None:
    """New recovery codes in place of the old ones."""
    conn.execute("DELETE FROM recovery WHERE person_id = ?", (person_id,))
    conn.executemany("INSERT INTO recovery VALUES (?, ?)", [(hashed, person_id) for hashed in hashes])


def use_recovery(conn: Connection, person_id: int, hashed: str) -> bool:
    """Whether a recovery code is good; it is not again."""
    done = conn.execute("DELETE FROM recovery WHERE code_hash = ? AND person_id = ?", (hashed, person_id))
    return done.rowcount == 1


def recovery_left(conn: Connection, person_id: int) -> int:
    """How many recovery codes are left."""
    return int(conn.execute("SELECT count(*) FROM recovery WHERE person_id = ?", (person_id,)).fetchone()[0])
