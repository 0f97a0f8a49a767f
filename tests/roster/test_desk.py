"""Before the terminal: what a lost card, and one that cannot prove itself, bring up, and what is kept of it."""

from pathlib import Path

import pytest

from edge_agent.attendance import card, roster, town_roster
from edge_agent.attendance.readers.heard import CardHeard
from edge_agent.attendance.town_roster import Kept
from tests.agent.agent_process import command, write_settings
from tests.attendance.desk import HANAKO, TARO, Desk, desk
from wire.roster import CardKind, RosterCard, RosterContent

KEY = bytes(range(32))


def keep(folder: Path, *cards: RosterCard) -> None:
    """The town's roster lies on the terminal's disk."""
    kinds = (CardKind("staff", "felica", bytes(32)),)
    town_roster.save(folder, Kept("1" * 32, 1, "d", RosterContent(KEY, cards, kinds)))


def token(number: bytes) -> str:
    """By the town's key."""
    return card.token(KEY, number)


async def test_a_lost_card_is_refused_kept_and_no_punch(tmp_path: Path) -> None:
    keep(tmp_path, RosterCard(token(HANAKO), "lost"), RosterCard(token(TARO), "issued", "佐藤太郎"))
    async with desk(tmp_path, named=False) as one:
        view = await one.tap(HANAKO, "lost_card")
        assert (view.name, view.reference) == ("", 1)
        assert (await one.tap(TARO, "accepted")).name == "佐藤太郎"
        # Also the second time, and whatever button was pressed.
        one.screen.choose("clock_out")
        assert (await one.tap(HANAKO, "lost_card")).reference == 3
        kept = [(body.card, body.standing) for _, body in await one.punches()]
        assert kept == [(token(HANAKO), "refused"), (token(TARO), "accepted"), (token(HANAKO), "refused")]


async def _hears(one: Desk, number: bytes, state: str, *, proved: bool) -> None:
    await one.hear(CardHeard("felica", number, one.time.boottime_ns(), proved), state)


async def test_a_card_that_must_prove_itself_counts_only_when_it_has(tmp_path: Path) -> None:
    keep(tmp_path, RosterCard(token(HANAKO), "issued", "山田花子", "staff"), RosterCard(token(TARO), "issued", "佐藤"))
    async with desk(tmp_path, named=False) as one:
        await _hears(one, HANAKO, "refused_card", proved=False)
        await _hears(one, HANAKO, "accepted", proved=True)
        await _hears(one, TARO, "accepted", proved=False)
        assert [body.standing for _, body in await one.punches()] == ["refused", "accepted", "accepted"]


async def test_the_same_number_from_another_reader_proves_nothing(tmp_path: Path) -> None:
    keep(tmp_path, RosterCard(token(HANAKO), "issued", "山田花子", "staff"))
    async with desk(tmp_path, named=False) as one:
        await one.hear(CardHeard("wedge", HANAKO, one.time.boottime_ns()), "refused_card")


async def test_who_tapped_before_the_towns_key_came_is_the_same_person(tmp_path: Path) -> None:
    async with desk(tmp_path, named=False) as one:
        await one.tap(HANAKO, "accepted")
        own = (await one.punches())[0][1].card
        assert own == card.token(roster.card_key(tmp_path), HANAKO)
        keep(tmp_path, RosterCard(token(HANAKO), "issued", "山田花子"))
        one.attendance.cards.use(town_roster.load(tmp_path))
        assert (await one.tap(HANAKO, "repeat")).name == "山田花子"
        assert [body.card for _, body in await one.punches()] == [own, token(HANAKO)]
    # And after a restart.
    async with desk(tmp_path, named=False) as one:
        await one.tap(HANAKO, "repeat")


@pytest.mark.parametrize("do", [("add", "--card", "01", "--name", "x"), ("remove", "--card", "01")])
def test_the_terminals_own_file_gives_way(tmp_path: Path, do: tuple[str, ...]) -> None:
    settings = write_settings(tmp_path / "agent.toml")
    state = tmp_path / "state"
    state.mkdir()
    keep(state, RosterCard(token(HANAKO)))
    done = command("roster", *do, "--settings", str(settings))
    assert done.returncode == 2
    assert done.stderr == (
        "machinaka-agent roster: this terminal has the town's roster; cards are registered at the hub\n"
    )
    assert command("roster", "list", "--settings", str(settings)).returncode == 0
