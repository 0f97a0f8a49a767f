"""A stolen device: one action, and it is on hold, wiped and out, also when it comes back later; and its undoing."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
from cryptography import x509

from hub import pages
from hub.db import Connection
from hub.fleet import outbox
from hub.identity import store as identity
from hub.orders import giving, stolen_store
from hub.orders import store as orders
from hub.orders.giving import Target
from tests.journey.parts import Agent, soon
from tests.lock.parts import Supervised
from tests.login.parts import Browser, Town
from wire import codec
from wire.messages import Order

NAME = "terminal-1"


class Scene:
    """A hub in this process, a broker under supervisord, and one whole agent."""

    def __init__(self, folder: Path, broker: Supervised) -> None:
        self.town = Town(folder, broker_port=broker.port)
        settings = msgspec.structs.replace(self.town.settings, broker=broker.settings().broker)
        self.town.app.state.settings = settings
        self.identity = broker.pki.identity(NAME, folder / "agent" / "state" / "identity")
        self.agent = Agent(folder / "agent", broker.port)
        self.town.start()
        self.town.add("hanako", "it")
        self.it = Browser(self.town)
        self.it.sign_in("hanako")
        (self.identity / "orders.pub").write_text(self.town.app.state.signing.public)

    def register(self) -> None:
        """Enters the agent's certificate as if it had enrolled here."""
        leaf = x509.load_pem_x509_certificates((self.identity / "certificate.pem").read_bytes())[0]
        end_ms = int(leaf.not_valid_after_utc.timestamp() * 1000)
        serial = f"{leaf.serial_number:x}"

        def enter(conn: Connection) -> None:
            device = identity.make_device(conn, NAME, "terminal", pages.now_ms())
            identity.keep(conn, device, serial, "a key", "code", pages.now_ms(), end_ms, "")

        self.town.write(enter)

    def online(self) -> bool:
        """Whether the hub hears the device."""
        return bool(self.town.read(lambda conn: conn.execute("SELECT 1 FROM device WHERE online = 1").fetchone()))

    def theft(self) -> stolen_store.Stolen | None:
        """What the hub knows of the theft."""
        return self.town.read(lambda conn: stolen_store.one(conn, 1))

    def is_shut_out(self) -> bool:
        """Whether the broker does not let it in any more."""
        theft = self.theft()
        return theft is not None and theft.shut_out_ms is not None

    def order(self, order_id: str) -> orders.OrderRow:
        """How far an order is."""
        row = self.town.read(lambda conn: orders.order(conn, order_id, pages.now_ms()))
        assert row is not None
        return row

    def end(self) -> None:
        """Ends everything."""
        if self.agent.process is not None:
            self.agent.process.kill()
            self.agent.process.wait()
        self.agent.field.stop()
        self.town.stop()


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A town with one device that has not begun yet."""
    with Supervised(tmp_path) as broker:
        scene = Scene(tmp_path, broker)
        try:
            yield scene
        finally:
            scene.end()


def _give(scene: Scene, name: str) -> str:
    target = Target(1, NAME, "terminal")
    return scene.town.write(
        lambda conn: giving.give(conn, scene.town.app.state.signing, target, (name, {}), "test", pages.now_ms())
    )


def test_c9_stolen_while_it_is_connected(scene: Scene) -> None:
    scene.register()
    state = scene.agent.state_dir
    (state / "roster.toml").write_text("[names]\n")
    scene.agent.start()
    assert soon(scene.online)
    answer = scene.it.send(f"/devices/{NAME}/stolen", {"confirm": "yes"})
    assert answer.status_code == 303
    assert soon(scene.is_shut_out)
    theft = scene.theft()
    assert theft is not None
    assert scene.order(theft.order_id).progress.state in ("delivered", "done")
    # It is erased, whoever has it: no names, no key; the agent ends and does not come in again.
    assert soon(lambda: not (state / "roster.toml").exists())
    assert soon(lambda: not (state / "identity").exists(), 120)
    assert soon(lambda: not scene.online())
    rows = scene.town.read(lambda conn: identity.of_device(conn, 1))
    assert [row.reason for row in rows] == ["stolen"]
    assert scene.town.did()[-2:] == ["order", "stolen"]
    page = scene.it.get(f"/devices/{NAME}").text
    assert "証明書を失効させ、接続を切りました" in page
    assert "見つかった" in page


def test_c9_stolen_while_it_is_away(scene: Scene) -> None:
    scene.register()
    waiting = _give(scene, "identify")
    assert scene.it.get(f"/devices/{NAME}/stolen").status_code == 200
    assert scene.it.send(f"/devices/{NAME}/stolen").status_code == 400
    scene.it.send(f"/devices/{NAME}/stolen", {"confirm": "yes"})
    assert soon(scene.is_shut_out)
    assert scene.order(waiting).progress.detail == "replaced"
    # Lock-and-wipe is all that it is told, and nothing else can be ordered.
    (message,) = scene.town.read(lambda conn: outbox.despite_hold(conn, 1, pages.now_ms()))
    order = codec.decode_down(message)
    assert isinstance(order, Order)
    assert (order.name, order.arguments) == ("wipe", {"at_once": True})
    assert scene.it.send("/orders", {"device": NAME, "order": "ping"}).status_code == 409
    # Its certificate does not open the broker's door any more.
    scene.agent.start()
    assert not soon(scene.online, 5)
    assert httpx.get(f"{scene.agent.kiosk.url}/healthz").status_code == 200


def test_found_again_it_must_enrol_anew_and_is_not_wiped(scene: Scene) -> None:
    scene.register()
    scene.it.send(f"/devices/{NAME}/stolen", {"confirm": "yes"})
    theft = scene.theft()
    assert theft is not None
    assert scene.it.send(f"/devices/{NAME}/found").status_code == 303
    assert scene.theft() is None
    assert scene.order(theft.order_id).progress.detail == "withdrawn"
    assert scene.town.read(lambda conn: outbox.despite_hold(conn, 1, pages.now_ms())) == ()
    assert scene.town.read(outbox.held) == {}
    assert not scene.town.read(lambda conn: identity.is_good(conn, 1, pages.now_ms()))
    assert scene.town.did()[-1] == "found_again"
    # Once more changes nothing.
    scene.it.send(f"/devices/{NAME}/found")
    assert scene.town.did()[-1] == "found_again"
    assert scene.town.did().count("found_again") == 1


def test_what_is_unknown_is_not_stolen(scene: Scene) -> None:
    assert scene.it.get("/devices/nowhere/stolen").status_code == 404
    assert scene.it.send("/devices/nowhere/stolen", {"confirm": "yes"}).status_code == 404
    assert scene.it.send("/devices/nowhere/found").status_code == 404
