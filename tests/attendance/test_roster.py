"""The terminal's roster and key: changes are seen, a broken file is one sentence, and names stay on the terminal."""

import logging
import stat
from pathlib import Path

import pytest

from edge_agent.__main__ import main
from edge_agent.attendance import card, roster
from edge_agent.attendance.roster import Roster
from tests.agent.agent_process import write_settings
from wire.settings_file import BadSetting

A, B = "a" * 32, "b" * 32
NUMBER = "012e4cd8a9b3c401"


def test_without_a_roster_every_card_is_known(tmp_path: Path) -> None:
    names = Roster(tmp_path)
    assert names.known(A)
    assert names.name(A) == ""


def test_changes_are_seen_at_once(tmp_path: Path) -> None:
    names, path = Roster(tmp_path), tmp_path / "roster.toml"
    roster.write_names(path, {A: "山田花子"})
    assert (names.known(A), names.name(A), names.known(B), names.name(B)) == (True, "山田花子", False, "")
    # As long as before, and perhaps within the same tick of the file system's clock.
    roster.write_names(path, {B: "山田花子"})
    assert (names.known(A), names.known(B), names.name(B)) == (False, True, "山田花子")
    path.unlink()
    assert names.known(A)
    assert names.name(B) == ""


def test_an_empty_roster_knows_nobody(tmp_path: Path) -> None:
    roster.write_names(tmp_path / "roster.toml", {})
    assert not Roster(tmp_path).known(A)


def test_a_broken_roster_is_said_once_and_the_names_go_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    names, path = Roster(tmp_path), tmp_path / "roster.toml"
    roster.write_names(path, {A: "山田花子"})
    assert names.name(A) == "山田花子"
    for text in ("[names]\n" + A + " = ", "[names", ""):
        path.write_text(text, encoding="utf-8")
        assert (names.known(A), names.known(B), names.name(A)) == (True, False, "山田花子")
    roster.write_names(path, {B: "佐藤太郎"})
    assert names.name(B) == "佐藤太郎"
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2
    assert said[0].startswith(f"the roster stays as it was: {path}: (file): found ")
    assert said[1] == "the roster can be read again"


def test_a_roster_that_was_broken_from_the_start_turns_nobody_away(tmp_path: Path) -> None:
    (tmp_path / "roster.toml").write_bytes(b"\xff\xfe")
    names = Roster(tmp_path)
    assert names.known(A)
    assert names.name(A) == ""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "names: found nothing, expected a table of card tokens and names"),
        ("names = 3", "names: found int, expected a table of card tokens and names"),
        ("[names]\nabc = 'x'", "names.abc: found a key of another form, expected a card token"),
        (f"[names]\n{A} = 7", f"names.{A}: found int, expected a name in quotes"),
        ("[names", "(file): found "),
    ],
)
def test_a_wrong_roster_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "roster.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadSetting) as refused:
        roster.read_names(path)
    assert str(refused.value).startswith(f"{path}: {sentence}")
    assert "\n" not in str(refused.value)


def test_a_roster_that_is_no_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="found Is a directory, expected a roster file"):
        roster.read_names(tmp_path)


# ---- the key


def test_the_key_is_made_once_and_is_nobody_elses(tmp_path: Path) -> None:
    key = roster.card_key(tmp_path)
    assert len(key) == card.KEY_BYTES
    assert roster.card_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "card.key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["card.key"]


def test_a_half_written_key_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "card.new").write_bytes(b"half")
    assert len(roster.card_key(tmp_path)) == card.KEY_BYTES


def test_a_file_that_is_no_key_is_said_and_left(tmp_path: Path) -> None:
    (tmp_path / "card.key").write_bytes(b"short")
    with pytest.raises(BadSetting, match="found 5 bytes, expected the terminal's key of 32 bytes"):
        roster.card_key(tmp_path)
    assert (tmp_path / "card.key").read_bytes() == b"short"


# ---- the commands


def _run(*arguments: str) -> int:
    return main(["roster", *arguments])


def test_cards_are_added_listed_and_removed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = ("--settings", str(write_settings(tmp_path / "agent.toml")))
    state = tmp_path / "state"
    assert _run("list", *where) == 0
    assert capsys.readouterr().out == "The roster is empty.\n"
    assert _run("add", *where, "--card", NUMBER, "--name", '山田 "花子"\\') == 0
    assert _run("add", *where, "--token", A, "--name", "佐藤太郎") == 0
    assert capsys.readouterr().out == "1 cards in the roster\n2 cards in the roster\n"
    token = card.token(roster.card_key(state), bytes.fromhex(NUMBER))
    assert Roster(state).name(token) == '山田 "花子"\\'
    assert _run("list", *where) == 0
    assert set(capsys.readouterr().out.splitlines()) == {f'{token}  山田 "花子"\\', f"{A}  佐藤太郎"}
    assert _run("remove", *where, "--card", NUMBER.upper()) == 0
    assert roster.read_names(state / "roster.toml") == {A: "佐藤太郎"}
    assert stat.S_IMODE((state / "roster.toml").stat().st_mode) == 0o600
    # The last one that goes leaves a roster that knows nobody, not one that knows all.
    assert _run("remove", *where, "--token", A) == 0
    assert not Roster(state).known(A)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("remove", "--card", NUMBER), "this card is not in the roster"),
        (("add", "--card", "xyz", "--name", "x"), "--card xyz: expected the card's number in hex"),
        (("add", "--card", "", "--name", "x"), "--card : expected the card's number in hex"),
        (("add", "--token", "xyz", "--name", "x"), "--token xyz: expected 32 digits of 0-9 and a-f, as the hub shows"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    settings = write_settings(tmp_path / "agent.toml")
    assert _run(*arguments, "--settings", str(settings)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"machinaka-agent roster: {sentence}")
    assert said.err.count("\n") == 1


def test_a_broken_roster_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = write_settings(tmp_path / "agent.toml")
    path = tmp_path / "state" / "roster.toml"
    path.parent.mkdir()
    path.write_text("[names", encoding="utf-8")
    assert _run("add", "--settings", str(settings), "--card", NUMBER, "--name", "山田花子") == 2
    assert f"{path}: (file): found " in capsys.readouterr().err
    assert path.read_text(encoding="utf-8") == "[names"


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    settings = write_settings(tmp_path / "agent.toml", state_dir=str(tmp_path / "file" / "state"))
    assert _run("add", "--settings", str(settings), "--card", NUMBER, "--name", "x") == 2
    assert capsys.readouterr().err == f"machinaka-agent roster: {tmp_path}/file/state: Not a directory\n"
