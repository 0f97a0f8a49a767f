"""What these tests share: a hub's database with staff, cards and terminals that have certificates; cards by number."""

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from edge_agent.attendance import card, town_roster
from edge_agent.attendance.cards import Cards
from edge_agent.attendance.roster_task import RosterKeeper
from edge_agent.clock import Clock
from edge_agent.settings import Settings
from edge_agent.spool import Spool
from edge_agent.spool_thread import AsyncSpool
from hub.db import Connection, Db
from hub.signing import Signing
from hub.staff import roster_keys, roster_store, store
from hub.staff.roster_keys import Keys
from hub.staff.roster_store import Published
from hub.told import Told
from tests.certificates import pki
from wire import codec, roster, sealed, signed, x509
from wire.messages import Presence, Roster, RosterReport
from wire.roster import RosterContent

NOW_MS = 1_795_500_000_000
DAY_MS = 86_400_000
HANAKO, TARO, STRANGER = (bytes.fromhex(one) for one in ("012e4cd8a9b3c401", "0101060112233445", "0114b34d5e6f7081"))
TERMINAL = "terminal-1"
WITHIN_S = 60.0


class Town:
    """A hub's database and folder, without pages; terminals of names, each with a certificate of the tests' town."""

    def __init__(self, folder: Path, *terminals: str) -> None:
        self.folder = folder / "hub"
        self.db = Db(self.folder / "hub.db")
        self.db.open()
        self.signing = Signing(self.folder)
        self.now_ms = NOW_MS
        self.db.write_now(lambda conn: store.keep_names(conn, kept=True))
        for name in terminals or (TERMINAL,):
            self.add_terminal(name)

    @property
    def keys(self) -> Keys:
        """The town's keys of cards."""
        return roster_keys.read(self.folder)

    def add_terminal(self, name: str, kind: str = "terminal") -> int:
        """A device as the ingest makes it, with its certificate in the register; its number."""

        def write(conn: Connection) -> int:
            conn.execute(
                "INSERT INTO device (name, kind, first_heard_ms, last_heard_ms, online) VALUES (?, ?, 0, 0, 1)",
                (name, kind),
            )
            (id_,) = conn.execute("SELECT id FROM device WHERE name = ?", (name,)).fetchone()
            return int(id_)

        id_ = self.db.write_now(write)
        self.certify(name, pki().identity(name))
        return id_

    def certify(self, name: str, identity: Path) -> None:
        """Enters the certificate of an identity folder into the register."""
        certify(self.db, name, identity, self.now_ms)

    def card(self, number: bytes, name: str, *, state: str = "issued", kind: str = "", held: bool = True) -> None:
        """Somebody's card, by the town's key."""
        token = card.token(self.keys.cards, number)
        self.db.write_now(lambda conn: add_card(conn, token, name, state, kind, self.now_ms, held=held))

    def set_state(self, number: bytes, state: str) -> None:
        """A card is lost, or found."""
        token = card.token(self.keys.cards, number)
        self.db.write_now(lambda conn: set_state(conn, token, state, self.now_ms))

    def publish(self) -> Published:
        """As the hub's loop does it."""
        self.now_ms += 1000
        return self.db.write_now(lambda conn: roster_store.publish(conn, self.signing, self.keys, self.now_ms))

    def outgoing(self) -> dict[str, Roster]:
        """What is on its way, by terminal."""
        rows = self.db.read(
            lambda conn: conn.execute(
                "SELECT d.name, o.message FROM outbox o JOIN device d ON d.id = o.device_id WHERE o.what = 'roster'"
            ).fetchall()
        )
        return {name: _roster(message) for name, message in rows}

    def made(self, name: str = TERMINAL) -> Roster:
        """The roster that was made for a terminal last, whether it is on its way or not."""
        rows = self.db.read(
            lambda conn: conn.execute(
                "SELECT r.message FROM roster r JOIN device d ON d.id = r.device_id WHERE d.name = ?", (name,)
            ).fetchall()
        )
        return _roster(rows[0][0])

    def id_of(self, name: str) -> int:
        """A terminal's number."""
        row = self.db.read(lambda conn: conn.execute("SELECT id FROM device WHERE name = ?", (name,)).fetchone())
        return int(row[0])

    def tell(self, report: RosterReport, name: str = TERMINAL) -> None:
        """A terminal's answer is taken in."""
        told = Told(self.id_of(name), name, 1, self.now_ms, self.now_ms, report)
        self.db.write_now(lambda conn: roster_store.take_reports(conn, [told]))

    def come(self, incarnation: str = "", generation: int = 0, name: str = TERMINAL) -> None:
        """A terminal comes online."""
        presence = Presence(True, "b", 1, device_kind="terminal", roster=incarnation, roster_generation=generation)
        told = Told(self.id_of(name), name, 0, self.now_ms, self.now_ms, presence)
        self.db.write_now(lambda conn: roster_store.take_presences(conn, [told]))

    def standing(self, name: str = TERMINAL) -> roster_store.Standing:
        """How a terminal is with its roster."""
        id_ = self.id_of(name)
        found = self.db.read(lambda conn: roster_store.standing(conn, id_))
        assert found is not None
        return found


