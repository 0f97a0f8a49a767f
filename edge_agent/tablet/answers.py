"""Answers to surveys: kept question by question, sent once, on this disk before the page says so.

1. What was answered so far is in `answers.json`, whole or as it was; a tablet that goes off in the middle forgets none.
2. Sending notes the answers as being sent, tells the hub (a record in the spool), then notes them as sent. A power cut
   in between tells the same answers again: the hub takes one answer of a tablet to a survey.
3. Where the record finds no room it stays a draft, and the page says so.
"""

import asyncio
from pathlib import Path
from typing import Literal

import msgspec

from edge_agent.clock import Clock
from edge_agent.spool_thread import AsyncSpool
from wire import codec, whole_file
from wire.messages import BODY_BYTES
from wire.shelf import Item, Question
from wire.tablet import Answer

# What a resident may write to one question, in characters.
WORDS = 400

Chosen = tuple[str, ...]


class TooLong(Exception):
    """All words together do not fit into a record."""


class Sheet(msgspec.Struct, frozen=True, omit_defaults=True):
    """One survey's answers, question by question as far as they were given."""

    answers: tuple[Chosen, ...] = ()
    state: Literal["draft", "sending", "sent"] = "draft"


class Answers:
    """The sheets of one tablet. Lives on the event loop."""

    def __init__(self, folder: Path, spool: AsyncSpool, clock: Clock) -> None:
        """Reads them."""
        self._path = folder / "answers.json"
        self._spool, self._clock = spool, clock
        self._sheets = _read(self._path)
        # A finger that presses twice sends once.
        self._one = asyncio.Lock()

    async def resume(self) -> None:
        """Ends what a power cut interrupted. Raises SpoolFull, OSError."""
        for item, sheet in list(self._sheets.items()):
            if sheet.state == "sending":
                await self._tell(item, sheet)

    def sheet(self, item: str) -> Sheet:
        """What was answered to a survey so far."""
        return self._sheets.get(item, Sheet())

    def is_sent(self, item: str) -> bool:
        """Whether it was answered."""
        return self.sheet(item).state == "sent"

    def keep(self, item: Item, number: int, chosen: Chosen) -> None:
        """Keeps the answer to a question; on disk when it returns. A sent sheet stays as it is. Raises OSError."""
        sheet = self.sheet(item.id)
        if sheet.state != "draft":
            return
        answers = [*sheet.answers, *[()] * (number + 1 - len(sheet.answers))]
        answers[number] = chosen
        self._save(item.id, Sheet(tuple(answers)))

    async def send(self, item: Item) -> None:
        """Sends a sheet; on disk when it returns. Raises TooLong, SpoolFull, OSError; then it is still a draft."""
        async with self._one:
            await self._send(item)

    async def _send(self, item: Item) -> None:
        sheet = self.sheet(item.id)
        if sheet.state == "sent":
            return
        given = sheet.answers[: len(item.questions)]
        whole = Sheet((*given, *[()] * (len(item.questions) - len(given))), "sending")
        if len(codec.encode_body(Answer(item.id, whole.answers))) > BODY_BYTES - 64:
            raise TooLong
        self._save(item.id, whole)
        try:
            await self._tell(item.id, whole)
        except Exception:
            self._save(item.id, msgspec.structs.replace(whole, state="draft"))
            raise

    def forget(self, items: frozenset[str]) -> None:
        """Sheets of surveys that the shelf has no more go. Raises OSError."""
        left = {item: sheet for item, sheet in self._sheets.items() if item in items}
        if left != self._sheets:
            self._write(left)

    async def _tell(self, item: str, sheet: Sheet) -> None:
        await self._spool.append("answer", Answer(item, sheet.answers), self._clock.stamp())
        self._save(item, msgspec.structs.replace(sheet, state="sent"))

    def _save(self, item: str, sheet: Sheet) -> None:
        self._write({**self._sheets, item: sheet})

    def _write(self, sheets: dict[str, Sheet]) -> None:
        whole_file.make_folder(self._path.parent)
        whole_file.write(self._path, msgspec.json.encode(sheets))
        self._sheets = sheets


def chosen(question: Question, given: list[str]) -> Chosen | None:
    """What a form's values say to a question: texts of its choices, or words; None when they are none of these."""
    if question.way == "words":
        words = " ".join(given).strip()
        return (words[:WORDS],) if words else ()
    picked = list(dict.fromkeys(given))
    if any(not one.isdecimal() or int(one) >= len(question.choices) for one in picked):
        return None
    if question.way == "one" and len(picked) > 1:
        return None
    return tuple(question.choices[int(one)] for one in picked)


def _read(path: Path) -> dict[str, Sheet]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Sheet])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return {}
