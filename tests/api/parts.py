"""What these tests share: a program that calls the API, and devices that the hub has heard."""

from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

import httpx

from hub import pages
from hub.access import Role
from hub.api import token_store
from hub.api.scope import SCOPES, Scope
from hub.api.service import ROOT
from hub.db import Connection
from hub.fleet.known import Known
from hub.ingest_group import Group
from tests.ingest.parts import batch, punch, record
from tests.login.parts import Town
from wire import codec, topics
from wire.messages import Inventory, Presence

DAY_MS = 86_400_000


class Api:
    """One program with one token."""

    def __init__(
        self,
        town: Town,
        scopes: Iterable[Scope] = SCOPES,
        *,
        name: str = "hanako",
        role: Role = "administrator",
        days: int = 1,
    ) -> None:
        self.town, self.name = town, name
        known = town.read(lambda conn: conn.execute("SELECT id FROM person WHERE name = ?", (name,)).fetchone())
        self.person = known[0] if known else town.add(name, role)
        now_ms = pages.now_ms()

        def make(conn: Connection) -> str:
            return token_store.make(conn, "test", self.person, scopes, now_ms, now_ms + days * DAY_MS)

        self.token = town.write(make)
        self._http = httpx.Client(base_url=town.url + ROOT, timeout=60)

    def ask(
        self, method: str, path: str, body: object = None, *, token: str | None = None, **headers: str
    ) -> httpx.Response:
        """One call; `token` instead of its own, empty for none."""
        given = self.token if token is None else token
        sent = {**({"Authorization": f"Bearer {given}"} if given else {}), **headers}
        return self._http.request(method, path, json=body, headers=sent)

    def get(self, path: str, **query: object) -> Any:
        """What a call gives that must succeed."""
        values: Mapping[str, Any] = query
        answer = self._http.get(path, params=values, headers={"Authorization": f"Bearer {self.token}"})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def raw(self, method: str, path: str, content: bytes, kind: str = "application/json") -> httpx.Response:
        """A call with bytes as they are."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        return self._http.request(method, path, content=content, headers=headers)

    def __enter__(self) -> "Api":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()


def hear(town: Town, *names: str, kind: str = "terminal", punches: int = 0) -> None:
    """The hub hears devices: they come, tell what they are, how they are, and of some taps."""
    group = Group(Known(town.db), pages.now_ms())
    for number, name in enumerate(names):
        told = Presence(True, f"boot-{name}", 1, "0.1.0", kind, run=f"{number:016}")
        group.add(topics.topic(name, "presence"), codec.encode(told))
        made = record(1, Inventory(model="Pi", serial=f"s-{name}"), "inventory", boot=f"boot-{name}")
        group.add(topics.topic(name, "up"), codec.encode(batch(0, made, record(2, boot=f"boot-{name}"))))
        if punches:
            taps = (punch(seq, boot=f"boot-{name}") for seq in range(1, punches + 1))
            group.add(topics.topic(name, "up"), codec.encode(batch(0, *taps, lane="urgent")))
    town.db.write_now(group.close())


def problem(answer: httpx.Response, status: int) -> str:
    """The sentence of a refusal, which must be a whole problem as RFC 9457 has it."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert set(body) == {"type", "title", "status", "detail"}
    assert body["status"] == status
    detail = str(body["detail"])
    assert detail
    assert "\n" not in detail
    return detail
