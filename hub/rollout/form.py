"""The form of a new roll-out: what people type, as a plan (rule)."""

import re
from collections.abc import Mapping, Sequence
from datetime import date

import msgspec
from msgspec.structs import replace

from hub.rollout.plan import CLOCKING, DAY_MS, HOUR_MS, Candidate, Group, Offline, Plan, Proposal, propose
from hub.rollout.quiet import MINUTE_MS, Quiet, Window, never_open

TITLE_LENGTH = 80
_WINDOW = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\s*[-~〜－–]\s*([01]?\d|2[0-4]):([0-5]\d)")
_COUNT = re.compile(r"\d{1,6}", re.ASCII)
_PARTS = re.compile(r"[\s,、，;]+")


class Wrong(Exception):
    """A field that cannot be read: its name; `rollout_wrong_…` says what was expected."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


class Laid(msgspec.Struct, frozen=True):
    """A plan and who is in which group."""

    title: str
    plan: Plan
    group_of: dict[int, int]


def parts(text: str) -> list[str]:
    """Names or dates with commas or spaces between them."""
    return [part for part in _PARTS.split(text.strip()) if part]


def defaults(proposal: Proposal) -> dict[str, str]:
    """What the form shows at first."""
    plan = Plan(proposal.groups)
    shown = {
        "title": "",
        "soak_min": str(plan.soak_ms // MINUTE_MS),
        "deadline_min": str(plan.deadline_ms // MINUTE_MS),
        "offline": plan.offline,
        "wait_hours": str(plan.wait_ms // HOUR_MS),
        "join_days": str(plan.join_ms // DAY_MS),
        "windows": ", ".join(_shown(window) for window in CLOCKING.windows),
        "windows_all": "",
        "days_off": "yes",
        "dates": "",
    }
    for group in proposal.groups:
        shown[f"max_{group.name}"], shown[f"once_{group.name}"] = str(group.max_failures), str(group.at_once)
    return shown


def read(sent: Mapping[str, str], devices: Sequence[Candidate]) -> Laid:
    """The plan that was typed. Raises Wrong."""
    first = parts(sent.get("first", ""))
    if not set(first) <= {one.name for one in devices}:
        raise Wrong("first")
    proposal = propose(devices, first)
    title = " ".join(sent.get("title", "").split())
    if not title or len(title) > TITLE_LENGTH:
        raise Wrong("title")
    offline: Offline = "wait" if sent.get("offline") == "wait" else "skip"
    plan = Plan(
        tuple(_group(sent, group) for group in proposal.groups),
        _number(sent, "soak_min", 0, 7 * 24 * 60) * MINUTE_MS,
        _number(sent, "deadline_min", 1, 7 * 24 * 60) * MINUTE_MS,
        offline,
        _number(sent, "wait_hours", 0, 30 * 24) * HOUR_MS,
        join_ms=_number(sent, "join_days", 0, 90) * DAY_MS,
        quiet=_quiet(sent),
    )
    if never_open(plan.quiet, {one.kind for one in devices}):
        raise Wrong("windows")
    return Laid(title, plan, proposal.group_of)


def _group(sent: Mapping[str, str], group: Group) -> Group:
    """A group that was not on the page, because others were named to be first, is as it is proposed."""
    shown = {f"max_{group.name}": str(group.max_failures), f"once_{group.name}": str(group.at_once), **sent}
    return replace(
        group,
        max_failures=_number(shown, f"max_{group.name}", 0, 10_000),
        at_once=_number(shown, f"once_{group.name}", 1, 10_000),
    )


def _number(sent: Mapping[str, str], field: str, low: int, high: int) -> int:
    text = sent.get(field, "").strip()
    if not _COUNT.fullmatch(text) or not low <= int(text) <= high:
        raise Wrong(field.partition("_")[0] if field.startswith(("max_", "once_")) else field)
    return int(text)


def _quiet(sent: Mapping[str, str]) -> Quiet:
    windows = [*_windows(sent, "windows", ("terminal",)), *_windows(sent, "windows_all", ())]
    dates = parts(sent.get("dates", ""))
    for one in dates:
        try:
            if date.fromisoformat(one).isoformat() != one:
                raise Wrong("dates")
        except ValueError as error:
            raise Wrong("dates") from error
    return Quiet(tuple(windows), sent.get("days_off") == "yes", tuple(dates))


def _windows(sent: Mapping[str, str], field: str, kinds: tuple[str, ...]) -> list[Window]:
    found = []
    for text in re.split(r"[,、，;]", sent.get(field, "")):
        if not text.strip():
            continue
        match = _WINDOW.fullmatch(text.strip())
        if match is None:
            raise Wrong(field)
        since = int(match[1]) * 60 + int(match[2])
        until = (int(match[3]) * 60 + int(match[4])) % (24 * 60)
        found.append(Window(since, until, kinds))
    return found


def _shown(window: Window) -> str:
    return f"{window.since // 60:02}:{window.since % 60:02}-{window.until // 60:02}:{window.until % 60:02}"
