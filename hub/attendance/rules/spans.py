"""Arithmetic of stretches of minutes (rule): sorted, not touching, not overlapping; a stretch's end is not in it."""

from collections.abc import Iterable

from hub.attendance.rules.given import Span

Spans = tuple[Span, ...]
NONE: Spans = ()


def join(spans: Iterable[tuple[int, int]]) -> Spans:
    """The minutes that are in any of the spans; the spans may come in any order, touch, overlap or be empty."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if end <= begin:
            continue
        if joined and begin <= joined[-1].end:
            if end > joined[-1].end:
                joined[-1] = Span(joined[-1].begin, end)
        else:
            joined.append(Span(begin, end))
    return tuple(joined)


def less(spans: Spans, taken: Spans) -> Spans:
    """The minutes of `spans` that are not in `taken`."""
    for away in taken:
        spans = tuple(piece for span in spans for piece in _cut(span, away))
    return spans


def within(spans: Spans, outer: Span) -> Spans:
    """The minutes of `spans` that are inside `outer`."""
    first, last = outer
    return tuple(
        [
            Span(max(begin, first), min(end, last))
            for begin, end in spans
            if begin < last and first < end and begin < end
        ]
    )


def total(spans: Spans) -> int:
    """How many minutes."""
    return sum(span.end - span.begin for span in spans)


def holds(spans: Spans, minute: int) -> bool:
    """Whether the minute is in one of the spans."""
    # A plain loop: this is asked of every piece of every day.
    for begin, end in spans:  # noqa: SIM110
        if begin <= minute < end:
            return True
    return False


def _cut(span: Span, away: Span) -> Spans:
    if away.end <= span.begin or span.end <= away.begin:
        return (span,)
    left, right = Span(span.begin, min(span.end, away.begin)), Span(max(span.begin, away.end), span.end)
    return tuple(part for part in (left, right) if part.begin < part.end)
