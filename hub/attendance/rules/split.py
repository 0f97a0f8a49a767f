"""A piece in two (rule)."""

from hub.attendance.rules.given import Span
from hub.attendance.rules.kinds import PayClass
from hub.attendance.rules.result import Piece


def split(piece: Piece, minutes: int) -> tuple[Piece, Piece]:
    """Its first so many minutes, and the rest."""
    cut = piece.span.begin + minutes
    return _with(piece, Span(piece.span.begin, cut)), _with(piece, Span(cut, piece.span.end))


def paid_as(piece: Piece, pay: PayClass, rule: str, refs: tuple[str, ...] = ()) -> Piece:
    """The same minutes in another class."""
    return Piece(
        span=piece.span,
        present=piece.present,
        ordered=piece.ordered,
        duty=piece.duty,
        pay=pay,
        rule=rule,
        refs=tuple(dict.fromkeys(piece.refs + refs)),
    )


def minutes_of(piece: Piece) -> int:
    """How long it is."""
    return piece.span.end - piece.span.begin


def _with(piece: Piece, span: Span) -> Piece:
    return Piece(
        span=span,
        present=piece.present,
        ordered=piece.ordered,
        duty=piece.duty,
        pay=piece.pay,
        rule=piece.rule,
        refs=piece.refs,
    )
