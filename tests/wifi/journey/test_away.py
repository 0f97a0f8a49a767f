"""Scenarios 4 and 7 of the acceptance: the office is away for a while, the agent is killed, the button is pressed."""

import json
import signal
import time
from pathlib import Path

from hub.db import Connection
from hub.orders import giving
from hub.orders.giving import Target
from hub.signing import Signing
from tests.journey.parts import soon
from tests.wifi.journey.bed import API, DEVICE, Point
from tests.wifi.netns import OFFICE4, SITE, needs_netns

pytestmark = needs_netns

UNRESTRICTED = "urn:ietf:params:capport:unrestricted"


def test_what_happened_while_the_office_was_away_is_known_once_and_as_it_was(tmp_path: Path) -> None:
    with Point(tmp_path) as point:
        leases = {client: point.comes(client) for client in ("c1", "c2")}
        assert set(leases) == {"c1", "c2"}
        point.office_away()
        began_ms = time.time_ns() // 1_000_000
        point.agrees("c1", "ja-easy")
        assert soon(lambda: point.net.status("c1", f"http://{SITE}/bytes/700000") == "200"), point.words()
        point.stop(signal.SIGKILL)
        point.start()
        assert soon(lambda: point.is_let_in("c1")), point.words()
        assert point.presses("c1", "leave", "ja-easy")
        assert soon(lambda: not point.is_let_in("c1"))
        point.agrees("c2", "ko")
        assert soon(lambda: point.net.status("c2", f"http://{SITE}/bytes/900000") == "200"), point.words()
        point.stop(signal.SIGKILL)
        point.start()
        assert soon(lambda: point.is_let_in("c2")), point.words()
        left_ms = time.time_ns() // 1_000_000
        point.office_back()

        assert soon(lambda: len(point.sessions()) == 2 and point.sessions()[1][4] > 900_000), point.words()
        (_, _, cause, _, down, ended_ms), second = point.sessions()
        assert cause == "user"
        assert 700_000 < down < 900_000
        # When it happened, not when it was told.
        assert began_ms <= ended_ms <= left_ms
        assert second[2:3] == ("",)
        consents = point.ledger.rows("SELECT language, way FROM wifi_consent ORDER BY at_ms")
        assert consents == [("ja-easy", "click"), ("ko", "click")]


def test_the_button_opens_the_disaster_network_while_the_office_is_away(tmp_path: Path) -> None:
    with Point(tmp_path) as point:
        for client in ("c1", "c2"):
            point.comes(client)
        point.agrees("c1")
        assert soon(lambda: point.net.status("c1", f"http://{SITE}/") == "200"), point.words()
        point.office_away()
        assert point.state("c2")["captive"] is True
        point.button.touch()
        assert soon(lambda: point.net.status("c2", f"http://{SITE}/") == "200"), point.words()
        point.button.unlink()
        assert soon(lambda: UNRESTRICTED in (point.run_dir / "dnsmasq.conf").read_text()), point.words()
        assert soon(lambda: point.is_let_in("c2")), point.words()
        told = point.state("c2")
        assert not {"seconds-remaining", "bytes-remaining"} & told.keys()
        # Who was through before is so still; the office stays out of reach.
        assert point.net.status("c1", f"http://{SITE}/") == "200"
        assert not point.net.pings("c2", OFFICE4)
        assert bytes.fromhex(point.comes("c2")["opt114"]).decode() == UNRESTRICTED
        # A restart in the middle goes on with it.
        point.stop(signal.SIGKILL)
        point.start()
        assert soon(lambda: point.is_let_in("c2")), point.words()

        point.office_back()
        reports = "SELECT run, state, told_by, evidence FROM disaster_report ORDER BY id"
        assert soon(lambda: point.ledger.rows(reports)), point.words()
        run, state, by, evidence = point.ledger.rows(reports)[0]
        assert (run.split("-")[0], state, by) == ("standing", "begun", "button")
        assert any("held_ms" in line for line in json.loads(evidence)), evidence

        def end(conn: Connection) -> str:
            order = ("disaster", {"action": "end", "run": run, "minutes": 1})
            now_ms = time.time_ns() // 1_000_000
            return giving.give(
                conn, Signing(point.folder / "hub"), Target(1, DEVICE, "access_point"), order, "h", now_ms
            )

        point.write(end)
        assert soon(lambda: API in (point.run_dir / "dnsmasq.conf").read_text()), point.words()
        assert soon(lambda: point.net.status("c2", f"http://{SITE}/", "--max-time", "3") != "200"), point.words()
        assert soon(lambda: [row[1] for row in point.ledger.rows(reports)][-1] == "ended"), point.ledger.rows(reports)
