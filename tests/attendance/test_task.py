"""From a hand-held reader to a real spool and a real screen: what people are told, and what is on the disk then."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from edge_agent.attendance.punch import duty_day
from edge_agent.attendance.readers.heard import CardUnreadable, ReaderFault, ReaderReady, TwoCards
from edge_agent.attendance.task import ReaderEnded
from edge_agent.kiosk.screen import Answer
from edge_agent.spool import SpoolFull
from edge_agent.uplink import UplinkState
from tests.attendance.desk import HANAKO, NOBODY, TARO, Desk, desk, hurried, within
from tests.clock.hand_time import MORNING_MS, HandTime
from wire.messages import Ack, Alarm, Punch

_MINUTE_MS = 60_000
_AWAY, _HERE = UplinkState(connected=False), UplinkState(connected=True)


def test_a_tap_is_taken_and_said(tmp_path: Path) -> None:
    async def journey() -> None:
        async with desk(tmp_path) as one:
            view = await one.tap(HANAKO, "accepted")
            assert (view.name, view.direction, view.chosen, view.at_ms) == ("山田花子", "clock_in", "time", MORNING_MS)
            [(seq, body)] = await one.punches()
            assert view.reference == seq == 1
            assert (body.direction, body.standing, body.technology) == ("clock_in", "accepted", "felica")
            assert HANAKO.hex() not in body.card
            # It goes by itself, and the name with it.
            idle = await one.until_shown("starting", one.views.index(view))
            assert idle.name == ""

    hurried(journey())


def test_without_a_roster_there_is_no_name(tmp_path: Path) -> None:
    async def journey() -> None:
        async with desk(tmp_path, named=False) as one:
            assert (await one.tap(NOBODY, "accepted")).name == ""

    asyncio.run(journey())


def test_nothing_is_said_before_it_is_on_the_disk(tmp_path: Path) -> None:
    async def journey() -> None:
        async with desk(tmp_path) as one:
            # Somebody else holds the file: as a disk that takes its time.
            other = sqlite3.connect(tmp_path / "spool.db", isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            tapping = asyncio.create_task(one.tap(HANAKO, "accepted"))
            await asyncio.sleep(20)
            assert {view.state for view in one.views} == {"starting"}
            other.execute("ROLLBACK")
            other.close()
            await tapping
            assert len(await one.punches()) == 1

    hurried(journey())


def test_the_same_again_is_said_as_taken(tmp_path: Path) -> None:
    async def journey() -> None:
        async with desk(tmp_path) as one:
            first = await one.tap(HANAKO, "accepted")
            one.time.pass_ms(30_000)
            again = await one.tap(HANAKO, "repeat")
            assert (again.name, again.direction, again.since_ms) == ("山田花子", "clock_in", first.at_ms)
            await one.tap(TARO, "accepted")
            standings = [body.standing for _, body in await one.punches()]
            assert standings == ["accepted", "repeat", "accepted"]

    asyncio.run(journey())


def test_a_stranger_gets_a_number_to_say(tmp_path: Path) -> None:
    async def journey() -> None:
        async with desk(tmp_path) as one:
            view = await one.tap(NOBODY, "unknown")
            assert (view.name, view.reference, view.since_ms) == ("", 1, 0)
            assert [body.standing for _, body in await one.punches()] == ["unknown"]

    asyncio.run(journey())


# ---- the question


async def _asked(one: Desk) -> None:
    """Hanako clocks in, and in again an hour later."""
    first = await one.tap(HANAKO, "accepted")
    one.time.pass_ms(60 * _MINUTE_MS)
    question = await one.tap(HANAKO, "question")
    assert (question.name, question.since_ms) == ("山田花子", first.at_ms)


@pytest.mark.parametrize("direction", ["clock_in", "clock_out"])
def test_a_question_that_is_answered(tmp_path: Path, direction: str) -> None:
    async def journey() -> None:
        async with desk(tmp_path) as one:
            await _asked(one)
            one.time.pass_ms(3_000)
            view = await one.answer(direction, "accepted")
            assert (view.name, view.direction, view.chosen) == ("山田花子", direction, "person")
            (_, _), (asked_seq, asked), (_, settled) = await one.punches()
            assert (asked.standing, asked.direction) == ("unsure", "clock_in")
            assert settled == Punch(asked.card, view.direction, "accepted", "person", "felica", answers=asked_seq)
            # What was answered is the last punch now.
            again = await one.tap(HANAKO, "repeat")
            assert again.direction == direction

    asyncio.run(journey())


def test_a_question_that_nobody_answers_leaves_the_raw_tap(tmp_path: Path) -> None:
    async def journey() -> None:
        async with desk(tmp_path) as one:
            await _asked(one)
            number = one.screen.view.number
            await one.until(lambda: one.screen.view.state == "starting")
            assert not one.screen.answer_question(number, "clock_out")
            assert [body.standing for _, body in await one.punches()] == ["accepted", "unsure"]
            # Later the same is asked anew.
            one.time.pass_ms(_MINUTE_MS)
            await one.tap(HANAKO, "question")
            assert [body.standing for _, body in await one.punches()] == ["accepted", "unsure", "unsure"]

    hurried(journey())


def test_who_touches_again_instead_of_answering_is_asked_again(tmp_path: Path) -> None:
    async def journey() -> None:
        async with desk(tmp_path) as one:
            await _asked(one)
            one.time.pass_ms(2_000)
            await one.tap(HANAKO, "question")
            await one.answer("clock_out", "accepted")
            punches = await one.punches()
            assert [body.standing for _, body in punches] == ["accepted", "unsure", "repeat", "accepted"]
            assert punches[3][1].answers == punches[1][0]

    asyncio.run(journey())


def test_an_answer_is_never_taken_for_another_persons_question(tmp_path: Path) -> None:
    async def journey() -> None:
        async with desk(tmp_path) as one:
            await one.tap(TARO, "accepted")
            await _asked(one)
            hanakos = one.screen.view.number
            await one.tap(TARO, "question")
            assert not one.screen.answer_question(hanakos, "clock_out")
            await one.answer("clock_out", "accepted")
            punches = await one.punches()
            taro = punches[0][1].card
            assert [body.card for _, body in punches if body.answers] == [taro]

    asyncio.run(journey())


def test_an_answer_that_was_under_way_when_another_question_came_settles_nothing(tmp_path: Path) -> None:
    async def journey() -> None:
        async with desk(tmp_path) as one:
            await _asked(one)
            one.screen.answers.put_nowait(Answer(one.screen.view.number - 1, "clock_out"))
            await one.until(one.screen.answers.empty)
            await one.answer("clock_in", "accepted")
            assert [body.direction for _, body in await one.punches() if body.answers] == ["clock_in"]

    asyncio.run(journey())


# ---- people choose


def test_a_chosen_direction_is_for_the_next_tap_alone(tmp_path: Path) -> None:
    async def journey() -> None:
        async with desk(tmp_path) as one:
            one.screen.choose("clock_in")
            one.screen.choose("clock_out")
            await one.until(lambda: one.screen.view.chosen == "person")
            assert one.screen.view.direction == "clock_out"
            view = await one.tap(HANAKO, "accepted")
            assert (view.direction, view.chosen) == ("clock_out", "person")
            view = await one.tap(TARO, "accepted")
            assert (view.direction, view.chosen) == ("clock_in", "time")

    asyncio.run(journey())


def test_a_choice_that_nobody_uses_is_forgotten(tmp_path: Path) -> None:
    async def journey() -> None:
        async with desk(tmp_path) as one:
            one.screen.choose("clock_out")
            await one.until(lambda: one.screen.view.chosen == "person")
            one.time.pass_ms(10_001)
            await one.until(lambda: one.screen.view.chosen == "time")
            assert (await one.tap(HANAKO, "accepted")).direction == "clock_in"

    hurried(journey())


def test_the_suggestion_turns_at_noon(tmp_path: Path) -> None:
    async def journey() -> None:
        async with desk(tmp_path) as one:
            await one.until(lambda: one.screen.view.direction == "clock_in")
            one.time.pass_ms(4 * 60 * _MINUTE_MS)
            await one.until(lambda: one.screen.view.direction == "clock_out")

    hurried(journey())


# ---- what is no punch


def test_two_cards_and_cards_that_cannot_be_used(tmp_path: Path) -> None:
    async def journey() -> None:
        async with desk(tmp_path) as one:
            view = await one.hear(TwoCards(one.time.boottime_ns()), "two_cards")
            assert view.at_ms == MORNING_MS
            await one.hear(CardUnreadable("random_identifier", one.time.boottime_ns()), "refused_card")
            assert await one.punches() == []

    asyncio.run(journey())


def test_a_fault_of_the_reader_is_told_once_and_goes_by_itself(tmp_path: Path) -> None:
    async def journey() -> None:
        async with desk(tmp_path) as one:
            assert one.screen.view.state == "starting"
            await one.hear(ReaderReady("by hand"), "idle")
            assert (one.attendance.condition.state, one.attendance.condition.since_ms) == ("ready", MORNING_MS)
            one.time.pass_ms(_MINUTE_MS)
            view = await one.hear(ReaderFault("unplugged"), "reader_fault")
            assert view.since_ms == MORNING_MS + _MINUTE_MS
            one.reader.hear(ReaderFault("unplugged still"))
            # The clock is set meanwhile: the same moment has another name.
            one.time.set_wall(one.time.wall_ms + 3_600_000)
            await one.until(lambda: one.screen.view.since_ms == MORNING_MS + _MINUTE_MS + 3_600_000)
            await one.hear(ReaderReady("by hand"), "idle")
            assert one.screen.view.since_ms == 0
            alarms = await one.alarms()
            assert alarms == [Alarm("card_reader", "begun", "unplugged"), Alarm("card_reader", "ended", "by hand")]

    asyncio.run(journey())


def test_a_fault_waits_until_a_tap_has_been_shown(tmp_path: Path) -> None:
    async def journey() -> None:
        async with desk(tmp_path) as one:
            await one.hear(ReaderReady("by hand"), "idle")
            accepted = await one.tap(HANAKO, "accepted")
            await one.hear(ReaderFault("unplugged"), "reader_fault")
            after = one.views[one.views.index(accepted) :]
            assert [v.state for v in after if v.state != "accepted"] == ["reader_fault"]

    asyncio.run(journey())


@pytest.mark.parametrize(("how", "why"), [(None, "it returned"), (ValueError("broken"), "ValueError: broken")])
def test_a_reader_that_ends_ends_the_agent(tmp_path: Path, how: Exception | None, why: str) -> None:
    async def journey() -> None:
        async with desk(tmp_path) as one:
            one.reader.hear(how)
            async with within():
                await one.running

    with pytest.RaisesGroup(pytest.RaisesExc(ReaderEnded, match=why)):
        asyncio.run(journey())


# ---- the hub and the disk


def test_the_small_lines_tell_of_the_hub_and_the_clock(tmp_path: Path) -> None:
    async def journey() -> None:
        time = HandTime(synced=False)
        async with desk(tmp_path, time) as one:
            one.attendance.uplink_changed(_AWAY)
            view = await one.tap(HANAKO, "accepted")
            assert (view.hub_away, view.waiting, view.clock_unset) == (True, 1, True)
            view = await one.tap(TARO, "accepted")
            assert view.waiting == 2
            # The lines are true on whatever is shown, and the same view does not sound again.
            one.attendance.uplink_changed(_HERE)
            assert (one.screen.view.state, one.screen.view.hub_away) == ("accepted", False)
            assert one.screen.view.number == view.number
            await one.spool.take_ack(Ack(await one.spool.spool_id(), "urgent", 2))
            time.synced = True
            time.pass_ms(1_000)
            await one.until(lambda: one.screen.view.waiting == 0 and not one.screen.view.clock_unset)

    hurried(journey())


async def _fill(one: Desk) -> None:
    """Fills the spool with urgent records, down to the last that fits."""
    for size in (200, 100, 1):
        with pytest.raises(SpoolFull):
            await _append_forever(one, Alarm("filler", "begun", "x" * size))


async def _append_forever(one: Desk, alarm: Alarm) -> None:
    while True:
        await one.spool.append("alarm", alarm, one.clock.stamp())


def test_a_full_disk_is_never_green(tmp_path: Path) -> None:
    async def journey() -> None:
        async with desk(tmp_path, max_bytes=1 << 18) as one:
            confirmed = [(await one.tap(HANAKO, "accepted")).reference]
            await _fill(one)
            full = await one.tap(TARO, "disk_full")
            assert (full.name, full.reference) == ("", 0)
            one.reader.hear(ReaderFault("unplugged"))
            one.reader.hear(ReaderReady("by hand"))
            # Every green view names a record that is there.
            assert {view.reference for view in one.views if view.state == "accepted"} == set(confirmed)
            assert [seq for seq, _ in await one.punches()] == confirmed
            # The hub takes what waits: there is room again.
            newest = (await one.spool.recent("alarm", 1))[0].seq
            await one.spool.take_ack(Ack(await one.spool.spool_id(), "urgent", newest))
            confirmed.append((await one.tap(TARO, "accepted")).reference)
            assert (await one.punches())[-1][0] == confirmed[-1]

    asyncio.run(journey())


def test_an_answer_that_finds_no_room_is_not_green(tmp_path: Path) -> None:
    async def journey() -> None:
        async with desk(tmp_path, max_bytes=1 << 18) as one:
            await _asked(one)
            await _fill(one)
            await one.answer("clock_out", "disk_full")
            assert [body.standing for _, body in await one.punches()] == ["accepted", "unsure"]

    asyncio.run(journey())


def test_a_restart_knows_the_last_punches(tmp_path: Path) -> None:
    async def journey() -> None:
        time = HandTime()
        async with desk(tmp_path, time) as one:
            await one.tap(HANAKO, "accepted")
            time.pass_ms(60 * _MINUTE_MS)
            await one.tap(HANAKO, "question")
            await one.answer("clock_out", "accepted")
            # A punch of a version to come, which this one cannot read, is stepped over.
            await one.spool.append("punch", Alarm("later", "begun"), one.clock.stamp())
        time = HandTime(boot="boot-2", mono_ms=5_000, wall_ms=time.wall_ms + 30_000)
        async with desk(tmp_path, time) as one:
            again = await one.tap(HANAKO, "repeat")
            assert again.direction == "clock_out"
            time.pass_ms(5 * _MINUTE_MS)
            assert (await one.tap(HANAKO, "accepted")).direction == "clock_in"

    asyncio.run(journey())


def test_a_night_shift_ends_before_three(tmp_path: Path) -> None:
    async def journey() -> None:
        async with desk(tmp_path) as one:
            await one.tap(HANAKO, "accepted")
            one.time.pass_ms(18 * 60 * _MINUTE_MS)
            assert duty_day(one.time.wall_ms) == duty_day(MORNING_MS)
            assert (await one.tap(HANAKO, "accepted")).direction == "clock_out"

    asyncio.run(journey())
