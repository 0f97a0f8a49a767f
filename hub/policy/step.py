"""How far a device is with what it was ordered (rule).  In step means: applied is what was ordered, and no drift."""

from typing import Any, Literal

import msgspec

from wire.messages import Drift

Word = Literal["never_ordered", "in_step", "waiting", "drift", "refused", "failed", "rolled_back"]


class Ordered(msgspec.Struct, frozen=True):
    """What a device is ordered to be: the last that was published, by whom and when."""

    incarnation: str
    generation: int
    document: dict[str, Any]
    digest: str
    made_ms: int
    who: str


class Report(msgspec.Struct, frozen=True):
    """The latest that a device reported; `at_ms` by its clock, `received_ms` by ours."""

    incarnation: str
    seen: int
    applied: int
    result: str
    error: str
    digest: str
    drift: tuple[Drift, ...]
    at_ms: int
    received_ms: int
    boot: str


def has_applied(ordered: Ordered, report: Report | None) -> bool:
    """Whether the ordered generation is the one that the device runs, drift or not."""
    return (
        report is not None
        and (report.incarnation, report.applied) == (ordered.incarnation, ordered.generation)
        and report.digest == ordered.digest
    )


def in_step(ordered: Ordered | None, report: Report | None) -> bool:
    """Applied is the desired generation of the same incarnation and digest, and there is no drift."""
    return ordered is not None and report is not None and has_applied(ordered, report) and not report.drift


def has_answered(incarnation: str, generation: int, report: Report) -> bool:
    """Whether the device has seen that generation, whatever it made of it: it need not be sent again."""
    return (report.incarnation, report.seen) == (incarnation, generation)


def is_ahead(incarnation: str, generation: int, told_incarnation: str, told_seen: int) -> bool:
    """Whether the device has seen more than this hub remembers: the hub was put back from a backup."""
    return (told_incarnation, told_seen) > (incarnation, generation)


def has_diverged(ordered: Ordered, report: Report) -> bool:
    """Whether the device knows the ordered generation as something else, which only a new incarnation can mend."""
    if is_ahead(ordered.incarnation, ordered.generation, report.incarnation, report.seen):
        return True
    is_same = (report.incarnation, report.seen) == (ordered.incarnation, ordered.generation)
    if is_same and report.applied == ordered.generation and report.digest != ordered.digest:
        return True
    return is_same and report.result == "refused" and report.error == "older"


def word(ordered: Ordered | None, report: Report | None) -> Word:
    """How it is in one word."""
    if ordered is None:
        return "never_ordered"
    if report is not None and has_applied(ordered, report):
        return "drift" if report.drift else "in_step"
    if report is None or report.result == "applied" or not has_answered_or_refused(ordered, report):
        return "waiting"
    words: dict[str, Word] = {"refused": "refused", "failed": "failed", "rolled_back": "rolled_back"}
    return words.get(report.result, "waiting")


def has_answered_or_refused(ordered: Ordered, report: Report) -> bool:
    """Whether the report is about the ordered generation: seen, or refused unseen after it was made."""
    if has_answered(ordered.incarnation, ordered.generation, report):
        return True
    return report.result == "refused" and report.received_ms >= ordered.made_ms
