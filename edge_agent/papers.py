"""Papers that the hub sends (`wire.messages.Paper`): onto this disk and into what goes by them; what became of each,
back to the hub.

1. A paper must bear the hub's signature, be sealed to this device, and be news.  An older one, or one that cannot be
   opened, changes nothing, and the hub is told why.
2. It is on disk (`papers/<kind>`, 0600, its first line the SHA-256 of the rest) before it counts; nobody waits for it.
   A damaged file is none, and the hub sends the paper again.
3. The hub sends a paper again until it is told, and is told once more when it asks by sending the same again.
4. A device that is being wiped takes none, and removes those that it has.
"""

import asyncio
import base64
import binascii
import hashlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from edge_agent import memory, opening, verify
from edge_agent.clock import Clock
from edge_agent.settings import Settings
from edge_agent.spool import SpoolFull
from edge_agent.spool_thread import AsyncSpool
from edge_agent.uplink import Uplink
from wire import signed, whole_file
from wire.messages import Held, Paper, PaperReport
from wire.paper import BadPaper

log = logging.getLogger(__name__)

T = TypeVar("T")

FOLDER = "papers"
# Kinds that wait to be looked at; the hub sends again what was not followed by a report.
_WAITING = 16


class Kept(msgspec.Struct, frozen=True):
    """On disk: `digest` is that of the signed bytes, `packed` what was sealed, `reported` what the hub was told."""

    incarnation: str
    generation: int
    digest: str
    packed: bytes
    reported: PaperReport | None = None


@dataclass(slots=True)
class _Kind:
    """What a kind of paper is read with, who goes by it, and the one that counts."""

    unpack: Callable[[bytes], Any]
    on_content: Callable[[Any], None]
    kept: Kept | None = None
    content: Any = None


