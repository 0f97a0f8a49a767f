"""What these tests share: a real hub app on a real socket, and people who use it with a browser's manners."""

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TypeVar

import httpx
import uvicorn
from fastapi import FastAPI

from hub import app as hub_app
from hub import audit, pages, password, serving, welcome
from hub.access import Role
from hub.brake import Brake
from hub.db import Connection, Db
from hub.settings import BrokerSettings, Settings
from tests.broker import free_port
from tests.login import second

T = TypeVar("T")

PASSWORD = "a long sentence for tests"
HASHED = password.hashed(PASSWORD)
_CSRF = re.compile(r'name="csrf" value="([0-9a-f]+)"')
_SECRET = re.compile(r'id="secret">([A-Z2-7 ]+)<')
_LINK = re.compile(r"/welcome\?token=([\w-]+)")


class Clock:
    """Seconds that stand still until they are moved."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


class Town:
    """A hub that serves on a thread of its own, with its database in reach.  Its broker is not there."""

    def __init__(self, folder: Path, *, public_url: str = "", broker_port: int = 1) -> None:
        port = free_port()
        self.settings = Settings(
            state_dir=str(folder / "hub"), port=port, public_url=public_url, broker=BrokerSettings(port=broker_port)
        )
        self.url = f"http://127.0.0.1:{port}"
        self.app: FastAPI = hub_app.make_app(self.settings)
        self.clock = Clock()
        self.app.state.brake = Brake(self.clock)
        config = serving.config(self.app, self.settings, port=port)
        self.browsers: list[httpx.Client] = []
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve()))

    def start(self) -> None:
        """Starts it and waits until it answers."""
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive()
            self._thread.join(0.01)

    def stop(self) -> None:
        """Ends it in good order."""
        for browser in self.browsers:
            browser.close()
        self._server.should_exit = True
        self._thread.join(30)
        assert not self._thread.is_alive()

    @property
    def db(self) -> Db:
        """The hub's database."""
        db: Db = self.app.state.db
        return db

    def read(self, fn: Callable[[Connection], T]) -> T:
        """Reads the database."""
        return self.db.read(fn)

    def write(self, fn: Callable[[Connection], T]) -> T:
        """Writes into the database behind the hub's back."""
        return self.db.write_now(fn)

    def did(self) -> list[str]:
        """The words of the audit log, oldest first."""
        return [entry.did for entry in reversed(self.read(audit.entries))]

    def add(self, name: str, role: Role = "administrator") -> int:
        """Somebody with the tests' password, and the tests' authenticator where the role asks for one."""
        return self.write(lambda conn: second.add(conn, Path(self.settings.state_dir), name, role, HASHED))

    def admin_link(self) -> str:
        """The first administrator's token."""
        link = self.write(lambda conn: welcome.first_administrator_link(conn, pages.now_ms(), self.url))
        assert link is not None
        return link.partition("token=")[2]


class Browser:
    """One browser: keeps cookies, sends where a form comes from, follows no redirect by itself."""

    def __init__(self, town: Town) -> None:
        self._http = httpx.Client(base_url=town.url, timeout=30)
        self._origin, self._town = town.url, town
        town.browsers.append(self._http)

    @property
    def cookies(self) -> httpx.Cookies:
        """What the hub gave it."""
        return self._http.cookies

    def get(self, path: str, **headers: str) -> httpx.Response:
        """A page."""
        return self._http.get(path, headers=headers)

    def post(self, path: str, data: dict[str, str] | None = None, **headers: str) -> httpx.Response:
        """A form as it is given, from our own page unless `origin` says otherwise."""
        return self._http.post(path, data=data or {}, headers={"origin": self._origin, **headers})

    def without_origin(self, path: str, data: dict[str, str], **headers: str) -> httpx.Response:
        """A form as an older browser sends it."""
        return self._http.post(path, data=data, headers=headers)

    def raw(self, path: str, body: bytes | Iterator[bytes], kind: str, csrf: str) -> int:
        """The code that some bytes are answered with."""
        headers = {"origin": self._origin, "content-type": kind, "x-csrf": csrf}
        return self._http.post(path, content=body, headers=headers).status_code

    def send(self, path: str, data: dict[str, str] | None = None) -> httpx.Response:
        """A form of a signed-in person, with its CSRF token."""
        return self.post(path, {"csrf": self.csrf(), **(data or {})})

    def stream(self, path: str) -> AbstractContextManager[httpx.Response]:
        """An answer that never ends by itself."""
        return self._http.stream("GET", path, timeout=60)

    def csrf(self, path: str = "/settings") -> str:
        """What the forms of this session carry."""
        found = _CSRF.search(self.get(path).text)
        assert found
        return found[1]

    def sign_in(self, name: str, password: str = PASSWORD, following: str = "/") -> httpx.Response:
        """Name and password, and the code where one is owed; the last answer, that to the code."""
        answer = self.half_sign_in(name, password, following)
        return self.give_code(answer) if answer.headers.get("location", "").startswith("/sign-in/") else answer

    def half_sign_in(self, name: str, password: str = PASSWORD, following: str = "/") -> httpx.Response:
        """Name and password only."""
        return self.post("/sign-in", {"name": name, "password": password, "next": following})

    def give_code(self, answer: httpx.Response) -> httpx.Response:
        """Goes on where a password led: gives the code, or sets an authenticator up first."""
        page = self.get(answer.headers["location"])
        secret = _SECRET.search(page.text)
        self._town.write(second.free)
        form = {"code": second.code(secret[1].replace(" ", "") if secret else second.SECRET)}
        form["next"] = page.url.params.get("next", "/")
        found = _CSRF.search(page.text)
        assert found, page.text
        return self.post(page.url.path, {"csrf": found[1], **form})

    def signed_in(self) -> bool:
        """Whether the hub knows who this is."""
        return self.get("/session").status_code == 204


def token_in(answer: httpx.Response) -> str:
    """The token of the one-time link that a page shows."""
    found = _LINK.search(answer.text)
    assert found, answer.text
    return found[1]


@contextmanager
def running_town(folder: Path, **more: str) -> Iterator[Town]:
    """A hub for the length of a `with`."""
    town = Town(folder, public_url=more.get("public_url", ""))
    town.start()
    try:
        yield town
    finally:
        town.stop()
