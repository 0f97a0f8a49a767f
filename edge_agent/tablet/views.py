"""Rule: what each page of the tablet says, from what is kept on it. No I/O, no clock."""

import html
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from edge_agent.kiosk.terms_text import plain
from edge_agent.tablet import page as parts
from edge_agent.tablet.answers import WORDS as MOST_WORDS
from edge_agent.tablet.answers import Sheet
from edge_agent.tablet.choices import Comfort
from edge_agent.tablet.help import Asked
from edge_agent.tablet.page import Choice, Page, Part
from edge_agent.tablet.usage_view import Used, left_of
from edge_agent.tablet.words import EN, JA, Words
from wire.shelf import File, Item, Telephone

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_JAPAN = timedelta(hours=9)
# What the browser's viewer shows of itself: nothing; a paper is as wide as the screen, and two fingers make it larger.
_VIEWER = "#toolbar=0&navpanes=0&view=FitH"
_IMAGES = ("image/jpeg", "image/png", "image/webp")


class Waiting(NamedTuple):
    """What waits on the start page: unread news, open surveys, what is left of the line's data (empty: not known)."""

    unread: int = 0
    surveys: int = 0
    left: str = ""


class Line(NamedTuple):
    """What the line carried this month; None for what is not known."""

    used: Used | None
    included_bytes: int = 0
    at_ms: int = 0


class Can(NamedTuple):
    """What this tablet has ways to set."""

    volume: bool = False
    light: bool = False


# ---- times and figures, as people say them


def day(words: Words, at_ms: int) -> str:
    """A day in Japan: 11月25日（水）."""
    at = _EPOCH + timedelta(milliseconds=at_ms) + _JAPAN
    return words.date.format(month=at.month, day=at.day, weekday=words.weekdays[at.weekday()])


def time_of_day(at_ms: int) -> str:
    """A time of day in Japan: 8:24."""
    at = _EPOCH + timedelta(milliseconds=at_ms) + _JAPAN
    return f"{at.hour}:{at.minute:02d}"


def data(size_bytes: int) -> str:
    """Bytes as contracts count them (10^9 a GB), rounded down: less is never called more."""
    if size_bytes < 1_000_000_000:
        return f"{size_bytes // 1_000_000} MB"
    tenths = size_bytes // 100_000_000
    return f"{tenths // 10}.{tenths % 10} GB"


# ---- the start page


def start(words: Words, waiting: Waiting) -> Page:
    """Five buttons, and what is new behind each."""
    news = words.news_note.format(count=waiting.unread) if waiting.unread else ""
    surveys = words.surveys_note.format(count=waiting.surveys) if waiting.surveys else ""
    left = words.usage_note.format(left=waiting.left) if waiting.left else ""
    buttons = (
        parts.way("/help", words.help, words.help_note, icon="help"),
        parts.way("/news", words.news, news, icon="news"),
        parts.way("/surveys", words.surveys, surveys, icon="survey"),
        parts.way("/usage", words.usage, left, icon="usage"),
        parts.way("/settings", words.settings, words.settings_note, icon="settings"),
    )
    return Page(words.home, (parts.group(buttons, "five"),), back="", kind="start")


# ---- asking for help

_ABOUTS = ("tablet", "papers", "daily", "other")


def help_page(words: Words, telephones: Sequence[Telephone], asked: Asked | None, *, delivered: bool) -> Page:
    """The buttons to ask, or how the request stands; and whom to call."""
    if asked is None:
        ask = [parts.act("/help", _about(words, one), fields=[("about", one)]) for one in _ABOUTS]
        return Page(words.help, (parts.line(words.help_lead), *ask, *_telephones(words, telephones)))
    taken = words.asked_at.format(time=time_of_day(asked.at_ms), about=_about(words, asked.about))
    there = parts.notice(words.asked_there) if delivered else parts.notice(words.asked_waits, "note")
    return Page(
        words.asked,
        (
            there,
            parts.line(words.asked_lead),
            parts.line(taken, "quiet"),
            *_telephones(words, telephones),
            parts.act("/help/back", words.take_back, kind="second"),
        ),
    )


def taken_back(words: Words) -> Page:
    """The request is no more."""
    return Page(words.taken_back, (parts.line(words.taken_back_lead), parts.way("/", words.to_start)))


def _about(words: Words, about: str) -> str:
    told = {"tablet": words.help_tablet, "papers": words.help_papers, "daily": words.help_daily}
    return told.get(about, words.help_other)


def _telephones(words: Words, telephones: Sequence[Telephone]) -> list[Part]:
    if not telephones:
        return []
    rows = [(f"{one.name} {f'（{one.note}）' if one.note else ''}".strip(), one.number) for one in telephones]
    return [parts.heading(words.telephones), parts.line(words.telephones_lead), parts.figures(rows)]


# ---- news


