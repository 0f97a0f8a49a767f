"""From a day's taps and corrections to its beginning and its end (rule).

1. The first tap is the coming, the last the going, when they are far enough apart; a pair that is closer is one event.
2. One event is a coming or a going by the clock's window; what a person chose at the terminal counts before the window.
3. An end that is missing stays missing: it is never guessed, a correction that somebody approved sets it.
"""

from collections.abc import Iterable
from typing import NamedTuple

from hub.attendance.rules.given import Correction, Span, Tap
from hub.attendance.rules.japan import DAY_MIN, minute_of
from hub.attendance.rules.kinds import Flag, Note, Status
from hub.attendance.rules.profile import Profile
from hub.attendance.rules.tap import DayTaps


class Duty(NamedTuple):
    """One day's presence as far as it is known."""

    status: Status
    in_ms: int | None
    out_ms: int | None
    presence: Span | None
    flags: tuple[Flag, ...]
    notes: tuple[Note, ...]
    suppressed: int
    taps: tuple[str, ...]
    refs: tuple[str, ...]


def duty(taps: DayTaps, corrections: Iterable[Correction], profile: Profile) -> Duty:
    """The ends of a day that has taps, corrections, or neither although it should have them."""
    first, last = _ends(taps.kept, profile)
    in_ms, out_ms = _time(first), _time(last)
    refs: list[str] = []
    corrected = False
    # ガイドライン(平成29年1月20日)4: what is put right is an entry of its own; of several the last one counts.
    for one in corrections:
        corrected = True
        refs += [one.ref] if one.ref else []
        if one.in_ms is not None:
            in_ms, first = one.in_ms, None
        if one.out_ms is not None:
            out_ms, last = one.out_ms, None
    flags = _flags(taps.kept, [tap for tap in (first, last) if tap is not None], profile)
    if in_ms is None:
        flags.append("MISSING_IN")
    if out_ms is None:
        flags.append("MISSING_OUT")
    notes = _notes(taps)
    presence = None
    if in_ms is not None and out_ms is not None:
        if out_ms < in_ms:
            notes.append("REVERSED")
        else:
            presence = Span(minute_of(in_ms), minute_of(out_ms))
    status: Status = "incomplete" if presence is None else "corrected" if corrected else "complete"
    return Duty(
        status,
        in_ms,
        out_ms,
        presence,
        tuple(flags),
        tuple(notes),
        len(taps.suppressed),
        tuple(tap.ref for tap in taps.kept if tap.ref),
        tuple(refs),
    )


def _ends(kept: list[Tap], profile: Profile) -> tuple[Tap | None, Tap | None]:
    first = next((tap for tap in kept if tap.direction != "clock_out"), None)
    last = next((tap for tap in reversed(kept) if tap.direction != "clock_in"), None)
    if first is None or last is None:
        return first, last
    if first is not last and abs(last.at_ms - first.at_ms) >= profile.repeat_s * 1000:
        return first, last
    # One event: what was chosen last counts, else the window of the clock.
    chosen = [tap.direction for tap in sorted((first, last), key=lambda tap: tap.at_ms) if tap.direction]
    going = chosen[-1] == "clock_out" if chosen else not _in_window(first, profile)
    return (None, last) if going else (first, None)


def _time(tap: Tap | None) -> int | None:
    return None if tap is None else tap.at_ms


def _in_window(tap: Tap, profile: Profile) -> bool:
    return profile.day_line <= minute_of(tap.at_ms) % DAY_MIN < profile.clock_out_from


def _flags(kept: list[Tap], ends: list[Tap], profile: Profile) -> list[Flag]:
    flags: list[Flag] = []
    alert_s = profile.clock_alert_s
    if alert_s is not None and any(abs(tap.skew_s) >= alert_s for tap in ends):
        flags.append("CLOCK_SKEW")
    if any(not tap.trusted for tap in ends):
        flags.append("UNTRUSTED_CLOCK")
    near_ms = profile.repeat_s * 1000
    if any(kept[at].at_ms - kept[at - 1].at_ms < near_ms for at in range(1, len(kept))):
        flags.append("RAPID_REPEAT")
    return flags


def _notes(taps: DayTaps) -> list[Note]:
    notes: list[Note] = []
    if any(tap.late for tap in taps.kept):
        notes.append("LATE_UPLOAD")
    if taps.suppressed and len({tap.terminal for tap in (*taps.kept, *taps.suppressed)}) > 1:
        notes.append("TWO_PLACES")
    return notes
