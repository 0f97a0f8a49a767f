"""What the resident does on the tablet's pages: each change is on disk before the next page says so."""

from typing import Literal, get_args

import msgspec
from aiohttp import web

from edge_agent.tablet import choices, views
from edge_agent.tablet.answers import TooLong, chosen
from edge_agent.tablet.choices import Choices
from edge_agent.tablet.desk import Desk, item, number, view
from edge_agent.tablet.door import DESK, shown, to
from edge_agent.tablet.help import About
from edge_agent.tablet.page import said


def add_to(app: web.Application) -> None:
    """The addresses that change something."""
    post = app.router.add_post
    post("/help", _ask)
    post("/help/back", _take_back)
    post("/surveys/{item}/send", _send)
    post("/surveys/{item}/{number}", _answer)
    post("/settings", _set)
    post("/speak", _speak)
    post("/hush", _hush)


async def _form(request: web.Request) -> list[tuple[str, str]]:
    posted = await request.post()
    return [(name, value) for name, value in posted.items() if isinstance(value, str)]


async def _ask(request: web.Request) -> web.Response:
    desk, form = request.app[DESK], dict(await _form(request))
    about = form.get("about", "other")
    if about not in get_args(About):
        raise web.HTTPBadRequest(text=f"about: expected one of {', '.join(get_args(About))}")
    await desk.help.ask(msgspec.convert(about, About))
    return to("/help")


async def _take_back(request: web.Request) -> web.Response:
    await request.app[DESK].help.take_back()
    return to("/help/back")


async def _answer(request: web.Request) -> web.Response:
    desk = request.app[DESK]
    survey = item(desk, request.match_info["item"], survey=True)
    at = number(request.match_info["number"], len(survey.questions))
    given = chosen(survey.questions[at], [value for name, value in await _form(request) if name == "answer"])
    if given is None:
        raise web.HTTPBadRequest(text="answer: expected the numbers of choices of this question")
    desk.answers.keep(survey, at, given)
    last = at + 1 == len(survey.questions)
    return to(f"/surveys/{survey.id}/{'check' if last else at + 1}")


async def _send(request: web.Request) -> web.StreamResponse:
    desk = request.app[DESK]
    survey = item(desk, request.match_info["item"], survey=True)
    try:
        await desk.answers.send(survey)
    except TooLong:
        page = views.check(desk.words, survey, desk.answers.sheet(survey.id), too_long=True)
        return await shown(request, page, status=422)
    return to(f"/surveys/{survey.id}/thanks")


async def _set(request: web.Request) -> web.Response:
    """One setting at a time, each a button."""
    desk = request.app[DESK]
    found = _chosen(desk, await _form(request))
    desk.choices.save(found)
    now = desk.comfort
    await desk.senses.set_volume(now.volume)
    await desk.senses.set_light(now.light)
    return to("/settings")


def _chosen(desk: Desk, form: list[tuple[str, str]]) -> Choices:
    """The choices with what a button says. Raises HTTPBadRequest."""
    now, comfort, fields = desk.choices.now, desk.comfort, dict(form)
    try:
        if way := fields.get("volume"):
            volume = choices.step(choices.VOLUMES, comfort.volume, msgspec.convert(way, Literal["up", "down"]))
            return msgspec.structs.replace(now, volume=volume)
        if way := fields.get("light"):
            light = choices.step(choices.LIGHTS, comfort.light, msgspec.convert(way, Literal["up", "down"]))
            return msgspec.structs.replace(now, light=light)
        said_: dict[str, object] = msgspec.structs.asdict(now)
        said_ |= {name: fields[name] for name in ("text_size", "language") if name in fields}
        return msgspec.convert(said_, Choices)
    except msgspec.ValidationError as error:
        raise web.HTTPBadRequest(text=f"settings: {error}") from error


async def _speak(request: web.Request) -> web.Response:
    desk, path = request.app[DESK], _own(dict(await _form(request)).get("page", "/"))
    if desk.senses.has_voice and desk.holder.now.speech:
        await desk.senses.speak(said(await view(desk, path)), desk.comfort.language)
    return to(path)


async def _hush(request: web.Request) -> web.Response:
    path = _own(dict(await _form(request)).get("page", "/"))
    await request.app[DESK].senses.hush()
    return to(path)


def _own(path: str) -> str:
    """A path of this page, never another site's address."""
    plain = path.startswith("/") and not path.startswith("//") and path.isascii() and path.isprintable()
    return path if plain and "\\" not in path else "/"
