"""The portal's pages as text: one document each, style inside, no script, nothing from elsewhere.

Everything that comes from the kit or the policy is escaped; words are in `portal_words`.
"""

import base64
import hashlib
import html
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple, get_args

from edge_agent.effective import Effective
from edge_agent.kiosk.terms_text import blocks, inline, plain
from edge_agent.wifi.guests import Reason, Standing
from edge_agent.wifi.portal_words import NAMES, WORDS
from edge_agent.wifi.portal_words.words import Words
from wire.kit import KitContent, Terms
from wire.messages import TermsLanguage
from wire.policy import WEEKDAYS

_STYLE = (Path(__file__).parent / "portal.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
# Only this style, and forms that lead back here.
POLICY = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

LANGUAGES: tuple[TermsLanguage, ...] = get_args(TermsLanguage)
# What an address may say that has just happened; anything else is not shown.
GOOD = ("extended", "left", "confirmed")
WHY: tuple[str, ...] = (
    *get_args(Reason),
    *("over", "form", "mail_bad", "mail_many", "code_over", "code_gone", "guesses", "stranger"),
)
_SAME: dict[str, str] = {"fault": "disk"}
_NEXT: dict[TermsLanguage, tuple[TermsLanguage, ...]] = {
    "ja-easy": ("ja",),
    "zh-Hans": ("zh-Hant", "en", "ja"),
    "zh-Hant": ("zh-Hans", "en", "ja"),
    "ko": ("en", "ja"),
    "en": ("ja",),
    "ja": ("ja-easy", "en"),
}
_JAPAN = timedelta(hours=9)
_CONTACT = "\N{OBJECT REPLACEMENT CHARACTER}"


class Said(NamedTuple):
    """Something that has just happened: one of GOOD or WHY, or `wrong` with how many tries are left."""

    what: str
    left: int = 0


class Around(NamedTuple):
    """What all pages have: the language, the house, what has just happened."""

    language: TermsLanguage
    kit: KitContent | None
    said: Said | None = None
    # Where the buttons of the languages lead, behind `/<language>/`.
    here: str = ""

    @property
    def words(self) -> Words:
        """The words of the language."""
        return WORDS[self.language]


class Agreeing(NamedTuple):
    """What the form of agreeing has: its token, and what is asked for."""

    token: str
    terms: str
    rules: Effective
    asks_mail: bool = False
    mail_away: bool = False


def shown_terms(terms: Terms, language: TermsLanguage) -> tuple[TermsLanguage, str]:
    """The text in this language, or in the one that its readers read soonest; with the language that it is in."""
    for one in (language, *_NEXT[language], *terms.texts):
        if terms.texts.get(one):
            return one, terms.texts[one]
    return language, ""


# ---- pages


def welcome(around: Around, agreeing: Agreeing) -> str:
    """For whoever has not agreed: what it is, the rules in short, the button."""
    words, language = around.words, around.language
    parts = [_p(words.lead), _way(language, "terms", words.read_terms), _agree_form(around, agreeing)]
    if agreeing.rules.vouchers:
        parts.append(_way(language, "voucher", words.voucher_link))
    parts += [f"<h2>{inline(words.rules)}</h2>", _rules(words, agreeing.rules)]
    return _page(around, _title(around), parts)


def terms_page(around: Around, agreeing: Agreeing | None) -> str:
    """The whole terms; the button below them for whoever has not agreed."""
    words, kit = around.words, around.kit
    if kit is None:
        return not_ready(around)
    shown, text = shown_terms(kit.terms, around.language)
    parts = []
    if shown != around.language:
        parts.append(f"{_p(words.terms_other)}<p>{inline(NAMES[shown])}</p>")
    body = f'<div lang="{WORDS[shown].html_lang}"{_easy(shown)}>{blocks(text)}</div>'
    parts += [body, _p(words.terms_version.format(version=kit.terms.version))]
    if agreeing is not None:
        parts.append(_agree_form(around, agreeing))
    parts.append(_way(around.language, "", words.back))
    return _page(around, words.terms, parts)


def voucher_page(around: Around, token: str, terms: str) -> str:
    """For whoever has a voucher."""
    words = around.words
    field = _field("code", words.voucher_label, 'autocomplete="off" autocapitalize="characters" maxlength="40"')
    parts = [
        _p(words.voucher_lead),
        _form(around.language, "voucher", token, terms, field + _button(words.agree)),
        _way(around.language, "terms", words.read_terms),
        _way(around.language, "", words.back),
    ]
    return _page(around, words.voucher_title, parts)


def code_page(around: Around, token: str, seconds_left: int) -> str:
    """For whoever was sent a code."""
    words = around.words
    field = _field("code", words.code_label, 'inputmode="numeric" autocomplete="one-time-code" maxlength="40"')
    parts = [
        _p(words.code_lead.format(time=_span(words, seconds_left))),
        _form(around.language, "confirm", token, "", field + _button(words.code_button)),
        _way(around.language, "mail", words.mail_again_link),
    ]
    return _page(around, words.code_title, parts)


def mail_page(around: Around, token: str, terms: str) -> str:
    """For whoever got no mail: the address once more."""
    words = around.words
    parts = [
        _p(words.mail_lead),
        _form(around.language, "mail", token, terms, _mail_field(words) + _button(words.mail_again_button)),
        _way(around.language, "", words.back),
    ]
    return _page(around, words.mail_again_title, parts)


def status(around: Around, standing: Standing, rules: Effective, token: str, address: str, *, clock_sure: bool) -> str:
    """For whoever is online: what is left, longer, an end."""
    words, language = around.words, around.language
    parts = [_p(words.on_lead), _left(words, standing, clock_sure=clock_sure)]
    if standing.slowed:
        parts.append(_p(words.slowed.format(data=_data(rules.quota_mb * 1_000_000))))
    if standing.extensions_left:
        button = _button(words.extend.format(time=_span(words, rules.session_minutes * 60)))
        parts += [_form(language, "extend", token, "", button)]
        parts.append(_p(words.extend_note.format(count=standing.extensions_left)))
    elif standing.seconds_left is not None:
        parts.append(_p(words.no_extension))
    parts.append(_form(language, "leave", token, "", _button(words.leave, second=True)))
    parts += [
        _way(language, "", words.look_again),
        _way(language, "terms", words.read_terms),
        f"{_p(words.come_back)}<p><b>{html.escape(address)}</b></p>",
    ]
    return _page(around, words.on, parts, good=True)


def closed(around: Around, rules: Effective, today: datetime | None) -> str:
    """Outside opening hours."""
    words = around.words
    parts = [_p(words.why["closed"])]
    if today is not None and rules.opening_follows:
        hours: Sequence[str] = getattr(rules.opening, WEEKDAYS[today.weekday()]) or ()
        day = today.date().isoformat()
        if day in (rules.opening.open_days or ()):
            hours = rules.opening.open_days_hours or hours
        elif day in (*(rules.opening.closed_days or ()), *(rules.opening.holidays or ())):
            hours = ()
        told = " ".join(hours).replace("-", "–")
        parts.append(f"<p><b>{inline(words.open_today.format(hours=told) if hours else words.shut_today)}</b></p>")
    parts.append(_way(around.language, "", words.again))
    return _page(around, words.sorry, parts)


def disaster(around: Around) -> str:
    """While the disaster network runs."""
    words = around.words
    return _page(around, words.disaster, [_p(words.disaster_lead), _p(words.disaster_care)], good=True)


def stranger(around: Around) -> str:
    """For a device that is not on the guests' network."""
    words = around.words
    parts = [_p(words.why["stranger"]), _way(around.language, "", words.again)]
    return _page(around, words.sorry, parts)


def not_ready(around: Around) -> str:
    """No kit yet: in every language, for there is no portal that could lead to another."""
    first = [around.language, *(one for one in LANGUAGES if one != around.language)]
    parts = [_section(one, WORDS[one].not_ready, WORDS[one].not_ready_lead) for one in first]
    return _document(around, WORDS[around.language].not_ready, f"<main>{''.join(parts)}</main>")


# ---- parts


def _section(language: TermsLanguage, head: str, body: str) -> str:
    lang = WORDS[language].html_lang
    level = "h1" if language == "ja" else "h2"
    return f'<div lang="{lang}"{_easy(language)}><{level}>{inline(head)}</{level}>{_p(body)}</div>'


def _title(around: Around) -> str:
    place = around.kit.place if around.kit else ""
    return around.words.title_at.format(place=place) if place else around.words.title


def _rules(words: Words, rules: Effective) -> str:
    told = [words.rule_time.format(time=_span(words, rules.session_minutes * 60))]
    if rules.extensions:
        told.append(words.rule_extend.format(count=rules.extensions))
    if rules.quota_mb:
        told.append(words.rule_quota.format(data=_data(rules.quota_mb * 1_000_000)))
    if rules.security == "open":
        told.append(words.rule_open_air)
    told.append(words.rule_privacy)
    return '<ul class="rules">' + "".join(f"<li>{inline(one)}</li>" for one in told) + "</ul>"


def _agree_form(around: Around, agreeing: Agreeing) -> str:
    words = around.words
    asked = f"{_p(words.mail_lead)}{_mail_field(words)}" if agreeing.asks_mail else ""
    away = _p(words.mail_away) if agreeing.mail_away else ""
    return away + _form(around.language, "agree", agreeing.token, agreeing.terms, asked + _button(words.agree))


def _mail_field(words: Words) -> str:
    more = 'type="email" inputmode="email" autocomplete="email" autocapitalize="off" spellcheck="false" maxlength="254"'
    return _field("mail", words.mail_label, more)


def _field(name: str, label: str, more: str) -> str:
    return f'<label for="{name}">{inline(label)}</label><input id="{name}" name="{name}" required {more}>'


def _form(language: TermsLanguage, to: str, token: str, terms: str, inside: str) -> str:
    hidden = f'<input type="hidden" name="token" value="{html.escape(token)}">'
    if terms:
        hidden += f'<input type="hidden" name="terms" value="{html.escape(terms)}">'
    return f'<form method="post" action="/{language}/{to}">{hidden}{inside}</form>'


def _button(label: str, *, second: bool = False) -> str:
    return f"<button{_class('second') if second else ''}>{inline(label)}</button>"


def _class(name: str) -> str:
    return f' class="{name}"'


def _easy(language: TermsLanguage) -> str:
    return _class("easy") if language == "ja-easy" else ""


def _way(language: TermsLanguage, to: str, label: str) -> str:
    return f'<a class="way" href="/{language}/{to}">{inline(label)}</a>'


def _p(text: str) -> str:
    return f"<p>{inline(text)}</p>"


def _left(words: Words, standing: Standing, *, clock_sure: bool) -> str:
    told = []
    if standing.seconds_left is not None:
        until = ""
        if clock_sure and standing.ends_ms:
            at = datetime.fromtimestamp(standing.ends_ms / 1000, UTC) + _JAPAN
            until = f" <small>{inline(words.until.format(time=f'{at:%H:%M}'))}</small>"
        told.append(f"<dt>{inline(words.time_left)}</dt><dd>{inline(_span(words, standing.seconds_left))}{until}</dd>")
    if standing.bytes_left is not None:
        told.append(f"<dt>{inline(words.data_left)}</dt><dd>{_data(standing.bytes_left)}</dd>")
    return f'<dl class="left">{"".join(told)}</dl>' if told else ""


def _span(words: Words, seconds: int) -> str:
    minutes = seconds // 60
    if minutes <= 1:
        return words.one_minute if minutes else words.less_than_a_minute
    if minutes <= 90:
        return words.minutes.format(minutes=minutes)
    hours, rest = divmod(minutes, 60)
    return words.hours_minutes.format(hours=hours, minutes=rest) if rest else words.hours.format(hours=hours)


def _data(size: int) -> str:
    """Bytes as people say them, rounded down: less is never called more."""
    if size < 1_000_000_000:
        return f"{size // 1_000_000} MB"
    tenths = size // 100_000_000
    return f"{tenths // 10}.{tenths % 10} GB" if tenths % 10 else f"{tenths // 10} GB"


def _notice(around: Around) -> str:
    said, words = around.said, around.words
    if said is None:
        return ""
    if said.what in GOOD:
        text: str = getattr(words, said.what)
        return f'<p class="notice good" role="status"><span class="mark" aria-hidden="true">●</span> {inline(text)}</p>'
    text = (
        words.code_left.format(count=said.left) if said.what == "wrong" else words.why[_SAME.get(said.what, said.what)]
    )
    return f'<p class="notice" role="alert"><span class="mark" aria-hidden="true">▲</span> {inline(text)}</p>'


def _languages(around: Around) -> str:
    links = "".join(_language(around, one, name) for one, name in NAMES.items())
    return (
        f'<header><nav aria-label="{html.escape(plain(around.words.choose_language))}"><ul>{links}</ul></nav></header>'
    )


def _language(around: Around, one: TermsLanguage, name: str) -> str:
    lang, here = WORDS[one].html_lang, ' aria-current="page"' if one == around.language else ""
    link = f'<a href="/{one}/{around.here}" lang="{lang}" hreflang="{lang}"{here}><span>{inline(name)}</span></a>'
    return f"<li>{link}</li>"


def _help(around: Around) -> str:
    contact = around.kit.contact if around.kit else ""
    words = around.words
    if not contact:
        return f"<footer>{_p(words.help_here)}</footer>"
    # A telephone number is not broken over two lines where it can be whole.
    whole = f'<span class="whole">{html.escape(contact)}</span>'
    return f"<footer>{_p(words.help_at.format(contact=_CONTACT)).replace(_CONTACT, whole)}</footer>"


def _page(around: Around, head: str, parts: Sequence[str], *, good: bool = False) -> str:
    mark = '<span class="mark" aria-hidden="true">●</span> ' if good else ""
    shape = _class("good") if good else ""
    main = f"<main><h1{shape}>{mark}{inline(head)}</h1>{_notice(around)}{''.join(parts)}</main>"
    return _document(around, head, f"{_languages(around)}{main}{_help(around)}")


def _document(around: Around, title: str, body: str) -> str:
    lang = around.words.html_lang
    return (
        f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(plain(title))}</title><style>{_STYLE}</style></head>"
        f"<body{_easy(around.language)}>{body}</body></html>"
    )
