"""The officer's computer: an invitation as a QR code or on a card, made already or asked for with a token."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent.identity import enrol
from hub import pages
from hub.api import token_store
from hub.api.scope import Scope
from hub.db import Db
from provisioning.__main__ import main
from tests.identity.parts import NewDevice, OwnTown
from tests.login import second
from tests.login.parts import HASHED
from wire.enrolment import Invitation

TOLD = Invitation("https://hub.example", "", "ab" * 32)
DAY_MS = 86_400_000


def test_an_invitation_goes_onto_a_card(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["enrol", "--invitation", TOLD.text, "--to", str(tmp_path)]) == 0
    assert (tmp_path / "enrol-code").stat().st_mode & 0o777 == 0o600
    assert enrol.invitation_in(tmp_path) == TOLD
    assert main(["enrol", "--invitation", TOLD.text]) == 0
    said = capsys.readouterr().out
    assert "█" in said or "▄" in said or "▀" in said
    assert f"--hub https://hub.example --root {'ab' * 32}" in said


@pytest.fixture
def town(tmp_path: Path) -> Iterator[OwnTown]:
    """A town whose hub runs."""
    town = OwnTown(tmp_path / "town")
    with town.hub:
        yield town


def _token(town: OwnTown, *scopes: Scope) -> str:
    """A token of somebody of the IT, as the page of tokens makes it."""
    second.add_to(town.hub, "hanako", "it", HASHED)
    database, now_ms = Db(town.hub.database), pages.now_ms()
    text = database.write_now(lambda conn: token_store.make(conn, "pc", 1, scopes, now_ms, now_ms + DAY_MS))
    database.close()
    return text


def test_a_code_is_asked_for_with_a_token(town: OwnTown, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    token, device = tmp_path / "token", NewDevice(town)
    token.write_text(_token(town, "enrolment:write") + "\n")
    words = ["enrol", "--hub", town.hub.url, "--token-file", str(token), "--kind", "tablet", "--to", str(device.state)]
    assert main([*words, "--device", device.name]) == 0
    told = enrol.invitation_in(device.state)
    assert told is not None
    assert told.root == town.authority.root_fingerprint
    assert device.enrol("--invitation", told.text).returncode == 0
    # With the officer's own root nobody has to be asked for it.
    assert main([*words, "--device", "tablet-2", "--root", str(town.ca / "root.pem")]) == 0
    capsys.readouterr()
    for changed, sentence in (
        ({"--device": "A/B"}, "--device: found 'A/B'"),
        ({"--device": "t1", "--hub": "http://192.0.2.1"}, "a token must not cross in the clear"),
        ({"--device": "t1", "--hub": "http://127.0.0.1:9"}, "does not answer"),
        ({"--device": "t1", "--token-file": str(tmp_path / "none")}, "cannot be read"),
        ({"--device": "t1", "--to": str(tmp_path / "none")}, "No such file"),
        ({"--device": "t1", "--root": str(token)}, "no hub of ours"),
    ):
        given = dict(zip(words[1::2], words[2::2], strict=True)) | changed
        assert main(["enrol", *(word for pair in given.items() for word in pair)]) == 2, sentence
        said = capsys.readouterr().err
        assert sentence in said
        assert said.count("\n") == 1
    token.write_text("machinaka_1_" + "x" * 43)
    assert main([*words, "--device", "t1"]) == 2
    assert "says no (code 401)" in capsys.readouterr().err
    assert main(["enrol", "--device", "t1"]) == 2
    assert "expected --invitation, or --hub" in capsys.readouterr().err
    assert main(["enrol", "--invitation", "x"]) == 2
