"""SQL of other makers' access points: their tokens, and what they told of sessions.

1. A token is kept as a hash; its number finds the row, the rest (256 bits of chance) is compared in constant time.
2. What was told goes the way of our own access points' sessions (`session_store.take`): any order and any repeat leaves
   the same rows.
3. A session's id of a NAS may hold a device's address: it is kept as a keyed hash, the address as the day's pseudonym.
"""

import hashlib
import hmac
import re
import secrets
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from hub import shown
from hub.db import Among, Connection, among
from hub.wifi import radius_record, session_store
from hub.wifi.radius_record import Run, Said
from hub.wifi.session import Told
from wire.kit import pseudonym
from wire.messages import Cause

TOKEN = re.compile(r"radius_([1-9][0-9]{0,17})_[A-Za-z0-9_-]{43}")
_HEARD_EVERY_MS = 60_000
# A NAS that has not told of a session for so long has lost it.
SILENT_MS = 24 * 3_600_000
_CLOSED_AT_ONCE = 500

# The key of a day in Japan, while there is one.
DayKeyOf = Callable[[str], bytes | None]

_RUNS = Among(
    "SELECT s.told_by, s.session, s.boot, s.began_ms, s.ended_ms, s.guest, s.day FROM",
    2,
    "JOIN wifi_session s ON s.session = k.column2 AND s.told_by = k.column1 ORDER BY s.began_ms, s.id",
)
_OPEN = (
    "SELECT boot, session, number, began_ms, last_ms, up_bytes, down_bytes, guest, day, network, way, place, told_by "
    "FROM wifi_session WHERE ended_ms IS NULL AND device_id IS NULL"
)


class Client(msgspec.Struct, frozen=True):
    """Another maker's access point, or a RADIUS server that forwards for some."""

    id: int
    name: str
    place: str
    made_ms: int
    made_by: str
    withdrawn_ms: int | None
    heard_ms: int | None
    sessions: int = 0

    @property
    def told_by(self) -> str:
        """Who tells, in the table of sessions."""
        return f"radius:{self.id}"


class Heard(msgspec.Struct, frozen=True):
    """What a client said."""

    client: Client
    said: Said


_COLUMNS = "SELECT id, name, place, made_ms, made_by, withdrawn_ms, heard_ms FROM radius_client "


# ---- clients


def clients(conn: Connection) -> list[Client]:
    """All, those in use first, by name; with how many sessions each has told of that are open."""
    rows = conn.execute(
        "SELECT c.id, c.name, c.place, c.made_ms, c.made_by, c.withdrawn_ms, c.heard_ms, (SELECT count(*) FROM "
        "wifi_session s WHERE s.device_id IS NULL AND s.ended_ms IS NULL AND s.told_by = 'radius:' || c.id) "
        "FROM radius_client c ORDER BY c.withdrawn_ms IS NOT NULL, c.name"
    )
    return [Client(*row) for row in rows]


def one(conn: Connection, number: int) -> Client | None:
    """One."""
    row = conn.execute(_COLUMNS + "WHERE id = ?", (number,)).fetchone()
    return Client(*row) if row else None


def by_name(conn: Connection, name: str) -> Client | None:
    """One by its name."""
    row = conn.execute(_COLUMNS + "WHERE name = ?", (name,)).fetchone()
    return Client(*row) if row else None


def make(conn: Connection, name: str, place: str, now_ms: int, who: str) -> str:
    """A new one; its token, which is nowhere else from now on."""
    number = conn.execute("SELECT coalesce(max(id), 0) + 1 FROM radius_client").fetchone()[0]
    token = f"radius_{number}_{secrets.token_urlsafe(32)}"
    conn.execute(
        "INSERT INTO radius_client (id, name, place, token_hash, made_ms, made_by) VALUES (?, ?, ?, ?, ?, ?)",
        (number, name, place, _hash(token), now_ms, who),
    )
    return token


def withdraw(conn: Connection, number: int, now_ms: int) -> bool:
    """Its token is good for nothing any more; False when it was not before."""
    return (
        conn.execute(
            "UPDATE radius_client SET withdrawn_ms = ? WHERE id = ? AND withdrawn_ms IS NULL", (now_ms, number)
        ).rowcount
        > 0
    )


def find(conn: Connection, token: str) -> Client | None:
    """Whose token this is; None for one that was never given out, or was withdrawn."""
    found = TOKEN.fullmatch(token)
    row = (
        conn.execute(
            "SELECT id, name, place, made_ms, made_by, withdrawn_ms, heard_ms, token_hash FROM radius_client "
            "WHERE id = ?",
            (int(found[1]),),
        ).fetchone()
        if found
        else None
    )
    if row is None or not hmac.compare_digest(row[-1], _hash(token)):
        return None
    client = Client(*row[:-1])
    return client if client.withdrawn_ms is None else None


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


# ---- what they told


def take(conn: Connection, heard: Sequence[Heard], key: bytes, day_key: DayKeyOf, arrived_ms: int) -> None:
    """Takes in what was heard, in the order in which it came. `key` is what names of sessions are hashed with."""
    waiting: list[Heard] = []
    for one_heard in heard:
        if one_heard.said.kind in ("on", "off"):
            _take_sessions(conn, waiting, key, day_key, arrived_ms)
            waiting = []
            _close_nas(conn, one_heard, arrived_ms)
        else:
            waiting.append(one_heard)
    _take_sessions(conn, waiting, key, day_key, arrived_ms)
    for client in {one_heard.client.id: one_heard.client for one_heard in heard}.values():
        if client.heard_ms is None or arrived_ms - client.heard_ms > _HEARD_EVERY_MS:
            conn.execute("UPDATE radius_client SET heard_ms = ? WHERE id = ?", (arrived_ms, client.id))


