"""Rule: a page of the tablet as parts, each with its HTML and with what is read aloud of it.

Everything that comes from elsewhere is escaped here; forms lead to this page's own server and carry no script.
"""

import html
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from edge_agent.kiosk import terms_text
from edge_agent.tablet.choices import Comfort
from edge_agent.tablet.words import WORDS, Words


class Part(NamedTuple):
    """A piece of a page: as HTML, and as it is read aloud (empty: not at all)."""

    html: str
    said: str = ""


class Page(NamedTuple):
    """A page: its heading, where もどる leads (empty on the start page), and its parts. `kind` is for its style."""

    title: str
    parts: tuple[Part, ...]
    back: str = "/"
    kind: str = "page"


class Around(NamedTuple):
    """What every page has. `path` is its own address, `date` and `time` are now in Japan (empty: not known).

    `here` names the state of the start page: when it is another, the start page is out of date.
    """

    comfort: Comfort
    path: str
    town: str = ""
    date: str = ""
    time: str = ""
    lines: tuple[str, ...] = ()
    has_voice: bool = False
    speaking: bool = False
    here: str = ""

    @property
    def words(self) -> Words:
        """The words of the language."""
        return WORDS[self.comfort.language]


# Drawn here: which glyphs a tablet's fonts have, nobody knows.
_ICONS = {
    "help": '<path d="M4 5h24v17H15l-7 6v-6H4z"/><path d="M10 11h12M10 16h8"/>',
    "news": '<path d="M4 7h24v18H4z"/><path d="m4 8 12 9 12-9"/>',
    "survey": '<path d="M7 4h18v24H7z"/><path d="m11 11 2 2 3-4M19 12h3M11 20l2 2 3-4M19 21h3"/>',
    "usage": '<path d="M6 27v-6M13 27V16M20 27V11M27 27V5"/>',
    "settings": '<path d="M4 9h14M26 9h2M4 23h4M16 23h12"/>'
    '<path d="M18 9a4 4 0 1 0 8 0 4 4 0 1 0-8 0M8 23a4 4 0 1 0 8 0 4 4 0 1 0-8 0"/>',
}

# ---- parts


def line(text: str, kind: str = "") -> Part:
    """A sentence."""
    return Part(f"<p{_class(kind)}>{terms_text.inline(text)}</p>", terms_text.read_aloud(text))


def heading(text: str) -> Part:
    """A heading below the page's own."""
    return Part(f"<h2>{terms_text.inline(text)}</h2>", terms_text.read_aloud(text))


def text(body: str) -> Part:
    """A text from the town: paragraphs, headings, lists (`wire/terms_text.py`)."""
    return Part(f'<div class="text">{terms_text.blocks(body)}</div>', terms_text.read_aloud(body))


def notice(words: str, kind: str = "good") -> Part:
    """What has just happened or must be known; shape and colour together. `kind`: good, note, bad."""
    mark = {"good": "●", "note": "▲", "bad": "■"}[kind]
    role = "status" if kind == "good" else "alert"
    shown = f'<span class="mark" aria-hidden="true">{mark}</span><span>{terms_text.inline(words)}</span>'
    return Part(f'<p class="notice {kind}" role="{role}">{shown}</p>', terms_text.read_aloud(words))


def way(to: str, label: str, note: str = "", *, tag: str = "", icon: str = "") -> Part:
    """A large button that leads to another page; `tag` is a word of state on it, `icon` one of _ICONS."""
    return Part(
        f'<a class="way" href="{html.escape(to)}">{_inside(label, note, tag, icon)}</a>', _said(label, note, tag)
    )


def act(to: str, label: str, note: str = "", *, fields: Iterable[tuple[str, str]] = (), kind: str = "") -> Part:
    """A large button that does something."""
    button = f'<button class="way{" " + kind if kind else ""}">{_inside(label, note, "", "")}</button>'
    return Part(f'<form method="post" action="{html.escape(to)}">{_hidden(fields)}{button}</form>', _said(label, note))


def group(parts: Sequence[Part], kind: str) -> Part:
    """Parts that lie together."""
    inside = "".join(part.html for part in parts)
    return Part(f'<div class="{kind}">{inside}</div>', "\n".join(part.said for part in parts if part.said))


def figures(rows: Iterable[tuple[str, str]]) -> Part:
    """Names with their figures."""
    rows = tuple(rows)
    inside = "".join(f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(figure)}</dd></div>" for name, figure in rows)
    return Part(f'<dl class="figures">{inside}</dl>', "\n".join(f"{name} {figure}" for name, figure in rows))


def bar(permille: int, level: str, label: str) -> Part:
    """How much of a whole is used, as a bar; its words stand beside it."""
    told = html.escape(label)
    filled = f'<rect class="{level}" width="{max(0, min(1000, permille))}" height="60"></rect>'
    frame = '<rect class="frame" width="1000" height="60"></rect>'
    return Part(
        f'<svg class="bar" viewBox="0 0 1000 60" preserveAspectRatio="none" role="img" aria-label="{told}">'
        f"{frame}{filled}</svg>"
    )


def picture(source: str, name: str) -> Part:
    """An image of the town's, as wide as the page."""
    return Part(f'<img class="picture" src="{html.escape(source)}" alt="{html.escape(name)}">', "")