def certify(db: Db, name: str, identity: Path, now_ms: int) -> None:
    """Enters the certificate of an identity folder into the register."""
    chain = (identity / "certificate.pem").read_bytes()
    leaf = x509.read_leaf(chain)
    row = (x509.serial_text(leaf), x509.key_name(leaf.public_key()), now_ms, now_ms + 90 * DAY_MS, chain.decode(), name)
    db.write_now(
        lambda conn: conn.execute(
            "INSERT INTO certificate (serial, key_name, how, issued_ms, end_ms, chain, device_id) "
            "SELECT ?, ?, 'code', ?, ?, ?, id FROM device WHERE name = ?",
            row,
        )
    )


def add_card(
    conn: Connection,
    token: str,
    name: str,
    state: str = "issued",
    kind: str = "",
    now_ms: int = NOW_MS,
    *,
    held: bool = True,
) -> None:
    """A member of staff with a card."""
    (count,) = conn.execute("SELECT count(*) FROM staff").fetchone()
    number = f"{count + 1:04}"
    conn.execute(
        "INSERT INTO staff (number, name, since, changed_ms) VALUES (?, ?, '2020-04-01', ?)", (number, name, now_ms)
    )
    conn.execute(
        "INSERT INTO card (token, staff_id, kind, state, from_ms, until_ms, changed_ms, changed_by) "
        "VALUES (?, (SELECT id FROM staff WHERE number = ?), ?, ?, ?, ?, ?, 'test')",
        (token, number, kind, state, now_ms, None if held else now_ms + 1, now_ms),
    )
    roster_store.touch(conn, now_ms)


def set_state(conn: Connection, token: str, state: str, now_ms: int = NOW_MS) -> None:
    """A card is lost, or found."""
    conn.execute("UPDATE card SET state = ? WHERE token = ?", (state, token))
    roster_store.touch(conn, now_ms)


def opened(message: Roster, name: str = TERMINAL, identity: Path | None = None) -> RosterContent:
    """What a terminal reads in it. Raises CannotOpen."""
    key = x509.read_key(((identity or pki().identity(name)) / "key.pem").read_bytes())
    raw = base64.urlsafe_b64decode(message.sealed + "=" * (-len(message.sealed) % 4))
    place = signed.roster_place_bytes(name, message.incarnation, message.generation)
    return roster.unpack(sealed.unseal(key, raw, place))


def _roster(message: bytes) -> Roster:
    found = codec.decode_down(message)
    assert isinstance(found, Roster)
    return found


@contextlib.contextmanager
def town(folder: Path, *terminals: str) -> Iterator[Town]:
    """One, closed at the end."""
    made = Town(folder, *terminals)
    try:
        yield made
    finally:
        made.db.close()


# ---- the terminal


def make_terminal(state: Path, signing: Signing, name: str = TERMINAL) -> Path:
    """A terminal's folder with an identity that knows the hub."""
    pki().identity(name, state / "identity")
    (state / "identity" / "orders.pub").write_text(signing.public + "\n")
    return state


def sealed_for(
    state: Path, signing: Signing, content: RosterContent, incarnation: str, generation: int, name: str = TERMINAL
) -> Roster:
    """A roster as the hub makes it for the terminal in that folder."""
    key: Any = x509.read_leaf((state / "identity" / "certificate.pem").read_bytes()).public_key()
    place = signed.roster_place_bytes(name, incarnation, generation)
    return signing.roster(name, incarnation, generation, sealed.seal(key, roster.pack(content), place))


class Terminal:
    """The terminal's own loop with a real spool."""

    def __init__(self, state: Path, name: str = TERMINAL) -> None:
        self.state = state
        self.settings = Settings(device=name, kind="terminal", state_dir=str(state))
        self.clock = Clock(state / "good-time")
        self.spool = AsyncSpool(
            lambda: Spool(state / "spool.db", max_bytes=64 << 20, ballast_bytes=1 << 10, stamp=self.clock.stamp)
        )
        self.cards = Cards(state)
        self.barred = False
        self.keeper = RosterKeeper(self.settings, self.spool, self.clock, self.cards, lambda: self.barred)

    async def reports(self) -> list[RosterReport]:
        """What it told, in order."""
        records = await self.spool.recent("roster_report", 1000)
        return [codec.decode_body("roster_report", one.body) for one in records]

    async def follows(self, told: Roster) -> RosterReport:
        """What became of a roster."""
        before = len(await self.reports())
        self.keeper.take(told)
        async with asyncio.timeout(WITHIN_S):
            while len(found := await self.reports()) == before or not _is_about(found[-1], told):  # noqa: ASYNC110 (no event for it)
                await asyncio.sleep(0.01)
            # What was told is noted a moment later; one that ends before tells it again.
            while found[-1].result == "applied" and town_roster.load(self.state).reported != found[-1]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return found[-1]


def _is_about(report: RosterReport, told: Roster) -> bool:
    """Not one that was owed from before a restart."""
    return report.result == "refused" or (report.incarnation, report.generation) == (told.incarnation, told.generation)


@contextlib.asynccontextmanager
async def running(state: Path, name: str = TERMINAL) -> AsyncIterator[Terminal]:
    """A terminal for the length of a `with`; it ends as a killed process does, without a word."""
    one = Terminal(state, name)
    task = asyncio.create_task(one.keeper.run())
    try:
        yield one
        assert not task.done()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        one.spool.close()
