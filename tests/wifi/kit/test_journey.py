"""From the hub's terms and vouchers to the access point that goes by them, over a real broker, with the hub away.

The access point is the agent as a process; it touches no packet, so that no namespace is needed. What it keeps is
looked at through the portal that it serves, by a client that knows the town's root.
"""

import os
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from edge_agent import verify
from edge_agent.wifi import town_kit
from hub.db import Connection, Db
from hub.fleet import outbox
from hub.signing import Signing
from hub.wifi import certificate, keys, kit_store, terms_store, voucher_store
from hub.wifi.voucher import Wanted
from tests.broker import Broker, free_port
from tests.certificates import pki
from tests.hub_process import Hub
from tests.journey.parts import Ledger, soon
from tests.roster.parts import DAY_MS, certify
from wire import settings_file
from wire.kit import KitContent, code_hash

POINT = "ap-1"
HOST = "portal.machinaka.internal"


def now_ms() -> int:
    """The wall clock."""
    return time.time_ns() // 1_000_000


class Point:
    """An access point on a desk: the agent as a process."""

    def __init__(self, folder: Path, broker_port: int, hub_key: str) -> None:
        self.state, self.log = folder / "point", folder / "point.log"
        self.port = free_port()
        pki().identity(POINT, self.state / "identity")
        (self.state / "identity" / "orders.pub").write_text(hub_key)
        self.settings = folder / "point.toml"
        wifi = {
            "guests": "desk",
            "enforce": "nothing",
            "listen": "127.0.0.1",
            "http_port": free_port(),
            "https_port": self.port,
            "run_dir": str(folder / "run"),
            "tell_every_s": 1,
        }
        settings = {
            "device": POINT,
            "kind": "access_point",
            "state_dir": str(self.state),
            "health_every_s": 1,
            "broker": {"port": broker_port, "bulk_every_s": 1, "keepalive_s": 5},
            "wifi": wifi,
        }
        settings_file.write(self.settings, settings, about="An access point under test.")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it."""
        argv = [sys.executable, "-m", "edge_agent", "run", "--settings", str(self.settings)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log, env=os.environ)

    def kill(self) -> None:
        """The power goes."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            self.process = None

    @property
    def content(self) -> KitContent | None:
        """The kit on its disk."""
        return town_kit.load(self.state).content

    def portal(self, path: str) -> str:
        """A page of its portal, as a guest gets it whose device knows the town's root; empty while there is none."""
        context = ssl.create_default_context(cafile=str(pki().folder / "root.pem"))
        extensions, headers = {"sni_hostname": HOST}, {"host": HOST}
        try:
            with httpx.Client(verify=context, follow_redirects=True, timeout=30) as client:
                answer = client.get(f"https://127.0.0.1:{self.port}{path}", extensions=extensions, headers=headers)
        except httpx.TransportError:
            return ""
        return answer.text


class Town:
    """A hub that has heard its access point and knows its certificate."""

    def __init__(self, folder: Path, hub: Hub, point: Point) -> None:
        self.folder, self.hub, self.point, self.ledger = folder, hub, point, Ledger(hub.database)
        self.keys = keys.folder_of(hub.database.parent)

    def write(self, do: object) -> None:
        """Somebody changes something at the hub."""
        assert callable(do)
        db = Db(self.hub.database)
        db.write_now(do)
        db.close()

    def enter(self) -> None:
        """The access point's certificate comes into the register."""
        db = Db(self.hub.database)
        certify(db, POINT, self.point.state / "identity", now_ms())
        db.close()

    def is_told(self, terms: str) -> bool:
        """Whether the access point said that it goes by the latest kit, and that kit has these terms."""

        def told() -> bool:
            found = self.ledger.read(kit_store.standings)
            return bool(found) and found[0].applied and found[0].terms == terms

        return soon(told)

    def logs(self) -> str:
        """What both wrote."""
        return self.hub.log.read_text() + self.point.log.read_text()


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """Everything runs, and the hub has heard the access point."""
    with Broker(tmp_path) as broker, Hub(tmp_path, broker.port) as hub:
        point = Point(tmp_path, broker.port, Signing(tmp_path / "hub").public)
        point.start()
        try:
            made = Town(tmp_path, hub, point)
            heard = "SELECT 1 FROM device WHERE kind = 'access_point'"
            assert soon(lambda: made.ledger.rows(heard)), made.logs()
            yield made
        finally:
            point.kill()


