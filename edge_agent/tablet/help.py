"""The resident asks the town hall for help: on this disk before the page says so, and taken back if they like.

1. A request has a name of its own (random). It is noted in `help.json` first, then told to the hub (a record in the
   spool, of the urgent lane), then noted as told. A power cut in between tells the same request again: it counts once.
2. One request is open at a time. After a day it is not any more, and another can be made.
3. Whether the hub has it is known from the spool's own mark.
"""

import asyncio
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from edge_agent.clock import Clock
from edge_agent.spool_thread import AsyncSpool
from wire import whole_file
from wire.tablet import HelpAsk

About = Literal["tablet", "papers", "daily", "other"]

OPEN_MS = 86_400_000


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """A request; `seq` and `spool` name its record, once it is on disk there. `back`: it is being taken back."""

    ask: str
    at_ms: int
    about: str = ""
    seq: int = 0
    spool: str = ""
    back: bool = False


class Help:
    """The requests of one tablet. Lives on the event loop."""

    def __init__(
        self, folder: Path, spool: AsyncSpool, clock: Clock, new_name: Callable[[], str] | None = None
    ) -> None:
        """Reads what is open."""
        self._path = folder / "help.json"
        self._spool, self._clock = spool, clock
        self._new_name = new_name or (lambda: secrets.token_hex(16))
        self._asked = _read(self._path)
        # A finger that presses twice asks once.
        self._one = asyncio.Lock()

    async def resume(self) -> None:
        """Ends what a power cut interrupted. Raises SpoolFull, OSError."""
        if self._asked is not None and self._asked.back:
            await self.take_back()
            return
        async with self._one:
            if self._asked is not None and not self._asked.seq:
                await self._tell(self._asked)

    @property
    def open(self) -> Asked | None:
        """The request that is open, or None."""
        if self._asked is None or self._asked.back or not self._asked.seq:
            return None
        now = self._clock.stamp()
        over = now.clock != "unset" and now.at_ms - self._asked.at_ms >= OPEN_MS
        return None if over else self._asked

    async def delivered(self) -> bool:
        """Whether the hub has the open request."""
        asked = self.open
        if asked is None or asked.spool != await self._spool.spool_id():
            return False
        return await self._spool.cursor("urgent") >= asked.seq

    async def ask(self, about: About) -> None:
        """Asks; on disk when it returns. One that is open already stays the one. Raises SpoolFull, OSError."""
        async with self._one:
            if self.open is not None:
                return
            asked = Asked(self._new_name(), self._clock.stamp().at_ms, about)
            self._save(asked)
            try:
                await self._tell(asked)
            except Exception:
                # The page says that it was not taken: then it is not.
                self._forget()
                raise

    async def take_back(self) -> None:
        """Takes the open request back; on disk when it returns. Raises SpoolFull, OSError."""
        async with self._one:
            if self._asked is None:
                return
            self._save(msgspec.structs.replace(self._asked, back=True))
            await self._spool.append("help_ask", HelpAsk(self._asked.ask, "taken_back"), self._clock.stamp())
            self._forget()

    async def _tell(self, asked: Asked) -> None:
        seq = await self._spool.append("help_ask", HelpAsk(asked.ask, "asked", asked.about), self._clock.stamp())
        self._save(msgspec.structs.replace(asked, seq=seq, spool=await self._spool.spool_id()))

    def _forget(self) -> None:
        whole_file.remove(self._path)
        self._asked = None

    def _save(self, asked: Asked) -> None:
        whole_file.make_folder(self._path.parent)
        whole_file.write(self._path, msgspec.json.encode(asked))
        self._asked = asked


def _read(path: Path) -> Asked | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Asked)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