def frame(source: str, name: str) -> Part:
    """A document in the browser's own viewer."""
    return Part(f'<iframe class="paper" src="{html.escape(source)}" title="{html.escape(name)}"></iframe>')


class Choice(NamedTuple):
    """One choice of a question."""

    value: str
    label: str
    chosen: bool


def question(to: str, title: str, choices: Sequence[Choice], *, several: bool, further: str) -> Part:
    """A question with choices, each as large as a finger."""
    kind = "checkbox" if several else "radio"
    rows = "".join(
        f'<label class="choice"><input type="{kind}" name="answer" value="{one.value}"'
        f"{' checked' if one.chosen else ''}><span>{terms_text.inline(one.label)}</span></label>"
        for one in choices
    )
    field = f"<fieldset><legend>{terms_text.inline(title)}</legend>{rows}</fieldset>"
    said = "\n".join([terms_text.read_aloud(title), *(terms_text.read_aloud(one.label) for one in choices)])
    return Part(f'<form method="post" action="{html.escape(to)}">{field}{_main(further)}</form>', said)


def written(to: str, title: str, words: str, *, most: int, label: str, further: str) -> Part:
    """A question that is answered in one's own words."""
    field = (
        f'<label for="answer" class="hidden">{html.escape(label)}</label>'
        f'<textarea id="answer" name="answer" rows="4" maxlength="{most}">{html.escape(words)}</textarea>'
    )
    head = f"<h2>{terms_text.inline(title)}</h2>"
    form = f'<form method="post" action="{html.escape(to)}">{field}{_main(further)}</form>'
    return Part(head + form, terms_text.read_aloud(title))


def setting(title: str, now: str, buttons: Sequence[tuple[str, str, str, bool]], to: str) -> Part:
    """A setting: its name, how it is now, and buttons (`name`, `value`, `label`, whether that is how it is)."""
    inside = "".join(
        f'<button class="step" name="{name}" value="{value}"{_pressed(on)}>{html.escape(label)}</button>'
        for name, value, label, on in buttons
    )
    head = f"<legend>{html.escape(title)}{f' <b>{html.escape(now)}</b>' if now else ''}</legend>"
    form = f'<form method="post" action="{to}"><fieldset class="setting">{head}<div>{inside}</div></fieldset></form>'
    return Part(form, f"{title} {now}".strip())


# ---- the document


def document(page: Page, around: Around) -> str:
    """The whole page."""
    words, comfort = around.words, around.comfort
    title = html.escape(terms_text.plain(page.title))
    lines = "".join(f"<p>{html.escape(one)}</p>" for one in around.lines)
    foot = f'<footer><div role="status">{lines}</div></footer>' if lines else ""
    inside = "".join(part.html for part in page.parts)
    return (
        f'<!doctype html><html lang="{words.html_lang}" class="{comfort.text_size}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{title}</title><link rel="stylesheet" href="/static/home.css">'
        '<link rel="icon" href="/static/icon.svg">'
        '<script src="/static/home.js" defer></script></head>'
        f'<body data-kind="{page.kind}" data-here="{around.here}" data-identify="{html.escape(words.identify)}">'
        f"{_head(page, around)}<main><h1{_class('hidden' if page.kind == 'start' else '')}>"
        f"{terms_text.inline(page.title)}</h1>{inside}</main>{foot}</body></html>"
    )


def said(page: Page) -> str:
    """What is read aloud of a page."""
    return "\n".join([terms_text.read_aloud(page.title), *(part.said for part in page.parts if part.said)])


def _head(page: Page, around: Around) -> str:
    words = around.words
    if page.kind == "start":
        clock = f'<p class="clock"><span id="date">{around.date}</span> <b id="time">{around.time}</b></p>'
        left = f"<div><p>{html.escape(words.town.format(town=around.town) if around.town else '')}</p>{clock}</div>"
    elif page.back:
        left = f'<a class="back" href="{html.escape(page.back)}"><span aria-hidden="true">←</span> {words.back}</a>'
    else:
        left = "<span></span>"
    return f"<header>{left}{_voice(around)}</header>"


def _voice(around: Around) -> str:
    if not around.has_voice:
        return ""
    to, label = ("/hush", around.words.stop_reading) if around.speaking else ("/speak", around.words.read_aloud)
    hidden = _hidden([("page", around.path)])
    return f'<form method="post" action="{to}">{hidden}<button class="voice" id="voice">{label}</button></form>'


def _inside(label: str, note: str, tag: str, icon: str) -> str:
    found = f'<svg class="icon" viewBox="0 0 32 32" aria-hidden="true">{_ICONS[icon]}</svg>' if icon else ""
    found += f'<span class="label">{terms_text.inline(label)}</span>'
    if tag:
        found += f' <span class="tag">{html.escape(tag)}</span>'
    return found + (f" <small>{terms_text.inline(note)}</small>" if note else "")


def _said(*words: str) -> str:
    return " ".join(terms_text.read_aloud(one) for one in words if one)


def _main(label: str) -> str:
    return f'<button class="way main">{_inside(label, "", "", "")}</button>'


def _hidden(fields: Iterable[tuple[str, str]]) -> str:
    return "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">' for name, value in fields
    )


def _pressed(on: bool) -> str:  # noqa: FBT001 (an attribute's value)
    return f' aria-pressed="{"true" if on else "false"}"'


def _class(name: str) -> str:
    return f' class="{name}"' if name else ""