def _take_sessions(conn: Connection, heard: Sequence[Heard], key: bytes, day_key: DayKeyOf, arrived_ms: int) -> None:
    if not heard:
        return
    names = [(one_heard.client.told_by, _name(one_heard.said, key)) for one_heard in heard]
    runs = _runs(conn, names)
    told = []
    for one_heard, name in zip(heard, names, strict=True):
        run = _run(runs[name], one_heard.said, day_key)
        told.append(_told(one_heard, name[1], run))
    session_store.take(conn, told, arrived_ms)


def _name(said: Said, key: bytes) -> str:
    text = "\0".join((said.nas, said.session, said.address))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()[:32]


def _runs(conn: Connection, names: Sequence[tuple[str, str]]) -> dict[tuple[str, str], list[Run]]:
    found: defaultdict[tuple[str, str], list[Run]] = defaultdict(list)
    flat = [part for name in dict.fromkeys(names) for part in name]
    for told_by, session, boot, began_ms, ended_ms, guest, day in among(conn, _RUNS, flat):
        found[told_by, session].append(Run(_number_of(boot), began_ms, ended_ms, guest, day))
    return found


def _number_of(boot: str) -> int:
    number = boot.rpartition("#")[2]
    return int(number) if number.isdigit() else 0


def _run(runs: list[Run], said: Said, day_key: DayKeyOf) -> Run:
    """The session that is meant, as it is known from now on."""
    began_ms = said.at_ms if said.began_ms is None else said.began_ms
    run = radius_record.which(runs, said)
    if run is None:
        run = Run(len(runs), began_ms, None)
        runs.append(run)
    run.began_ms = min(run.began_ms, began_ms)
    if said.kind == "stop":
        run.ended_ms = said.at_ms if run.ended_ms is None else min(run.ended_ms, said.at_ms)
    runs.sort(key=lambda one_run: one_run.began_ms)
    if run.guest is None and said.address:
        run.day = shown.day_of(began_ms)
        known = day_key(run.day)
        run.guest = pseudonym(known, said.address) if known else None
    return run


def _told(heard: Heard, name: str, run: Run) -> Told:
    said = heard.said
    began_ms = said.at_ms if said.began_ms is None else said.began_ms
    return Told(
        heard.client.told_by,
        f"{said.nas}#{run.number}",
        name,
        max(said.at_ms // 1000, 1),
        began_ms,
        said.at_ms,
        said.up_bytes,
        said.down_bytes,
        ended_ms=said.at_ms if said.kind == "stop" else None,
        cause=said.cause,
        guest=run.guest,
        day=run.day,
        network=said.network,
        place=heard.client.place,
    )


def _close_nas(conn: Connection, heard: Heard, arrived_ms: int) -> None:
    """A NAS knows of no session any more: those of before end at their last sign of life."""
    said, nas = heard.said, f"{heard.said.nas}#"
    rows = conn.execute(
        f"{_OPEN} AND told_by = ? AND substr(boot, 1, ?) = ? AND last_ms <= ?",
        (heard.client.told_by, len(nas), nas, said.at_ms),
    ).fetchall()
    _close(conn, rows, said.at_ms, "power", arrived_ms)


def close_silent(conn: Connection, now_ms: int) -> int:
    """Some of those of which nothing was told for a day end at their last sign of life; how many there were."""
    rows = conn.execute(
        f"{_OPEN} AND told_by LIKE 'radius:%' AND last_ms < ? LIMIT ?", (now_ms - SILENT_MS, _CLOSED_AT_ONCE)
    ).fetchall()
    _close(conn, rows, now_ms, "lost", now_ms)
    return len(rows)


def _close(conn: Connection, rows: Sequence[tuple[Any, ...]], at_ms: int, cause: Cause, arrived_ms: int) -> None:
    # The end of a Stop that comes later has a lower number, and stands.
    number = max(at_ms // 1000, 1)
    told = [
        Told(
            told_by,
            boot,
            session,
            max(number, kept + 1),
            began_ms,
            last_ms,
            up_bytes,
            down_bytes,
            ended_ms=last_ms,
            cause=cause,
            guest=guest,
            day=day,
            network=network,
            way=way,
            place=place,
        )
        for boot, session, kept, began_ms, last_ms, up_bytes, down_bytes, guest, day, network, way, place, told_by in (
            rows
        )
    ]
    if told:
        session_store.take(conn, told, arrived_ms)


# ---- detail files


def read_through(conn: Connection, client_id: int, inode: int, mark: str) -> int:
    """How far a file was read."""
    row = conn.execute(
        "SELECT read_bytes FROM radius_file WHERE client_id = ? AND inode = ? AND mark = ?", (client_id, inode, mark)
    ).fetchone()
    return row[0] if row else 0


def keep_read(conn: Connection, client_id: int, inode: int, mark: str, read_bytes: int) -> None:
    """Notes how far, in the transaction of what was read."""
    conn.execute(
        "INSERT INTO radius_file (client_id, inode, mark, read_bytes) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (client_id, inode, mark) DO UPDATE SET read_bytes = excluded.read_bytes",
        (client_id, inode, mark, read_bytes),
    )


def forget_files(conn: Connection, client_id: int, there: Sequence[tuple[int, str]]) -> None:
    """Files that are no longer there need not be remembered."""
    kept = set(there)
    known = conn.execute("SELECT inode, mark FROM radius_file WHERE client_id = ?", (client_id,)).fetchall()
    for inode, mark in known:
        if (inode, mark) not in kept:
            conn.execute(
                "DELETE FROM radius_file WHERE client_id = ? AND inode = ? AND mark = ?", (client_id, inode, mark)
            )
