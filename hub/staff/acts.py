"""What is done to staff and cards: the change, its line in the audit log, its word to the terminals, as one.

1. The log names a staff number, never a name; what somebody earns is told as changed, never how much.
2. A card is named by its label or the first eight figures of its token.
3. What a terminal must know of (cards, names, who is here) is marked for the roster.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import date

from hub import audit
from hub.db import Connection
from hub.guard import Who
from hub.staff import store
from hub.staff.form import PAY, values_of
from hub.staff.roster_store import touch
from hub.staff.store import Card, Member
from hub.staff.terms import Hours, Terms

_DETAIL = 400


def sees_pay(who: Who) -> bool:
    """Whether somebody sees what others earn."""
    return who.may("payroll") or who.may("profile")


def add(conn: Connection, now_ms: int, who: str, number: str, since: date, terms: Terms, name: str = "") -> int:
    """Somebody new with their first terms; their id. Raises db.Refused for a number that is taken."""
    staff_id = store.add_member(conn, number, since, now_ms, name)
    store.set_terms(conn, staff_id, terms, now_ms, who)
    audit.note(conn, now_ms, who, "staff_add", number, f"{since}; {told(None, terms)}"[:_DETAIL])
    return staff_id


def set_terms(conn: Connection, now_ms: int, who: str, member: Member, terms: Terms, *, corrects: bool = False) -> None:
    """Terms from a day on. Raises TermsThere, LookupError."""
    same_day = next((one for one in member.terms if one.since == terms.since), None)
    store.set_terms(conn, member.id, terms, now_ms, who, corrects=corrects)
    did: audit.Did = "staff_terms_corrected" if same_day else "staff_terms"
    text = told(same_day or member.terms_on(terms.since), terms)
    audit.note(conn, now_ms, who, did, member.number, f"{terms.since}; {text}"[:_DETAIL])


def told(before: Terms | None, after: Terms) -> str:
    """What is different, field by field; pay without its figures."""
    old = values_of(before) if before else dict.fromkeys(values_of(after), "")
    parts = []
    for field, value in values_of(after).items():
        if old[field] != value:
            name = field.removeprefix("staff_")
            parts.append(f"{name}: …" if field in PAY else f"{name}: {old[field] or '–'} → {value or '–'}")
    return "; ".join(parts)


def leave(conn: Connection, now_ms: int, who: str, member: Member, day: date) -> None:
    """Somebody's last day."""
    store.leave(conn, member.id, day, now_ms)
    touch(conn, now_ms)
    audit.note(conn, now_ms, who, "staff_leave", member.number, day.isoformat())


def rejoin(conn: Connection, now_ms: int, who: str, member: Member, day: date) -> None:
    """Somebody is here again. Raises ValueError."""
    store.rejoin(conn, member.id, day, now_ms, who)
    touch(conn, now_ms)
    audit.note(conn, now_ms, who, "staff_rejoin", member.number, day.isoformat())


def set_name(conn: Connection, now_ms: int, who: str, member: Member, name: str) -> None:
    """Somebody's name. Raises ValueError where names are not kept."""
    store.set_name(conn, member.id, name, now_ms)
    touch(conn, now_ms)
    audit.note(conn, now_ms, who, "staff_name", member.number)


def set_number(conn: Connection, now_ms: int, who: str, member: Member, number: str) -> None:
    """Corrects a number. Raises db.Refused for one that is taken."""
    store.set_number(conn, member.id, number, now_ms)
    touch(conn, now_ms)
    audit.note(conn, now_ms, who, "staff_number", number, f"{member.number} → {number}")


def link(conn: Connection, now_ms: int, who: str, member: Member, person_id: int | None, sign_in: str) -> None:
    """Who signs in as them. Raises db.Refused for a person who is somebody else."""
    store.link_person(conn, member.id, person_id, now_ms)
    audit.note(conn, now_ms, who, "staff_link", member.number, sign_in)


def keep_names(conn: Connection, now_ms: int, who: str, *, kept: bool) -> int:
    """Whether names are kept here; how many were deleted."""
    n = store.keep_names(conn, kept=kept)
    touch(conn, now_ms)
    audit.note(conn, now_ms, who, "keep_staff_names" if kept else "forget_staff_names", "", str(n) if n else "")
    return n


def add_department(conn: Connection, now_ms: int, who: str, code: str, name: str) -> None:
    """A new department. Raises db.Refused for a code that is taken."""
    store.add_department(conn, code, name)
    audit.note(conn, now_ms, who, "department", code, name)


def change_department(
    conn: Connection, now_ms: int, who: str, department: store.Department, name: str, *, closed: bool
) -> None:
    """Another name, or none any more."""
    store.change_department(conn, department.id, name, closed=closed)
    state = " (closed)" if closed else ""
    audit.note(conn, now_ms, who, "department", department.code, f"{department.name} → {name}{state}")


def set_days(
    conn: Connection,
    now_ms: int,
    who: str,
    member: Member,
    days: Mapping[date, Hours | None],
    cleared: Iterable[date] = (),
) -> None:
    """Assigns hours of days, and takes others away."""
    gone = sorted(cleared)
    store.set_days(conn, member.id, days, now_ms, who)
    store.clear_days(conn, member.id, gone)
    both = sorted([*days, *gone])
    if both:
        audit.note(conn, now_ms, who, "shifts", member.number, f"{both[0]} – {both[-1]}: {len(both)}")


# ---- cards


def shown(card: Card) -> str:
    """What a card is called: its label, or the first figures of its token."""
    return card.label or card.token[:8]


def issue(
    conn: Connection,
    now_ms: int,
    who: str,
    member: Member,
    token: str,
    from_ms: int,
    *,
    label: str = "",
    kind: str = "",
) -> int:
    """A card becomes somebody's from a moment on; the id of the holding. Raises CardHeld."""
    earlier = store.holdings(conn, token)
    label = label or (earlier[-1].label if earlier else "")
    card_id = store.issue_card(conn, member.id, token, from_ms, now_ms, who, label=label, kind=kind)
    touch(conn, now_ms)
    audit.note(conn, now_ms, who, "card_issue", member.number, label or token[:8])
    return card_id


def undo_issue(conn: Connection, now_ms: int, who: str, card: Card) -> bool:
    """Takes back that a card was given to somebody; whether it could be."""
    if not store.undo_issue(conn, card.id, now_ms, who):
        return False
    touch(conn, now_ms)
    member = store.member(conn, card.staff_id)
    audit.note(conn, now_ms, who, "card_issue_undone", member.number if member else "", shown(card))
    return True


def change_card(conn: Connection, now_ms: int, who: str, card: Card, do: str) -> bool:
    """Lost, found or returned; whether it could be. Raises KeyError for another word."""
    change, did = _CARD_ACTS[do]
    if not change(conn, card.id, now_ms, who):
        return False
    touch(conn, now_ms)
    member = store.member(conn, card.staff_id)
    audit.note(conn, now_ms, who, did, member.number if member else "", shown(card))
    return True


_CARD_ACTS: dict[str, tuple[Callable[[Connection, int, int, str], bool], audit.Did]] = {
    "lost": (store.card_lost, "card_lost"),
    "found": (store.card_found, "card_found"),
    "returned": (store.card_returned, "card_returned"),
}


def set_label(conn: Connection, now_ms: int, who: str, card: Card, label: str) -> None:
    """The number that is printed on a card."""
    store.set_label(conn, card.id, label, now_ms, who)
    audit.note(conn, now_ms, who, "card_label", label or card.token[:8], card.token[:8])