def publish(conn: Connection) -> None:
    """The town publishes its own terms."""
    texts = {**terms_store.current(conn).texts, "ja": "# 士幌町のWi-Fi\n\n町《まち》の規約です"}
    terms_store.save_draft(conn, texts, "taro", now_ms())
    terms_store.publish_draft(conn, "2026-11-25", "taro", now_ms())
    kit_store.touch(conn)


def test_an_access_point_goes_by_what_the_hub_told_it_also_with_the_hub_away(town: Town) -> None:
    point = town.point
    town.enter()
    # Told by itself: it has a certificate.
    assert town.is_told("shipped-1-180"), town.logs()
    content = point.content
    assert content is not None
    assert content.voucher_key == keys.voucher_key(town.keys)
    made = certificate.current(town.keys, HOST, now_ms())
    assert made is not None
    assert content.chain == made.chain
    # The order for its button is one that it would carry out.
    assert content.standing is not None
    assert verify.order(point.state, POINT, content.standing) is None
    assert soon(lambda: "公衆Wi-Fi利用規約" in point.portal("/ja/terms")), town.logs()

    # Terms and vouchers reach it a moment after they were committed.
    key = keys.voucher_key(town.keys)
    wanted = Wanted("test", 1, 60, 1, now_ms() + DAY_MS)
    hashes = [code_hash(key, "K7M4Q29XRT")]
    town.write(lambda conn: voucher_store.make(conn, wanted, hashes, keys.check(key), "sachi", now_ms()))
    town.write(publish)
    assert town.is_told("2026-11-25"), town.logs()
    content = point.content
    assert content is not None
    assert [one.code for one in content.vouchers] == hashes
    assert soon(lambda: "<ruby>町<rp>" in point.portal("/ja/terms")), town.logs()

    # The hub goes, the power goes: what was told is on the access point's own disk.
    town.hub.stop()
    point.kill()
    point.start()
    assert soon(lambda: "士幌町のWi-Fi" in point.portal("/ja/terms")), town.logs()
    # Back again it says what it goes by, and is not told the same once more.
    town.hub.start()
    assert soon(lambda: town.ledger.rows("SELECT 1 FROM device WHERE online = 1")), town.logs()
    assert town.is_told("2026-11-25"), town.logs()
    assert soon(lambda: not town.ledger.rows("SELECT 1 FROM outbox WHERE what = 'kit'")), town.logs()


def test_an_access_point_on_hold_is_told_nothing_and_one_that_lost_its_disk_everything(town: Town) -> None:
    point = town.point
    town.write(lambda conn: outbox.hold(conn, 1, "stolen", now_ms(), "taro"))
    town.enter()
    town.write(publish)
    # The loop has looked since: what was published is due to nobody.
    seen = now_ms()
    assert soon(lambda: now_ms() > seen + 3000)
    assert not town.ledger.rows("SELECT 1 FROM kit")
    assert point.content is None
    town.write(lambda conn: outbox.release(conn, 1))
    assert town.is_told("2026-11-25"), town.logs()
    point.kill()
    town_kit.remove(point.state)
    point.start()
    assert soon(lambda: point.content is not None), town.logs()


def test_a_kit_of_somebody_else_is_refused_and_the_pages_say_so(town: Town) -> None:
    """The hub's key at the access point is another's: nothing is taken, and the hub is told why."""
    point = town.point
    point.kill()
    (point.state / "identity" / "orders.pub").write_text(Signing(town.folder / "other").public)
    point.start()
    town.enter()

    def error() -> str:
        found = town.ledger.read(kit_store.standings)
        return found[0].error if found else ""

    assert soon(lambda: error() == "signature"), (error(), town.logs())
    assert point.content is None
    assert not town.ledger.rows("SELECT 1 FROM outbox WHERE what = 'kit'")
