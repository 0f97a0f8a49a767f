"""What people read of an alert: the same words on the pages and in messages (rule).

A subject says what is wrong and since when; a body says so in whole, then one next step and where to look.
"""

from hub import shown
from hub.alerts.kinds import NATURE, Kind
from hub.alerts.rule import Alert, Letter
from hub.words import Language, word

_MARKS = {"fault": "■", "warning": "▲"}
_OVER = "●"


def it(language: Language, alert: Alert) -> str:
    """What it is about, as people call it: the device at its place."""
    if alert.kind == "town_certificate":
        return word(language, f"alert_of_{alert.subject}")
    name = alert.device or alert.subject
    return word(language, "alert_it", place=alert.place, device=name) if alert.place and alert.device else name


def title(language: Language, alert: Alert) -> str:
    """What is wrong, in one sentence."""
    return word(language, f"alert_is_{alert.kind}", **_values(language, alert))


def step(language: Language, alert: Alert) -> str:
    """What to do next."""
    return word(language, f"alert_step_{alert.kind}", **_values(language, alert))


def short(language: Language, kind: Kind) -> str:
    """The kind in a few words."""
    return word(language, f"alert_kind_{kind}")


def path(alert: Alert) -> str:
    """The page on which one goes on."""
    return NATURE[alert.kind].path.format(device=alert.device, subject=alert.subject)


def clock(language: Language, at_ms: int, now_ms: int) -> str:
    """A time of day; with its date when it is not today's."""
    when, now = shown.moment(at_ms), shown.moment(now_ms)
    text = f"{when.hour}:{when:%M}"
    return text if when.date() == now.date() else f"{when.month}/{when.day} {text}"


def length(language: Language, alert: Alert, now_ms: int) -> str:
    """How long it lasted, or has lasted."""
    return shown.span(language, max(0, (alert.ended_ms or now_ms) - alert.begun_ms) // 1000)


def headline(language: Language, alert: Alert, now_ms: int) -> str:
    """What and since when (and until when), in one line."""
    begun = clock(language, alert.begun_ms, now_ms)
    if alert.ended_ms is None:
        when = word(language, "alert_since", time=begun)
    else:
        ended = clock(language, alert.ended_ms, now_ms)
        when = word(language, "alert_from_to", begun=begun, ended=ended, length=length(language, alert, now_ms))
    return word(language, "alert_title", title=title(language, alert), when=when)


def letter(language: Language, what: Letter, url: str, now_ms: int) -> tuple[str, str]:
    """Subject and body of a message."""
    first = what.alerts[0]
    if len(what.alerts) == 1:
        return _one(language, what, first, url, now_ms)
    if what.what == "summary":
        ended = sum(alert.ended_ms is not None for alert in what.alerts)
        subject = word(language, "alert_summary", open=len(what.alerts) - ended, ended=ended)
    else:
        subject = word(language, "alert_several", n=len(what.alerts), first=title(language, first))
    if what.urgent:
        subject = word(language, "alert_urgent", title=subject)
    parts = [_entry(language, alert, now_ms) for alert in what.alerts]
    parts.append(word(language, "alert_line_open", url=f"{url}/alerts"))
    return subject, "\n\n".join(parts) + "\n"


def _one(language: Language, what: Letter, alert: Alert, url: str, now_ms: int) -> tuple[str, str]:
    subject = headline(language, alert, now_ms)
    if alert.ended_ms is not None:
        subject = word(language, "alert_over", title=subject)
    elif what.what == "still":
        subject = word(language, "alert_still", title=subject)
    if alert.urgent and alert.ended_ms is None:
        subject = word(language, "alert_urgent", title=subject)
    lines = [word(language, "alert_line_what", title=title(language, alert)), _when(language, alert, now_ms)]
    if alert.times > 1:
        lines.append(word(language, "alert_line_times", n=alert.times))
    if alert.ended_ms is None:
        lines.append(word(language, "alert_line_step", step=step(language, alert)))
    lines.append(word(language, "alert_line_open", url=url + path(alert)))
    return subject, "\n".join(lines) + "\n"


def _when(language: Language, alert: Alert, now_ms: int) -> str:
    begun, lasted = shown.exact(language, alert.begun_ms), length(language, alert, now_ms)
    if alert.ended_ms is None:
        return word(language, "alert_line_since", exact=begun, length=lasted)
    return word(language, "alert_line_over", begun=begun, ended=shown.exact(language, alert.ended_ms), length=lasted)


def _entry(language: Language, alert: Alert, now_ms: int) -> str:
    line = headline(language, alert, now_ms)
    if alert.ended_ms is not None:
        return f"{_OVER} {word(language, 'alert_over', title=line)}"
    mark = _MARKS[NATURE[alert.kind].word]
    return f"{mark} {line}\n{word(language, 'alert_line_step', step=step(language, alert))}"


def _values(language: Language, alert: Alert) -> dict[str, object]:
    return {"it": it(language, alert), "n": shown.count(alert.n), "detail": alert.detail, "place": alert.place}
