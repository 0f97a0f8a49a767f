"""Requests for help and answers where the disk takes nothing, or the power goes between one write and the next."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from edge_agent.clock import Clock
from edge_agent.spool import Spool, SpoolFull
from edge_agent.spool_thread import AsyncSpool
from edge_agent.tablet.answers import Answers, TooLong, chosen
from edge_agent.tablet.help import OPEN_MS, Help
from tests.clock.hand_time import HandTime
from wire import codec
from wire.shelf import Item, Question
from wire.tablet import Answer, HelpAsk

ITEM = Item("c" * 32, "survey", "title", 1, questions=(Question("a", "one", ("x", "y")), Question("b", "words")))


class _Disk:
    """A tablet's disk; `room` is how large its spool may grow."""

    def __init__(self, folder: Path, *, room: int = 1 << 22) -> None:
        self.folder, self.time = folder / "tablet", HandTime()
        clock = Clock(folder / "good-time", self.time)
        self.spool = AsyncSpool(lambda: Spool(folder / "spool.db", max_bytes=room, ballast_bytes=0, stamp=clock.stamp))
        self.clock = clock

    def help(self) -> Help:
        """As after a start."""
        return Help(self.folder, self.spool, self.clock)

    def answers(self) -> Answers:
        """As after a start."""
        return Answers(self.folder, self.spool, self.clock)

    async def fill(self) -> None:
        """Until no record of the urgent lane fits."""
        for words in ("w" * 5000, "w" * 100, ""):
            with contextlib.suppress(SpoolFull):
                while True:
                    await self.spool.append("answer", Answer("f" * 32, ((words,),)), self.clock.stamp())

    async def asked(self) -> list[HelpAsk]:
        """What the hub would be told."""
        return [codec.decode_body("help_ask", one.body) for one in await self.spool.recent("help_ask", 99)]


async def test_a_request_that_found_no_room_is_none(tmp_path: Path) -> None:
    disk = _Disk(tmp_path, room=1 << 17)
    await disk.fill()
    help_ = disk.help()
    with pytest.raises(SpoolFull):
        await help_.ask("other")
    assert help_.open is None
    # Nor after a start: the page said that it was not taken.
    again = disk.help()
    await again.resume()
    assert (again.open, await disk.asked()) == (None, [])
    disk.spool.close()


async def test_a_power_cut_between_noting_and_telling_tells_it_at_the_next_start(tmp_path: Path) -> None:
    disk = _Disk(tmp_path)
    help_ = disk.help()
    await help_.ask("papers")
    noted = (disk.folder / "help.json").read_bytes()
    (told,) = await disk.asked()
    # As it was noted before the record: the same request comes once more, under the same name.
    (disk.folder / "help.json").write_bytes(noted.replace(b'"seq":1', b'"seq":0'))
    again = disk.help()
    assert again.open is None
    await again.resume()
    assert again.open is not None
    assert await disk.asked() == [told, told]
    disk.spool.close()


async def test_one_request_is_open_at_a_time_and_for_a_day(tmp_path: Path) -> None:
    disk = _Disk(tmp_path)
    help_ = disk.help()
    await asyncio.gather(*(help_.ask("tablet") for _ in range(5)))
    assert len({one.ask for one in await disk.asked()}) == 1
    disk.time.pass_ms(OPEN_MS - 1)
    assert help_.open is not None
    disk.time.pass_ms(1)
    assert help_.open is None
    await help_.ask("other")
    first, second = {one.ask: one for one in await disk.asked()}.values()
    assert (first.about, second.about) == ("tablet", "other")
    await help_.take_back()
    await help_.take_back()
    assert [one.state for one in await disk.asked() if one.ask == second.ask] == ["asked", "taken_back"]
    disk.spool.close()


async def test_answers_that_found_no_room_are_still_a_draft(tmp_path: Path) -> None:
    disk = _Disk(tmp_path, room=1 << 17)
    answers = disk.answers()
    answers.keep(ITEM, 0, ("x",))
    await disk.fill()
    with pytest.raises(SpoolFull):
        await answers.send(ITEM)
    again = disk.answers()
    await again.resume()
    assert (again.sheet(ITEM.id).state, again.sheet(ITEM.id).answers[0]) == ("draft", ("x",))
    disk.spool.close()


async def test_answers_are_sent_once_and_whole_also_through_a_power_cut(tmp_path: Path) -> None:
    disk = _Disk(tmp_path)
    answers = disk.answers()
    answers.keep(ITEM, 1, ("words",))
    await asyncio.gather(answers.send(ITEM), answers.send(ITEM))
    await answers.send(ITEM)
    answers.keep(ITEM, 1, ("others",))
    expected = Answer(ITEM.id, ((), ("words",)))

    async def told() -> list[Answer]:
        return [codec.decode_body("answer", one.body) for one in await disk.spool.recent("answer", 9)]

    assert await told() == [expected]
    noted = disk.folder / "answers.json"
    noted.write_bytes(noted.read_bytes().replace(b'"sent"', b'"sending"'))
    again = disk.answers()
    await again.resume()
    assert again.is_sent(ITEM.id)
    assert await told() == [expected, expected]
    again.forget(frozenset())
    assert not disk.answers().is_sent(ITEM.id)
    disk.spool.close()


async def test_words_that_do_not_fit_are_said_and_nothing_is_sent(tmp_path: Path) -> None:
    disk = _Disk(tmp_path)
    item = Item("d" * 32, "survey", "long", 1, questions=tuple(Question(str(at), "words") for at in range(50)))
    answers = disk.answers()
    for at in range(50):
        answers.keep(item, at, ("長" * 400,))
    with pytest.raises(TooLong):
        await answers.send(item)
    assert await disk.spool.recent("answer", 9) == []
    disk.spool.close()


@pytest.mark.parametrize(
    ("way", "given", "expected"),
    [
        ("one", [], ()),
        ("one", ["1"], ("y",)),
        ("one", ["0", "1"], None),
        ("one", ["2"], None),
        ("one", ["-1"], None),
        ("one", ["x"], None),
        ("several", ["1", "0", "1"], ("y", "x")),
        ("words", ["  "], ()),
        ("words", ["w" * 900], ("w" * 400,)),
    ],
)
def test_only_what_was_asked_is_an_answer(way: str, given: list[str], expected: tuple[str, ...] | None) -> None:
    question = Question("q", way, ("x", "y"))  # type: ignore[arg-type]
    assert chosen(question, given) == expected
