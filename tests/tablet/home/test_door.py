"""Who may ask the tablet's page; what it does when it is locked; and that what it said it kept is kept."""

import http.client
import os
import signal
import urllib.parse
from pathlib import Path

import pytest

from edge_agent.orders import locked
from edge_agent.orders.locked import Locked
from tests.agent.agent_process import until
from tests.broker import Broker, free_port
from tests.tablet.home.parts import NEWSLETTER, PICTURE, SURVEY, TabletProcess, content, digest, now_ms, paper
from tests.uplink.tiny_hub import TinyHub
from wire import codec
from wire.messages import Answer, HelpAsk


def ask(tablet: TabletProcess, path: str, form: dict[str, str] | None = None, **headers: str) -> tuple[int, str, str]:
    """One request; its status, where it leads and its text."""
    connection = http.client.HTTPConnection("127.0.0.1", tablet.port, timeout=60)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    if form is None:
        connection.request("GET", path, headers=names)
    else:
        names["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request("POST", path, urllib.parse.urlencode(form), headers=names)
    response = connection.getresponse()
    found = response.status, response.headers.get("Location", ""), response.read().decode("utf-8", "replace")
    connection.close()
    return found


def test_only_this_machines_own_page_may_ask(tablet: TabletProcess) -> None:
    assert ask(tablet, "/")[0] == 200
    assert ask(tablet, "/", Host="evil.example")[0] == 403
    assert ask(tablet, "/help", {"about": "other"}, Origin="http://evil.example")[0] == 403
    assert ask(tablet, "/help", {"about": "other"}, Origin="null")[0] == 403
    assert ask(tablet, "/help", {"about": "other"}, Sec_Fetch_Site="cross-site")[0] == 403
    assert "お願いしました" not in ask(tablet, "/help")[2]


@pytest.mark.parametrize(
    ("path", "form", "status"),
    [
        ("/help", {"about": "money"}, 400),
        ("/settings", {"text_size": "gigantic"}, 400),
        ("/settings", {"volume": "sideways"}, 400),
        ("/settings", {"language": "fr"}, 400),
        (f"/surveys/{SURVEY}/0", {"answer": "3"}, 400),
        (f"/surveys/{SURVEY}/0", {"answer": "-1"}, 400),
        (f"/surveys/{SURVEY}/9", {"answer": "0"}, 404),
        (f"/surveys/{NEWSLETTER}/0", {"answer": "0"}, 404),
        ("/surveys/nothing/send", {}, 404),
        ("/files/" + "0" * 64, None, 404),
        ("/files/../spool.db", None, 404),
        ("/news/x/y", None, 404),
        (f"/news/{NEWSLETTER}/１", None, 404),
        ("/usage/more", None, 404),
    ],
)
def test_what_is_no_page_is_said(tablet: TabletProcess, path: str, form: dict[str, str] | None, status: int) -> None:
    assert ask(tablet, urllib.parse.quote(path), form)[0] == status


def test_speaking_leads_nowhere_else(tablet: TabletProcess) -> None:
    for evil in ("//evil.example/", "https://evil.example/", "/\\evil.example"):
        assert ask(tablet, "/hush", {"page": evil})[1] == "/"


def test_files_are_what_the_town_says_they_are(tablet: TabletProcess) -> None:
    status, _, text = ask(tablet, f"/files/{digest(paper())}")
    assert (status, text[:5]) == (200, "%PDF-")


def test_a_locked_tablet_shows_nothing_but_that(tmp_path: Path) -> None:
    with TabletProcess(tmp_path) as tablet:
        tablet.lay(content(now_ms()), paper(), PICTURE)
        locked.write(tablet.state, Locked("locked", "総務課 内線 123"))
        tablet.start()
        for path in ("/", "/news", f"/news/{NEWSLETTER}", "/usage", f"/files/{digest(PICTURE)}"):
            text = ask(tablet, path)[2]
            assert "このタブレットは使えません" in text
            assert "This tablet cannot be used" in text
            assert "総務課 内線 123" in text
            assert "広報" not in text
        ask(tablet, "/help", {"about": "other"})
        tablet.stop()
        assert tablet.records("help_ask") == []


def test_a_port_that_somebody_has_is_said_and_nothing_begins(tmp_path: Path, tablet: TabletProcess) -> None:
    other = TabletProcess(tmp_path)
    other.port = tablet.port
    other.settings["tablet"] = {"port": tablet.port}
    with other:
        other.launch()
        assert other.agent is not None
        other.agent.process.wait(60)
        assert other.stop() == 2
        assert not other.records("usage")


def test_what_was_said_to_be_kept_is_kept_through_a_power_cut(tmp_path: Path) -> None:
    with TabletProcess(tmp_path) as tablet:
        tablet.lay(content(now_ms()), paper(), PICTURE)
        tablet.start()
        assert ask(tablet, "/help", {"about": "daily"})[:2] == (303, "/help")
        ask(tablet, f"/surveys/{SURVEY}/0", {"answer": "2"})
        _kill(tablet)
        # A draft is still there, and the request is open.
        tablet.start()
        assert "（くらしや体のこと）" in ask(tablet, "/help")[2]
        assert "いいえ" in ask(tablet, f"/surveys/{SURVEY}/check")[2]
        assert ask(tablet, f"/surveys/{SURVEY}/send", {})[0] == 303
        _kill(tablet)
        tablet.start()
        # Sent once: pressing again tells nothing more.
        ask(tablet, f"/surveys/{SURVEY}/send", {})
        ask(tablet, "/help", {"about": "other"})
        tablet.stop()
        (answer,) = tablet.records("answer")
        assert codec.decode_body("answer", answer.body) == Answer(SURVEY, (("いいえ",), (), ()))
        (asked,) = tablet.records("help_ask")
        assert codec.decode_body("help_ask", asked.body).about == "daily"


def _kill(tablet: TabletProcess) -> None:
    assert tablet.agent is not None
    os.kill(tablet.agent.process.pid, signal.SIGKILL)
    tablet.stop()


def test_the_page_says_when_the_town_hall_has_the_request(tmp_path: Path, broker: Broker) -> None:
    with TabletProcess(tmp_path).with_broker(broker.port) as tablet:
        hub = TinyHub(broker.port)
        hub.start()
        tablet.start()
        ask(tablet, "/help", {"about": "tablet"})
        until(lambda: "役場に届いています。" in ask(tablet, "/help")[2], "it arrived")
        until(lambda: "つながっていません" not in ask(tablet, "/")[2], "the hub is heard")
        ask(tablet, "/help/back", {})
        until(lambda: len(_asks(hub)) == 2, "that it was taken back")
        hub.stop()
        first, second = _asks(hub)
        assert (first.state, second.state, first.ask) == ("asked", "taken_back", second.ask)


def _asks(hub: TinyHub) -> list[HelpAsk]:
    every = [record for records in hub.records.values() for record in records if record.kind == "help_ask"]
    return [codec.decode_body("help_ask", record.body) for record in every]


def test_without_a_port_there_is_no_page(tmp_path: Path) -> None:
    port = free_port()
    tablet = TabletProcess(tmp_path)
    tablet.settings["tablet"] = {}
    with tablet:
        tablet.port = port
        tablet_started(tablet)
        with pytest.raises(ConnectionRefusedError):
            ask(tablet, "/")


def tablet_started(tablet: TabletProcess) -> None:
    """Starts an agent that has no page, and waits until it counts."""
    tablet.launch()
    until((tablet.state / "tablet" / "usage.db").exists, "it counts")
