"""The officer's computer: an invitation as a QR code or on a card, made already or asked for with a token."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import msgspec
import pytest

from edge_agent.identity import enrol
from provisioning.__main__ import main
from wire import enrolment
from wire.enrolment import CodeMade, CodeWanted, Invitation

TOLD = Invitation("https://hub.example", "", "ab" * 32)


def test_an_invitation_goes_onto_a_card(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["enrol", "--invitation", TOLD.text, "--to", str(tmp_path)]) == 0
    assert (tmp_path / "enrol-code").stat().st_mode & 0o777 == 0o600
    assert enrol.invitation_in(tmp_path) == TOLD
    assert main(["enrol", "--invitation", TOLD.text]) == 0
    said = capsys.readouterr().out
    assert "█" in said or "▄" in said or "▀" in said
    assert f"--hub https://hub.example --root {'ab' * 32}" in said


class _Hub(BaseHTTPRequestHandler):
    """A hub's HTTP interface, as far as one call goes: it stands on a socket of its own."""

    def do_POST(self) -> None:
        """Makes a code for whoever has the token."""
        body = self.rfile.read(int(self.headers["content-length"]))
        good = self.path == enrolment.CODES_PATH and self.headers["authorization"] == "Bearer secret-token"
        wanted = msgspec.json.decode(body, type=CodeWanted)
        line = Invitation("http://127.0.0.1:1", enrolment.make_code(), "cd" * 32).text
        self.send_response(201 if good else 403)
        self.end_headers()
        if wanted.device != "odd":
            self.wfile.write(msgspec.json.encode(CodeMade(line, 0)))

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    """Where it is."""
    with HTTPServer(("127.0.0.1", 0), _Hub) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(30)


def test_a_code_is_asked_for_with_a_token(url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    token, card = tmp_path / "token", tmp_path / "card"
    token.write_text("secret-token\n")
    card.mkdir()
    words = ["enrol", "--hub", url, "--token-file", str(token), "--kind", "tablet", "--to", str(card)]
    assert main([*words, "--device", "tablet-1"]) == 0
    told = enrol.invitation_in(card)
    assert told is not None
    assert told.root == "cd" * 32
    capsys.readouterr()
    for changed, sentence in (
        ({"--device": "A/B"}, "--device: found 'A/B'"),
        ({"--device": "odd"}, "no hub of ours"),
        ({"--device": "t1", "--hub": "http://192.0.2.1"}, "a token must not cross in the clear"),
        ({"--device": "t1", "--hub": "http://127.0.0.1:9"}, "does not answer"),
        ({"--device": "t1", "--token-file": str(tmp_path / "none")}, "cannot be read"),
        ({"--device": "t1", "--to": str(tmp_path / "none")}, "No such file"),
    ):
        given = dict(zip(words[1::2], words[2::2], strict=True)) | changed
        assert main(["enrol", *(word for pair in given.items() for word in pair)]) == 2
        said = capsys.readouterr().err
        assert sentence in said
        assert said.count("\n") == 1
    token.write_text("other")
    assert main([*words, "--device", "t1"]) == 2
    assert "has the token the scope" in capsys.readouterr().err
    assert main(["enrol", "--device", "t1"]) == 2
    assert "expected --invitation, or --hub" in capsys.readouterr().err
    assert main(["enrol", "--invitation", "x"]) == 2
