"""What these tests share: a hub's database with devices, papers of the tests' own kind, and a device's own loop."""

import asyncio
import base64
import contextlib
import zlib
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from edge_agent.clock import Clock
from edge_agent.papers import FOLDER, Kept, Papers
from edge_agent.settings import Settings
from edge_agent.spool import Spool
from edge_agent.spool_thread import AsyncSpool
from edge_agent.uplink import Uplink
from hub.db import Connection, Db
from hub.papers import store
from hub.papers.store import Plan, Standing
from hub.signing import Signing
from hub.told import Told
from tests.certificates import pki
from tests.roster.parts import certify
from wire import codec, sealed, signed, x509
from wire.messages import Held, Paper, PaperReport, Presence
from wire.paper import BadPaper

KIND = "note"
DEVICE = "tablet-1"
NOW_MS = 1_795_500_000_000
DAY_MS = 86_400_000
WITHIN_S = 60.0


class Note(msgspec.Struct, frozen=True):
    """What a paper of the tests says."""

    text: str = ""


def plain(text: str) -> bytes:
    """A note as its domain gives it to the papers."""
    return msgspec.json.encode(Note(text))


def unpack(packed: bytes) -> Note:
    """As a kind's own module reads it. Raises BadPaper."""
    try:
        return msgspec.json.decode(zlib.decompress(packed), type=Note)
    except (zlib.error, msgspec.MsgspecError, UnicodeDecodeError):
        raise BadPaper("not a note") from None


# ---- the hub


class Office:
    """A hub's database and folder, with devices that have certificates of the tests' town."""

    def __init__(self, folder: Path, *devices: str) -> None:
        self.db = Db(folder / "hub.db")
        self.db.open()
        self.signing = Signing(folder)
        self.now_ms = NOW_MS
        for name in devices or (DEVICE,):
            self.add(name)

    def add(self, name: str, kind: str = "tablet") -> int:
        """A device as the ingest makes it, with its certificate in the register; its number."""
        self.db.write_now(
            lambda conn: conn.execute(
                "INSERT INTO device (name, kind, first_heard_ms, last_heard_ms, online) VALUES (?, ?, 0, 0, 1)",
                (name, kind),
            )
        )
        certify(self.db, name, pki().identity(name), self.now_ms)
        return self.id_of(name)

    def id_of(self, name: str = DEVICE) -> int:
        """A device's number."""
        row = self.db.read(lambda conn: conn.execute("SELECT id FROM device WHERE name = ?", (name,)).fetchone())
        return int(row[0])

    def plan(self, texts: Mapping[str, str], kind: str = KIND) -> Plan:
        """What a look finds, with a text for each device."""
        contents = {self.id_of(name): plain(text) for name, text in texts.items()}
        return self.db.read(lambda conn: store.plan(conn, kind, contents, self.now_ms))

    def publish(self, texts: Mapping[str, str], kind: str = KIND) -> tuple[str, ...]:
        """As the hub's loop does it; who was told."""
        self.now_ms += 1000
        found = self.plan(texts, kind)
        return self.db.write_now(lambda conn: store.publish(conn, self.signing, found, self.now_ms))

    def touch(self, kind: str = KIND) -> None:
        """Something that papers hold has changed."""
        self.db.write_now(lambda conn: store.touch(conn, kind))

    def outgoing(self) -> dict[tuple[str, str], Paper]:
        """What is on its way, by device and kind."""

        def read(conn: Connection) -> list[Any]:
            return conn.execute(
                "SELECT d.name, o.ref, o.message FROM outbox o JOIN device d ON d.id = o.device_id "
                "WHERE o.what = 'paper'"
            ).fetchall()

        return {(name, kind): _paper(message) for name, kind, message in self.db.read(read)}

    def tell(self, report: PaperReport, name: str = DEVICE) -> None:
        """A device's answer is taken in."""
        told = Told(self.id_of(name), name, 1, self.now_ms, self.now_ms, report)
        self.db.write_now(lambda conn: store.take_reports(conn, [told]))

    def come(self, *held: Held, name: str = DEVICE) -> None:
        """A device comes online, going by these papers."""
        presence = Presence(True, "b", 1, device_kind="tablet", papers=held)
        told = Told(self.id_of(name), name, 0, self.now_ms, self.now_ms, presence)
        self.db.write_now(lambda conn: store.take_presences(conn, [told]))

    def standing(self, name: str = DEVICE) -> Standing:
        """How a device is with its note."""
        return self.db.read(lambda conn: store.standings(conn, KIND))[self.id_of(name)]


