"""The terminal's page over real HTTP: who may ask, what is answered, and what is pushed."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from edge_agent.clock import Clock
from edge_agent.kiosk import web
from edge_agent.kiosk.screen import Answer, Screen, View
from edge_agent.settings import KioskSettings
from tests.attendance.desk import hurried
from tests.broker import free_port
from tests.clock.hand_time import MORNING_MS, HandTime

_WITHIN_S = 60


class Served:
    """A page being served, and somebody who asks for it."""

    def __init__(self, port: int, asker: aiohttp.ClientSession) -> None:
        self.port, self.asker = port, asker
        self.screen = Screen()
        self.host = f"127.0.0.1:{port}"

    async def get(self, path: str, **headers: str) -> tuple[int, str, dict[str, str]]:
        """Status, text and headers."""
        async with self.asker.get(f"http://{self.host}{path}", headers=headers, allow_redirects=False) as answer:
            return answer.status, await answer.text(), dict(answer.headers)

    async def post(self, path: str, body: object, **headers: str) -> tuple[int, str]:
        """Status and text; `body` as it is when it is bytes, as JSON otherwise."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with self.asker.post(f"http://{self.host}{path}", data=data, headers=headers) as answer:
            return answer.status, await answer.text()

    @contextlib.asynccontextmanager
    async def events(self) -> AsyncIterator["Events"]:
        """The stream of views."""
        async with self.asker.get(f"http://{self.host}/events") as answer:
            assert answer.headers["Content-Type"] == "text/event-stream"
            assert await answer.content.readline() == b"retry: 500\n"
            assert await answer.content.readline() == b"\n"
            yield Events(answer)