def news(words: Words, items: Sequence[Item], opened: Collection[str]) -> Page:
    """What the town sent, urgent and newest first."""
    shown = [item for item in items if item.kind != "survey"]
    if not shown:
        return Page(words.news, (parts.line(words.news_none), parts.line(words.news_none_lead)))
    rows = [
        parts.way(
            f"/news/{item.id}",
            item.title,
            words.published.format(date=day(words, item.published_ms)),
            tag=_tag(words, item, opened),
        )
        for item in shown
    ]
    return Page(words.news, tuple(rows))


def _tag(words: Words, item: Item, opened: Collection[str]) -> str:
    tags = [words.urgent] if item.urgent else []
    return " ・ ".join([*tags, words.unread] if item.id not in opened else tags)


def news_item(words: Words, item: Item, there: Collection[str]) -> Page:
    """One newsletter or notice: its text, its pictures, its papers."""
    found: list[Part] = [parts.notice(words.urgent, "note")] if item.urgent else []
    found.append(parts.line(words.published.format(date=day(words, item.published_ms)), "quiet"))
    if item.text:
        found.append(parts.text(item.text))
    pictures = [file for file in item.files if file.media_type in _IMAGES]
    if pictures:
        found.append(parts.line(words.pictures.format(count=len(pictures)), "quiet"))
    missing = False
    for number, file in enumerate(item.files):
        if file.digest not in there:
            missing = True
        elif file in pictures:
            found.append(_picture(words, item, file, number))
        else:
            found.append(parts.way(f"/news/{item.id}/{number}", words.open_file.format(name=_name(item, file))))
    if missing:
        found += [parts.notice(words.not_there, "note"), parts.line(words.not_there_lead)]
    return Page(item.title, tuple(found), back="/news")


def _picture(words: Words, item: Item, file: File, number: int) -> Part:
    """A picture that can be looked at by itself."""
    label = words.open_file.format(name=_name(item, file))
    shown = parts.picture(f"/files/{file.digest}", _name(item, file))
    link = f'<a class="look" href="/news/{item.id}/{number}" title="{html.escape(label)}">{shown.html}</a>'
    return Part(link)


def news_file(words: Words, item: Item, number: int) -> Page:
    """One file by itself: a paper in the browser's viewer, or a picture, with the ones beside it."""
    file, back = item.files[number], f"/news/{item.id}"
    if file.media_type not in _IMAGES:
        return Page(
            _name(item, file), (parts.frame(f"/files/{file.digest}{_VIEWER}", _name(item, file)),), back, "paper"
        )
    numbers = [at for at, one in enumerate(item.files) if one.media_type in _IMAGES]
    place = numbers.index(number)
    beside = []
    if place > 0:
        beside.append(parts.way(f"{back}/{numbers[place - 1]}", words.last_picture))
    if place + 1 < len(numbers):
        beside.append(parts.way(f"{back}/{numbers[place + 1]}", words.next_picture))
    told = words.page_of.format(count=len(numbers), number=place + 1)
    shown = parts.picture(f"/files/{file.digest}", _name(item, file))
    return Page(item.title, (parts.line(told, "quiet"), shown, parts.group(beside, "two")), back, "picture")


def _name(item: Item, file: File) -> str:
    return file.name or plain(item.title)


# ---- surveys


def surveys(words: Words, items: Sequence[Item], sent: Collection[str]) -> Page:
    """The surveys, open ones first."""
    shown = sorted((item for item in items if item.kind == "survey"), key=lambda item: item.id in sent)
    if not shown:
        return Page(words.surveys, (parts.line(words.surveys_none), parts.line(words.surveys_none_lead)))
    rows = [
        parts.way(
            f"/surveys/{item.id}",
            item.title,
            words.until.format(date=day(words, item.until_ms)) if item.until_ms else "",
            tag=words.survey_sent if item.id in sent else words.survey_open,
        )
        for item in shown
    ]
    return Page(words.surveys, tuple(rows))


def survey(words: Words, item: Item) -> Page:
    """What a survey is about, before its first question."""
    lead = (parts.text(item.text),) if item.text else ()
    begin = parts.way(f"/surveys/{item.id}/0", words.further)
    return Page(item.title, (*lead, begin), back="/surveys")


def question(words: Words, item: Item, number: int, sheet: Sheet) -> Page:
    """One question; never more than one at a time."""
    asked = item.questions[number]
    given = sheet.answers[number] if number < len(sheet.answers) else ()
    to = f"/surveys/{item.id}/{number}"
    if asked.way == "words":
        words_given = given[0] if given else ""
        label, lead = words.write_label, words.write
        form = parts.written(to, asked.text, words_given, most=MOST_WORDS, label=label, further=words.further)
    else:
        several = asked.way == "several"
        lead = words.choose_several if several else words.choose_one
        choices = [Choice(str(at), one, one in given) for at, one in enumerate(asked.choices)]
        form = parts.question(to, asked.text, choices, several=several, further=words.further)
    place = words.question_of.format(count=len(item.questions), number=number + 1)
    before = f"/surveys/{item.id}/{number - 1}" if number else f"/surveys/{item.id}"
    found = (parts.line(place, "quiet"), parts.line(lead), form)
    return Page(item.title, found, back=before, kind="question")