def opened(message: Paper, name: str = DEVICE) -> Note:
    """What a device reads in it. Raises CannotOpen, BadPaper."""
    key = x509.read_key((pki().identity(name) / "key.pem").read_bytes())
    raw = base64.urlsafe_b64decode(message.sealed + "=" * (-len(message.sealed) % 4))
    place = signed.paper_place_bytes(name, message.kind, message.incarnation, message.generation)
    return unpack(sealed.unseal(key, raw, place))


def _paper(message: bytes) -> Paper:
    found = codec.decode_down(message)
    assert isinstance(found, Paper)
    return found


@contextlib.contextmanager
def office(folder: Path, *devices: str) -> Iterator[Office]:
    """One, closed at the end."""
    made = Office(folder, *devices)
    try:
        yield made
    finally:
        made.db.close()


# ---- the device


def make_device(state: Path, signing: Signing, name: str = DEVICE) -> Path:
    """A device's folder with an identity that knows the hub."""
    pki().identity(name, state / "identity")
    (state / "identity" / "orders.pub").write_text(signing.public + "\n")
    return state


def sealed_for(
    state: Path,
    signing: Signing,
    text: str | bytes,
    incarnation: str,
    generation: int,
    *,
    kind: str = KIND,
    name: str = DEVICE,
) -> Paper:
    """A note as the hub makes it for the device in that folder; bytes are sealed as they are."""
    key: Any = x509.read_leaf((state / "identity" / "certificate.pem").read_bytes()).public_key()
    place = signed.paper_place_bytes(name, kind, incarnation, generation)
    packed = text if isinstance(text, bytes) else zlib.compress(plain(text))
    return signing.paper(name, kind, incarnation, generation, sealed.seal(key, packed, place))


class Device:
    """A device's own papers with a real spool; `shown` is everything that it went by, in order."""

    def __init__(self, state: Path, name: str = DEVICE) -> None:
        self.state = state
        settings = Settings(device=name, kind="tablet", state_dir=str(state))
        self.clock = Clock(state / "good-time")
        self.spool = AsyncSpool(
            lambda: Spool(state / "spool.db", max_bytes=64 << 20, ballast_bytes=1 << 10, stamp=self.clock.stamp)
        )
        self.uplink = Uplink(settings, self.spool, self.clock, version="1")
        self.barred = False
        self.papers = Papers(settings, self.spool, self.clock, self.uplink, lambda: self.barred)
        self.shown: list[str] = []
        self.papers.register(KIND, unpack, lambda note: self.shown.append(note.text))

    async def reports(self) -> list[PaperReport]:
        """What it told, in order."""
        records = await self.spool.recent("paper_report", 1000)
        return [codec.decode_body("paper_report", one.body) for one in records]

    async def follows(self, told: Paper) -> PaperReport:
        """What became of a paper that came down."""
        before = len(await self.reports())
        self.uplink.hand_on(told)
        async with asyncio.timeout(WITHIN_S):
            while len(found := await self.reports()) == before or not _is_about(found[-1], told):  # noqa: ASYNC110 (no event for it)
                await asyncio.sleep(0.01)
            # What was told is noted a moment later; one that ends before tells it again.
            while found[-1].result == "applied" and self.kept(told.kind).reported != found[-1]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return found[-1]

    def kept(self, kind: str = KIND) -> Kept:
        """What lies on its disk."""
        body = (self.state / FOLDER / kind).read_bytes().partition(b"\n")[2]
        return msgspec.json.decode(body, type=Kept)


def _is_about(report: PaperReport, told: Paper) -> bool:
    """Not one that was owed from before a restart."""
    return report.result == "refused" or (report.incarnation, report.generation) == (told.incarnation, told.generation)


@contextlib.asynccontextmanager
async def running(state: Path, name: str = DEVICE) -> AsyncIterator[Device]:
    """A device for the length of a `with`; it ends as a killed process does, without a word."""
    one = Device(state, name)
    task = asyncio.create_task(one.papers.run())
    try:
        yield one
        assert not task.done()
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        one.spool.close()