class Events:
    """A stream that is being read."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self._answer = answer

    async def following(self) -> dict[str, Any]:
        """The next view."""
        line = await self._answer.content.readline()
        assert line.startswith(b"data: ")
        assert await self._answer.content.readline() == b"\n"
        view: dict[str, Any] = json.loads(line.removeprefix(b"data: "))
        return view


@contextlib.asynccontextmanager
async def served(folder: Path, **settings: Any) -> AsyncIterator[Served]:
    """Serves on a free port of 127.0.0.1."""
    port = free_port()
    async with aiohttp.ClientSession() as asker:
        one = Served(port, asker)
        kiosk = KioskSettings(port=port, **settings)
        app = web.make_app(one.screen, Clock(folder / "good-time", HandTime()), kiosk)
        serving = asyncio.create_task(web.serve(app, web.listen("127.0.0.1", port)))
        try:
            yield one
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


def _run(work: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(_WITHIN_S):
            await work

    asyncio.run(bounded())


# ---- the page


def test_the_page_and_its_parts(tmp_path: Path) -> None:
    async def journey() -> None:
        async with served(tmp_path, contact='内線 <1> "2"') as one:
            status, text, headers = await one.get("/")
            assert status == 200
            assert '<html lang="ja" data-contact="内線 &lt;1&gt; &quot;2&quot;">' in text
            assert "{" not in text
            policy = headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")
            assert 'lang="en"' in (await one.get("/?lang=en"))[1]
            assert 'lang="ja"' in (await one.get("/?lang=%3Cscript%3E"))[1]
            for part in ("kiosk.css", "kiosk.js", "icon.svg"):
                assert f"/static/{part}" in text
                status, _, headers = await one.get(f"/static/{part}")
                assert (status, headers["X-Content-Type-Options"]) == (200, "nosniff")
            for nowhere in ("/nothing", "/static/../web.py", "/static/%2e%2e/web.py", "/static/"):
                status, text, headers = await one.get(nowhere)
                assert status in (403, 404)
                assert "aiohttp import" not in text
                assert headers["Content-Security-Policy"] == policy

    _run(journey())


def test_the_page_in_the_language_of_its_settings(tmp_path: Path) -> None:
    async def journey() -> None:
        async with served(tmp_path, language="en") as one:
            assert '<html lang="en" data-contact="">' in (await one.get("/"))[1]
            assert '<html lang="ja"' in (await one.get("/?lang=ja"))[1]

    _run(journey())


def test_how_it_is(tmp_path: Path) -> None:
    async def journey() -> None:
        async with served(tmp_path) as one:
            assert json.loads((await one.get("/healthz"))[1]) == {"state": "starting", "onlookers": 0}
            one.screen.ground(View("idle"))
            async with one.events() as events:
                await events.following()
                assert json.loads((await one.get("/healthz"))[1]) == {"state": "idle", "onlookers": 1}

    _run(journey())


# ---- who may ask


def test_only_this_machines_names_lead_here(tmp_path: Path) -> None:
    async def journey() -> None:
        async with served(tmp_path) as one:
            for host in (f"127.0.0.1:{one.port}", f"localhost:{one.port}", f"[::1]:{one.port}"):
                assert (await one.get("/", Host=host))[0] == 200
            strangers = ("evil.example", f"evil.example:{one.port}", "127.0.0.1", f"127.0.0.1:{one.port}.evil.example")
            for host in strangers:
                for path in ("/", "/events", "/static/kiosk.js", "/healthz"):
                    status, text, headers = await one.get(path, Host=host)
                    assert (status, text) == (403, "this page is for the terminal itself")
                    assert "Content-Security-Policy" in headers

    _run(journey())


def test_only_this_page_changes_anything(tmp_path: Path) -> None:
    async def journey() -> None:
        async with served(tmp_path) as one:
            for origin in (
                "http://evil.example",
                "null",
                f"https://{one.host}",
                f"http://{one.host}.evil.example",
                one.host,
            ):
                for path in ("/direction", "/answer"):
                    status, text = await one.post(path, {"direction": "clock_out", "number": 0}, Origin=origin)
                    assert (status, text) == (403, "only the terminal's own page may do this")
            assert one.screen.choices.empty()
            for own in (f"http://127.0.0.1:{one.port}", f"http://localhost:{one.port}"):
                assert (await one.post("/direction", {"direction": "clock_out"}, Origin=own))[0] == 200
                assert one.screen.choices.get_nowait() == "clock_out"

    _run(journey())


def test_looking_changes_nothing(tmp_path: Path) -> None:
    async def journey() -> None:
        async with served(tmp_path) as one:
            for path in ("/direction", "/answer"):
                assert (await one.get(path))[0] == 405

    _run(journey())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        [],
        1,
        {},
        {"direction": "out"},
        {"direction": 1},
        {"direction": None},
        b'{"direction":"clock_in"',
    ],
)
def test_what_is_no_direction_is_a_400(tmp_path: Path, body: object) -> None:
    async def journey() -> None:
        async with served(tmp_path) as one:
            status, text = await one.post("/direction", body)
            assert status == 400
            assert text.startswith("expected direction as JSON; ")
            status, text = await one.post("/answer", body)
            assert status == 400
            assert text.startswith("expected number, direction as JSON; ")
            assert one.screen.choices.empty()
            assert one.screen.answers.empty()

    _run(journey())


def test_an_answer_needs_its_question(tmp_path: Path) -> None:
    async def journey() -> None:
        async with served(tmp_path) as one:
            status, text = await one.post("/answer", {"number": 0, "direction": "clock_in"})
            assert (status, text) == (409, "this question is no longer on the screen")
            one.screen.show(View("question", at_ms=1))
            number = one.screen.view.number
            assert (await one.post("/answer", {"number": number - 1, "direction": "clock_in"}))[0] == 409
            assert (await one.post("/answer", {"number": str(number), "direction": "clock_in"}))[0] == 400
            assert one.screen.answers.empty()
            assert (await one.post("/answer", {"number": number, "direction": "clock_in"}))[0] == 200
            assert one.screen.answers.get_nowait() == Answer(number, "clock_in")

    _run(journey())


# ---- what is pushed


def test_each_view_is_pushed_with_the_agents_time(tmp_path: Path) -> None:
    async def journey() -> None:
        async with served(tmp_path) as one, one.events() as events, one.events() as others:
            for reading in (events, others):
                first = await reading.following()
                assert (first["state"], first["now_ms"]) == ("starting", MORNING_MS)
            one.screen.show(View("accepted", direction="clock_out", at_ms=5, name="山田花子", waiting=2, hub_away=True))
            for reading in (events, others):
                view = await reading.following()
                assert (view["state"], view["name"], view["direction"]) == ("accepted", "山田花子", "clock_out")
                assert (view["at_ms"], view["waiting"], view["hub_away"], view["number"]) == (5, 2, True, 1)

    _run(journey())


def test_the_view_is_said_again_while_nothing_changes(tmp_path: Path) -> None:
    async def journey() -> None:
        async with served(tmp_path) as one, one.events() as events:
            views = [await events.following() for _ in range(3)]
            assert [view["state"] for view in views] == ["starting"] * 3
            assert {view["number"] for view in views} == {0}

    hurried(journey())


def test_who_leaves_is_forgotten(tmp_path: Path) -> None:
    async def journey() -> None:
        async with served(tmp_path) as one:
            async with one.events() as events:
                await events.following()
                assert one.screen.onlookers == 1
            for at_ms in range(1000):
                if one.screen.onlookers == 0:
                    return
                one.screen.show(View("accepted", at_ms=at_ms))
                await asyncio.sleep(0.2)
            raise AssertionError("still written to")

    hurried(journey())


def test_it_also_listens_on_the_other_loopback() -> None:
    port = free_port()
    try:
        listening = web.listen("::1", port)
    except OSError as error:
        pytest.skip(f"no IPv6 loopback here: {error}")
    assert listening.getsockname()[:2] == ("::1", port)
    listening.close()