class Papers:
    """The papers of one device. `register` before `run`; `take` on the loop; `run` as a task.

    `barred` says that nothing may be kept any more.
    """

    def __init__(
        self,
        settings: Settings,
        spool: AsyncSpool,
        clock: Clock,
        uplink: Uplink,
        barred: Callable[[], bool] = lambda: False,
    ) -> None:
        self._device, self._state_dir = settings.device, Path(settings.state_dir)
        self._folder = self._state_dir / FOLDER
        self._spool, self._clock, self._barred = spool, clock, barred
        self._kinds: dict[str, _Kind] = {}
        self._told: dict[str, Paper] = {}
        self._arrived = asyncio.Event()
        self._disk_fails = False
        uplink.on_down(Paper, self.take)
        uplink.say_papers(self.held)

    def register(self, kind: str, unpack: Callable[[bytes], T], on_content: Callable[[T], None]) -> None:
        """Papers of this kind are taken from now on: `unpack` opens one (raises BadPaper), `on_content` is called on
        the loop with each that counts; at once with the one that is on disk, where there is one."""
        one = self._kinds[kind] = _Kind(unpack, on_content)
        kept = _load(self._folder / kind)
        if kept is not None:
            try:
                one.content = unpack(kept.packed)
            except BadPaper:
                # A later program may have kept what this one cannot read: the hub sends its own again.
                return
            one.kept = kept
            on_content(one.content)

    def now(self, kind: str) -> Any | None:
        """What the paper of a kind says, or None when there is none yet."""
        return self._kinds[kind].content

    def held(self) -> tuple[Held, ...]:
        """Which papers count: what a presence says."""
        kept = ((kind, one.kept) for kind, one in self._kinds.items())
        return tuple(Held(kind, each.incarnation, each.generation) for kind, each in kept if each is not None)

    def take(self, told: Paper) -> None:
        """A paper came down. Never waits; of several of a kind only the latest counts."""
        if told.kind in self._told or len(self._told) < _WAITING:
            self._told[told.kind] = told
        self._arrived.set()

    async def run(self) -> None:
        """Follows the hub until cancelled."""
        while True:
            told, self._told = self._told, {}
            self._arrived.clear()
            for paper in told.values():
                await self._follow_or_say(paper)
            await self._report()
            await self._arrived.wait()

    async def _follow_or_say(self, told: Paper) -> None:
        try:
            await self._follow(told)
        except (OSError, SpoolFull) as error:
            # The hub sends again what it has heard nothing of.
            self._fails(error)

    async def _follow(self, told: Paper) -> None:
        if await asyncio.to_thread(self._barred):
            return await self._drop()
        refusal = await asyncio.to_thread(verify.paper, self._state_dir, self._device, told)
        if refusal is not None:
            # Nobody knows whose word it is, nor of which kind.
            return await self._refuse(told, refusal)
        one = self._kinds.get(told.kind)
        if one is None:
            return await self._refuse(told, "kind")
        data = signed.paper_bytes(self._device, told.kind, told.incarnation, told.generation, told.sealed)
        digest = signed.digest(data)
        place, before = (told.incarnation, told.generation), _place(one.kept)
        if one.kept is not None and place == before and digest == one.kept.digest:
            one.kept = msgspec.structs.replace(one.kept, reported=None)
            return None
        if place <= before:
            return await self._refuse(told, "older")
        return await self._apply(one, told, digest)

    async def _apply(self, one: _Kind, told: Paper, digest: str) -> None:
        about = signed.paper_place_bytes(self._device, told.kind, told.incarnation, told.generation)
        packed = await asyncio.to_thread(_open, self._state_dir, told.sealed, about)
        if packed is None:
            return await self._refuse(told, "sealed")
        try:
            content = await asyncio.to_thread(one.unpack, packed)
        except BadPaper:
            return await self._refuse(told, "content")
        kept = Kept(told.incarnation, told.generation, digest, packed)
        if not await asyncio.to_thread(self._save, told.kind, kept):
            return await self._drop()
        one.kept, one.content = kept, content
        log.info("the paper %s: version %d counts", told.kind, told.generation)
        self._works()
        one.on_content(content)
        # What opening it took is not needed again for a while.
        await asyncio.to_thread(memory.give_back)
        return None

    async def _refuse(self, told: Paper, why: str) -> None:
        log.warning("a paper is refused: %s", why)
        one = self._kinds.get(told.kind)
        incarnation, generation = _place(one.kept if one else None)
        report = PaperReport(told.kind, incarnation, generation, "refused", why)
        await self._spool.append("paper_report", report, self._clock.stamp())

    async def _report(self) -> None:
        """Tells the hub which papers count, those that it was not told yet."""
        for kind, one in self._kinds.items():
            if one.kept is None:
                continue
            report = PaperReport(kind, one.kept.incarnation, one.kept.generation)
            if report == one.kept.reported:
                continue
            try:
                await self._spool.append("paper_report", report, self._clock.stamp())
                one.kept = msgspec.structs.replace(one.kept, reported=report)
                await asyncio.to_thread(self._save, kind, one.kept)
            except (OSError, SpoolFull) as error:
                self._fails(error)

    async def _drop(self) -> None:
        """Nothing may be kept any more. Who goes by a paper is stopped by the wipe itself."""
        for kind, one in self._kinds.items():
            await asyncio.to_thread(_remove, self._folder / kind)
            one.kept = one.content = None

    def _save(self, kind: str, kept: Kept) -> bool:
        """On disk, unless nothing may be kept any more: then it is gone, also when that began meanwhile."""
        if self._barred():
            return False
        path = self._folder / kind
        whole_file.make_folder(self._folder)
        body = msgspec.json.encode(kept)
        whole_file.write(path, hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        if self._barred():
            whole_file.remove(path)
            return False
        return True

    def _fails(self, error: Exception) -> None:
        if not self._disk_fails:
            log.warning("papers of the town cannot be kept: %s", error)
        self._disk_fails = True

    def _works(self) -> None:
        if self._disk_fails:
            log.warning("papers of the town are kept again")
        self._disk_fails = False


_decoder = msgspec.json.Decoder(Kept)


def _load(path: Path) -> Kept | None:
    try:
        head, _, body = path.read_bytes().partition(b"\n")
        return _decoder.decode(body) if hashlib.sha256(body).hexdigest().encode() == head else None
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None


def _remove(path: Path) -> None:
    if path.parent.is_dir():
        whole_file.remove(path)


def _place(kept: Kept | None) -> tuple[str, int]:
    return (kept.incarnation, kept.generation) if kept else ("", 0)


def _open(state_dir: Path, sealed: str, about: bytes) -> bytes | None:
    try:
        raw = base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
    except (ValueError, binascii.Error):
        return None
    return opening.unseal(state_dir, raw, about)
