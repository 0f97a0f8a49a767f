"""The audit log: who did what to whom, appended in the transaction that does it and never changed (SQL)."""

from typing import Literal

import msgspec

from hub.db import Connection

Did = Literal[
    "sign_in",
    "sign_in_failed",
    "sign_out",
    "sign_out_everywhere",
    "code_failed",
    "recovery_code",
    "proof_failed",
    "set_up_code",
    "new_recovery",
    "code_off",
    "reset_code",
    "change_role",
    "password",
    "password_failed",
    "add_person",
    "new_link",
    "disable",
    "enable",
    "admin_link",
    "seen",
    "unseen",
    "alert_take",
    "alert_untake",
    "alert_hush",
    "alert_unhush",
    "alert_target_add",
    "alert_target_remove",
    "alert_target_test",
    "alert_settings",
    "enrol_code",
    "enrol_code_back",
    "enrol",
    "expect_device",
    "forget_device",
    "approve_enrolment",
    "refuse_enrolment",
    "renew",
    "revoke",
]
# Who did what nobody signed in did.
SYSTEM = "system"


class Entry(msgspec.Struct, frozen=True):
    """One line: `who` did `did` (`did_…` in words.py) to `what`."""

    id: int
    at_ms: int
    who: str
    did: str
    what: str
    detail: str


def note(conn: Connection, at_ms: int, who: str, did: Did, what: str = "", detail: str = "") -> None:
    """Appends a line."""
    conn.execute(
        "INSERT INTO audit (at_ms, who, did, what, detail) VALUES (?, ?, ?, ?, ?)", (at_ms, who, did, what, detail)
    )


def entries(conn: Connection, limit: int = 100, before_id: int | None = None, who: str = "") -> list[Entry]:
    """Lines, newest first; those before `before_id` for the next page."""
    rows = conn.execute(
        "SELECT id, at_ms, who, did, what, detail FROM audit WHERE (? IS NULL OR id < ?) AND (? = '' OR who = ?) "
        "ORDER BY id DESC LIMIT ?",
        (before_id, before_id, who, who, limit),
    )
    return [Entry(*row) for row in rows]
