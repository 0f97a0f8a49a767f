"""The whole way over a real broker: two persons at a real hub, an agent that is killed, a button while the hub is away.

The agent touches no packet here (`enforce = "nothing"`); on the air it is tried in `tests/wifi/journey`.
"""

import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec
import pytest

from edge_agent.wifi.disaster import Kept, Running
from hub.db import Connection, Db
from hub.orders import giving
from hub.orders.giving import Target
from hub.policy import store as policy
from hub.signing import Signing
from hub.wifi import disaster_store
from hub.wifi.disaster import Run
from tests.broker import Broker, free_port
from tests.certificates import pki
from tests.hub_process import Hub
from tests.journey.parts import Ledger, soon
from tests.login import second
from tests.login.parts import HASHED, Browser
from tests.roster.parts import certify
from wire import settings_file

T = TypeVar("T")

DEVICE = "toshokan-ap"
WITHIN_S = 90.0
FORM = {"reason": "震度5強", "minutes": "1440", "where": "all"}


class Scene:
    """A hub, a broker and an access point, each a process; two people with browsers."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.state_dir = folder, folder / "agent"
        self.button, self.log = folder / "button", folder / "agent.log"
        self.broker, self.signing = Broker(folder), Signing(folder / "hub")
        self.broker.start()
        self.hub = Hub(folder, self.broker.port)
        self.hub.start()
        self.url, self.ledger = self.hub.url, Ledger(self.hub.database)
        self.browsers: list[httpx.Client] = []
        self.agent: subprocess.Popen[bytes] | None = None
        self._write_settings()
        self.start()
        self._register()

    def _write_settings(self) -> None:
        settings_file.write(
            self.folder / "agent.toml",
            {
                "device": DEVICE,
                "kind": "access_point",
                "state_dir": str(self.state_dir),
                "broker": {"port": self.broker.port, "bulk_every_s": 1, "keepalive_s": 5},
                "wifi": {
                    "guests": "nowhere",
                    "enforce": "nothing",
                    "listen": "127.0.0.1",
                    "http_port": free_port(),
                    "https_port": free_port(),
                    "run_dir": str(self.folder),
                    "button": f"file:{self.button}",
                },
            },
            about="An access point under test.",
        )
        pki().identity(DEVICE, self.state_dir / "identity")
        (self.state_dir / "identity" / "orders.pub").write_text(self.signing.public)
        # Machines of tests often have no synchronised clock: this one remembers a good time.
        (self.state_dir / "good-time").write_text(f"{time.time_ns() // 1_000_000}\n")

    def start(self) -> None:
        """Starts the agent."""
        words = [sys.executable, "-m", "edge_agent", "run", "--settings", str(self.folder / "agent.toml")]
        with self.log.open("ab") as log:
            self.agent = subprocess.Popen(words, stdout=log, stderr=log)

    def kill(self) -> None:
        """kill -9."""
        if self.agent is not None:
            self.agent.send_signal(signal.SIGKILL)
            self.agent.wait()
            self.agent = None

    def _register(self) -> None:
        assert soon(lambda: self.ledger.rows("SELECT 1 FROM device WHERE kind = 'access_point'"), WITHIN_S), self.said()
        now_ms = time.time_ns() // 1_000_000
        document = {"access_point": {"network_name": "Town_Free_Wi-Fi"}}
        self.write(lambda conn: policy.publish(conn, self.signing, 1, document, now_ms, "hanako"))
        db = Db(self.hub.database)
        certify(db, DEVICE, self.state_dir / "identity", now_ms)
        for name, role in (("hanako", "it"), ("taro", "approver")):
            db.write_now(lambda conn, n=name, r=role: second.add(conn, self.folder / "hub", n, r, HASHED))  # type: ignore[misc]
        db.close()
        assert soon(lambda: self.kits() > 0, WITHIN_S), self.said()

    def kits(self) -> int:
        """The version of the kit that the access point goes by, as the hub knows."""
        rows = self.ledger.rows("SELECT generation FROM kit_report WHERE result = 'applied'")
        return int(rows[0][0]) if rows else 0

    def write(self, do: Callable[[Connection], T]) -> T:
        """Writes into the hub's database from beside."""
        db = Db(self.hub.database)
        try:
            return db.write_now(do)
        finally:
            db.close()

    def sign_in(self, name: str) -> Browser:
        """Somebody's browser."""
        browser = Browser(self)  # type: ignore[arg-type]
        assert browser.sign_in(name).status_code == 303
        return browser

    def running(self) -> Running | None:
        """What runs, as the access point has it on its disk."""
        try:
            return msgspec.json.decode((self.state_dir / "wifi" / "disaster.json").read_bytes(), type=Kept).running
        except FileNotFoundError:
            return None

    def reports(self) -> list[tuple[str, str, str]]:
        """What the hub has: run, state, by."""
        return self.ledger.rows("SELECT run, state, told_by FROM disaster_report ORDER BY id")

    def said(self) -> str:
        """What everybody said."""
        return "\n".join(f"{path}:\n{path.read_text()[-4000:]}" for path in (self.log, self.hub.log))

    def office_away(self) -> None:
        """The hub and its broker are gone."""
        self.hub.stop()
        self.broker.stop()

    def office_back(self) -> None:
        """They are there again."""
        self.broker.start()
        self.hub.start()

    def close(self) -> None:
        """Ends everything."""
        self.kill()
        for browser in self.browsers:
            browser.close()
        for one in (self.hub, self.broker):
            if one.process is not None:
                one.stop()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A town with one access point, whose kit has come."""
    scene = Scene(tmp_path)
    try:
        yield scene
    finally:
        scene.close()


def _ask_and_confirm(scene: Scene) -> tuple[Browser, int]:
    hanako, taro = scene.sign_in("hanako"), scene.sign_in("taro")
    number = int(hanako.send("/wifi/disaster", FORM).headers["location"].rpartition("/")[2])
    path = f"/wifi/disaster/{number}/confirmation"
    own = hanako.send(path, {"do": "confirm", "sure": "yes"})
    assert own.status_code == 409
    assert "申請した本人は承認できません" in own.text
    assert taro.send(path, {"do": "confirm", "sure": "yes"}).status_code == 303
    return taro, number


def test_from_the_two_persons_to_the_air_and_back_through_a_kill_to_the_end(scene: Scene) -> None:
    taro, number = _ask_and_confirm(scene)

    def page() -> str:
        return re.sub(r"<[^>]+>|\s+", " ", taro.get(f"/wifi/disaster/{number}").text)

    assert soon(lambda: "始めました" in page(), WITHIN_S), scene.said()
    assert "実施中" in page()
    running = scene.running()
    assert running is not None
    scene.kill()
    scene.start()
    assert soon(lambda: (running.run, "begun", "restart") in scene.reports(), WITHIN_S), scene.said()
    again = scene.running()
    assert again is not None
    assert (again.run, again.ends_ms) == (running.run, running.ends_ms)
    assert again.left_ms <= running.left_ms
    printed = taro.get(f"/wifi/disaster/{number}/evidence").text
    assert "指示の番号" in printed
    assert taro.send(f"/wifi/disaster/{number}", {"do": "end", "sure": "yes"}).status_code == 303
    assert soon(lambda: (running.run, "ended", "order") in scene.reports(), WITHIN_S), scene.said()
    assert scene.running() is None
    assert soon(lambda: "終わりました" in page())


def test_it_ends_by_time_while_the_hub_is_away(scene: Scene) -> None:
    name, now_ms = f"disaster-{secrets.token_hex(3)}", time.time_ns() // 1_000_000
    # Long enough for the hub to go before it ends on a busy machine, and to be waited for.
    until_ms = now_ms + 25_000
    arguments: dict[str, Any] = {"action": "begin", "run": name, "minutes": 60, "until_ms": until_ms}

    def give(conn: Connection) -> None:
        (device_id,) = conn.execute("SELECT id FROM device WHERE name = ?", (DEVICE,)).fetchone()
        run = Run(0, name, False, "x", 60, (), now_ms, "hanako", "", None, "", None, None, "")
        number = disaster_store.ask(conn, run, now_ms)
        conn.execute(
            "UPDATE disaster SET decided = 'confirm', decided_by = 'taro', decided_ms = ?, ends_ms = ? WHERE id = ?",
            (now_ms, until_ms, number),
        )
        target = Target(device_id, DEVICE, "access_point")
        order = giving.give(conn, scene.signing, target, ("disaster", arguments), "taro", now_ms)
        conn.execute("INSERT INTO disaster_point VALUES (?, ?, ?, '')", (number, device_id, order))

    scene.write(give)
    assert soon(lambda: scene.running() is not None, WITHIN_S), scene.said()
    scene.office_away()
    assert soon(lambda: scene.running() is None, WITHIN_S), scene.said()
    assert time.time_ns() // 1_000_000 >= until_ms - 1000
    scene.office_back()
    assert soon(lambda: (name, "ended", "time") in scene.reports(), WITHIN_S), scene.said()
    assert (name, "begun", "order") in scene.reports()
    assert soon(lambda: scene.ledger.rows("SELECT ended_by FROM disaster WHERE ended_ms IS NOT NULL") == [("",)])


def test_the_button_works_while_the_hub_is_unreachable_and_its_order_is_replaced(scene: Scene) -> None:
    kit = scene.kits()
    scene.office_away()
    scene.button.touch()
    assert soon(lambda: scene.running() is not None, WITHIN_S), scene.said()
    scene.button.unlink()
    running = scene.running()
    assert running is not None
    assert running.run.startswith("standing-")
    # A power cut right after it, and the hub still away.
    scene.kill()
    scene.start()
    scene.office_back()
    assert soon(lambda: (running.run, "begun", "button") in scene.reports(), WITHIN_S), scene.said()
    assert soon(lambda: scene.kits() > kit, WITHIN_S), scene.said()
    hanako = scene.sign_in("hanako")
    assert "アクセスポイントのボタン" in hanako.get("/wifi/disaster").text
    ((number,),) = scene.ledger.rows("SELECT id FROM disaster WHERE decided = 'button'")
    assert hanako.send(f"/wifi/disaster/{number}", {"do": "end", "sure": "yes"}).status_code == 303
    assert soon(lambda: (running.run, "ended", "order") in scene.reports(), WITHIN_S), scene.said()
    # The order of the new kit is another one.
    scene.button.touch()
    assert soon(lambda: scene.running() is not None, WITHIN_S), scene.said()
    again = scene.running()
    assert again is not None
    assert again.run != running.run
