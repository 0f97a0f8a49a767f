"""Losses are shown until somebody has looked at them; what comes after counts anew."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import pages
from hub.db import Connection
from hub.fleet import store
from hub.fleet.condition import condition
from tests.login.parts import Browser, Town, running_town

NAME = "terminal-1"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A hub with one device that has lost 12 health records, and 3 that nobody keeps any more."""
    with running_town(tmp_path) as running:

        def lose(conn: Connection) -> None:
            conn.execute(
                "INSERT INTO device (id, name, kind, first_heard_ms, last_heard_ms, online) "
                "VALUES (1, ?, 'terminal', 0, ?, 1)",
                (NAME, pages.now_ms()),
            )
            conn.execute("INSERT INTO lane VALUES (1, 1, '0123456789abcdef', 'bulk', 9, 3, ?)", (pages.now_ms(),))
            conn.execute("INSERT INTO dropped VALUES (1, 'health', 12)")

        running.write(lose)
        yield running


def _row(town: Town) -> store.DeviceRow:
    row = town.read(lambda conn: store.device(conn, NAME))
    assert row is not None
    return row


def _word(town: Town) -> str:
    return condition(_row(town), pages.now_ms()).word


def test_a_loss_that_was_looked_at_is_no_fault_until_the_next(town: Town) -> None:
    town.add("hanako")
    admin = Browser(town)
    admin.sign_in("hanako")
    assert _word(town) == "fault"
    assert 'id="seen"' in admin.get(f"/devices/{NAME}").text
    assert admin.send(f"/devices/{NAME}/seen", {"do": "seen"}).headers["location"] == f"/devices/{NAME}"
    row = _row(town)
    assert (row.missing, row.dropped) == (0, 0)
    assert (row.seen.missing, row.seen.dropped, row.seen.who) == (3, 12, "hanako")
    assert _word(town) == "ok"
    page = admin.get(f"/devices/{NAME}").text
    assert "捨てた記録 12件、端末に残っていない記録 3件" in page
    assert 'id="unseen"' in page
    town.write(lambda conn: conn.execute("UPDATE dropped SET n = 13"))
    assert (_row(town).dropped, _word(town)) == (1, "fault")
    admin.send(f"/devices/{NAME}/seen", {"do": "unseen"})
    assert (_row(town).dropped, _row(town).missing) == (13, 3)
    assert town.did()[-2:] == ["seen", "unseen"]


def test_only_who_tends_devices_may_say_so(town: Town) -> None:
    town.add("jiro", "clerk")
    clerk = Browser(town)
    clerk.sign_in("jiro")
    assert 'id="seen"' not in clerk.get(f"/devices/{NAME}").text
    assert clerk.send(f"/devices/{NAME}/seen", {"do": "seen"}).status_code == 403
    assert _word(town) == "fault"


@pytest.mark.parametrize(("path", "do", "code"), [(NAME, "burn", 400), (NAME, "", 400), ("no-such", "seen", 404)])
def test_what_is_none_of_it_changes_nothing(town: Town, path: str, do: str, code: int) -> None:
    town.add("hanako")
    admin = Browser(town)
    admin.sign_in("hanako")
    assert admin.send(f"/devices/{path}/seen", {"do": do}).status_code == code
    assert _row(town).seen == store.Seen()
    assert "seen" not in town.did()
