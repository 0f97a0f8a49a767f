"""What a terminal makes of a card: which token counts, who is known, lost, or must prove itself."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.attendance import card, punch, roster, town_roster
from edge_agent.attendance.cards import Cards
from edge_agent.attendance.punch import LastPunches, Policy, Tap, decide
from edge_agent.attendance.town_roster import Kept, following
from edge_agent.clock import Stamp
from tests.roster.parts import HANAKO, STRANGER, TARO
from wire.messages import Punch
from wire.roster import CardKind, RosterCard, RosterContent, proof_key

TOWN, LATER, MASTER = bytes(range(32)), bytes(range(1, 33)), bytes(range(2, 34))


def kept(*cards: RosterCard, key: bytes = TOWN, kinds: tuple[CardKind, ...] = ()) -> Kept:
    """A roster that counts."""
    return Kept("1" * 32, 1, "d", RosterContent(key, cards, kinds))


def test_without_the_hub_the_own_key_and_file_count(tmp_path: Path) -> None:
    cards = Cards(tmp_path)
    own = card.token(roster.card_key(tmp_path), HANAKO)
    assert (cards.of(HANAKO).token, cards.of(HANAKO).standing, cards.of(HANAKO).name) == (own, "known", "")
    roster.write_names(tmp_path / "roster.toml", {own: "山田花子"})
    assert (cards.of(HANAKO).standing, cards.of(HANAKO).name) == ("known", "山田花子")
    assert cards.of(TARO).standing == "unknown"


def test_the_towns_key_gives_one_token_at_every_terminal(tmp_path: Path) -> None:
    folders = [tmp_path / one for one in "abc"]
    for folder in folders:
        folder.mkdir()
    terminals = [Cards(folder) for folder in folders]
    assert len({one.of(HANAKO).token for one in terminals}) == 3
    for one in terminals:
        one.use(kept(RosterCard(card.token(TOWN, HANAKO), "issued", "山田花子")))
    assert {one.of(HANAKO).token for one in terminals} == {card.token(TOWN, HANAKO)}
    assert {one.of(HANAKO).name for one in terminals} == {"山田花子"}
    assert {one.of(TARO).standing for one in terminals} == {"unknown"}
    assert {one.of(TARO).token for one in terminals} == {card.token(TOWN, TARO)}


def test_the_towns_roster_takes_the_place_of_the_own_file(tmp_path: Path) -> None:
    own = roster.card_key(tmp_path)
    roster.write_names(tmp_path / "roster.toml", {card.token(own, TARO): "佐藤太郎"})
    cards = Cards(tmp_path)
    # A town that has registered no card yet gives its key: the names that are there go on.
    cards.use(kept())
    assert (cards.of(TARO).standing, cards.of(TARO).name) == ("known", "佐藤太郎")
    assert cards.of(TARO).token == card.token(own, TARO)
    assert cards.of(HANAKO).standing == "unknown"
    cards.use(kept(RosterCard(card.token(TOWN, HANAKO), "issued", "山田花子")))
    assert cards.of(TARO).standing == "unknown"
    assert cards.of(HANAKO).name == "山田花子"


def test_a_town_without_cards_takes_everybody(tmp_path: Path) -> None:
    cards = Cards(tmp_path)
    cards.use(kept())
    found = cards.of(HANAKO)
    assert (found.standing, found.token, found.name) == ("known", card.token(TOWN, HANAKO), "")


def test_a_card_registered_under_an_older_key_is_the_same_card(tmp_path: Path) -> None:
    own = card.token(roster.card_key(tmp_path), HANAKO)
    cards = Cards(tmp_path)
    cards.use(kept(RosterCard(own, "issued", "山田花子")))
    assert (cards.of(HANAKO).token, cards.of(HANAKO).name) == (own, "山田花子")
    cards.use(kept(RosterCard(own, "lost")))
    assert cards.of(HANAKO).standing == "lost"
    # The newest token that the roster knows counts.
    cards.use(kept(RosterCard(own, "lost"), RosterCard(card.token(TOWN, HANAKO), "issued", "山田花子")))
    assert cards.of(HANAKO).standing == "known"


def test_keys_that_were_the_towns_before_are_remembered(tmp_path: Path) -> None:
    cards = Cards(tmp_path)
    first = kept(RosterCard(card.token(TOWN, HANAKO)))
    second = following(first, "2" * 32, 1, "d", RosterContent(LATER, (RosterCard(card.token(TOWN, HANAKO)),)))
    cards.use(second)
    assert second.earlier == (TOWN,)
    assert cards.of(HANAKO).token == card.token(TOWN, HANAKO)
    assert cards.of(TARO).token == card.token(LATER, TARO)
    again = following(second, "2" * 32, 2, "d", RosterContent(LATER))
    assert again.earlier == (TOWN,)
    for number in range(9):
        again = following(again, "3" * 32, number, "d", RosterContent(bytes([number] * 32)))
    assert len(again.earlier) == 3


def test_who_must_prove_it_has_a_key_of_its_own(tmp_path: Path) -> None:
    cards = Cards(tmp_path)
    kinds = (CardKind("staff", "felica", MASTER),)
    token = card.token(TOWN, HANAKO)
    cards.use(kept(RosterCard(token, "issued", "山田花子", "staff"), RosterCard(card.token(TOWN, TARO)), kinds=kinds))
    assert cards.proof_key(HANAKO) == proof_key(MASTER, HANAKO)
    assert len(proof_key(MASTER, HANAKO)) == 16
    assert proof_key(MASTER, HANAKO) != proof_key(MASTER, TARO)
    assert (cards.proof_key(TARO), cards.proof_key(STRANGER)) == (None, None)


def test_it_is_whole_on_the_disk_or_not_there(tmp_path: Path) -> None:
    content = kept(RosterCard(card.token(TOWN, HANAKO), "issued", "山田花子"))
    town_roster.save(tmp_path, content)
    path = tmp_path / town_roster.FILE
    assert (path.stat().st_mode & 0o777) == 0o600
    assert town_roster.load(tmp_path) == content
    assert Cards(tmp_path).of(HANAKO).name == "山田花子"
    data = path.read_bytes()
    for at in range(0, len(data), 7):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert town_roster.load(tmp_path) == Kept()
    for cut in (0, 10, 64, 65, len(data) - 1):
        path.write_bytes(data[:cut])
        assert town_roster.load(tmp_path) == Kept()


# ---- punches


AT = Stamp("b", 0, 1_795_476_240_000, "synced")
POLICY = Policy(12 * 60, 120)


def later(seconds: int) -> Stamp:
    """So long after AT."""
    return AT._replace(mono_ms=seconds * 1000, at_ms=AT.at_ms + seconds * 1000)


@given(st.integers(0, 100_000), st.booleans(), st.sampled_from([None, "clock_in", "clock_out"]))
def test_a_refused_card_is_refused_whatever_else_and_is_no_punch(gap_s: int, known: bool, choice: object) -> None:
    last = LastPunches()
    last.take(Punch("a" * 32, "clock_in"), AT)
    tap = Tap("a" * 32, "felica", later(gap_s), choice, known, True)  # type: ignore[arg-type]
    body = decide(tap, last.of(tap.card), POLICY, asked=True)
    assert body.standing == "refused"
    last.take(body, tap.stamp)
    assert last.of(tap.card) == punch.Last("clock_in", AT)


@pytest.mark.parametrize(("gap_s", "standing"), [(60, "repeat"), (3600, "unsure")])
def test_the_last_punch_is_that_of_the_card_under_its_older_key(gap_s: int, standing: str) -> None:
    last = LastPunches()
    last.take(Punch("0" * 32, "clock_in"), AT)
    tap = Tap("1" * 32, "felica", later(gap_s), "clock_in", known=True)
    assert decide(tap, last.of("1" * 32, "0" * 32), POLICY).standing == standing
    last.take(Punch("1" * 32, "clock_out"), later(1))
    assert last.of("1" * 32, "0" * 32) == punch.Last("clock_out", later(1))