def check(words: Words, item: Item, sheet: Sheet, *, too_long: bool = False) -> Page:
    """All answers before they are sent."""
    found: list[Part] = [parts.notice(words.too_long, "bad")] if too_long else [parts.line(words.check_lead)]
    for number, asked in enumerate(item.questions):
        given = sheet.answers[number] if number < len(sheet.answers) else ()
        found.append(parts.heading(asked.text))
        found.append(parts.line("、".join(given) if given else words.passed_over, "given"))
        found.append(parts.way(f"/surveys/{item.id}/{number}", words.change))
    found.append(parts.act(f"/surveys/{item.id}/send", words.send, kind="main"))
    last = f"/surveys/{item.id}/{max(0, len(item.questions) - 1)}"
    return Page(words.check, tuple(found), back=last, kind="check")


def thanks(words: Words) -> Page:
    """A survey was answered."""
    return Page(words.thanks, (parts.notice(words.thanks_lead), parts.way("/", words.to_start)), back="/surveys")


# ---- data


def usage(words: Words, line: Line) -> Page:
    """What was used this month, and what is left."""
    if line.used is None:
        return Page(words.usage, (parts.notice(words.clock_unset, "note"),))
    spent, wifi = line.used
    found: list[Part] = []
    if line.included_bytes:
        left = left_of(line.included_bytes, spent)
        state, lead, kind = {
            "fine": (words.fine, words.fine_lead, "good"),
            "little": (words.little, words.little_lead, "note"),
            "over": (words.over, words.over_lead, "bad"),
        }[left.level]
        over = spent - line.included_bytes
        rest = (words.over_by, data(over)) if over > 0 else (words.left, data(left.left_bytes))
        figures = [(words.used, data(spent)), (words.included, data(line.included_bytes)), rest]
        permille = spent * 1000 // line.included_bytes
        label = f"{words.used} {data(spent)} / {data(line.included_bytes)}"
        found = [parts.notice(state, kind), parts.bar(permille, kind, label), parts.figures(figures), parts.line(lead)]
    else:
        found = [parts.figures([(words.used, data(spent))]), parts.line(words.only_used)]
    found += [
        parts.figures([(words.wifi_used, data(wifi))]),
        parts.line(words.wifi_lead),
        parts.line(words.as_of.format(time=f"{day(words, line.at_ms)} {time_of_day(line.at_ms)}"), "quiet"),
        parts.line(words.counted_here, "quiet"),
    ]
    return Page(words.usage, tuple(found))


# ---- settings


def settings(words: Words, comfort: Comfort, can: Can) -> Page:
    """Text, sound, light, language."""
    sizes = (("normal", words.normal), ("large", words.large), ("largest", words.largest))
    text = [("text_size", value, label, comfort.text_size == value) for value, label in sizes]
    found = [parts.setting(words.text_size, "", text, "/settings")]
    if can.volume:
        steps = [("volume", "down", words.quieter, False), ("volume", "up", words.louder, False)]
        found.append(parts.setting(words.volume, words.percent.format(percent=comfort.volume), steps, "/settings"))
    if can.light:
        steps = [("light", "down", words.darker, False), ("light", "up", words.brighter, False)]
        found.append(parts.setting(words.light, words.percent.format(percent=comfort.light), steps, "/settings"))
    languages = [("language", "ja", "日本語", comfort.language == "ja")]
    languages.append(("language", "en", "English", comfort.language == "en"))
    found.append(parts.setting(words.language, "", languages, "/settings"))
    return Page(words.settings, tuple(found))


# ---- what is no page


def not_kept(words: Words, telephones: Sequence[Telephone], back: str) -> Page:
    """What was asked for could not be put on the disk."""
    found = (parts.notice(words.not_kept_call, "bad"), *_telephones(words, telephones))
    return Page(words.not_kept, found, back=back)


def gone(words: Words) -> Page:
    """There is nothing at this address."""
    return Page(words.gone, (parts.line(words.gone_lead), parts.way("/", words.to_start)))


def shut(why: str, contact: str) -> Page:
    """A locked or erased tablet, for whoever has found it, in both languages; `contact` is an erased one's code."""
    found: list[Part] = []
    for words in (JA, EN):
        if why == "wiped":
            found += [parts.heading(words.wiped), parts.line(words.wiped_lead.format(code=contact))]
        else:
            found += [parts.heading(words.locked), parts.line(words.locked_lead)]
            found.append(parts.line(f"{words.locked_call} {contact}".strip()))
    return Page(f"{JA.locked} / {EN.locked}", tuple(found), back="", kind="shut")
