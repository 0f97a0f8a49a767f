"""The audit log: who did what to whom, appended in the transaction that does it and never changed (SQL)."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from hub import chain
from hub.chain import Link
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
    "card_key",
    "change_role",
    "export_audit",
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
    "order",
    "withdraw",
    "stolen",
    "found_again",
    "joined",
    "inventory",
    "inventory_removed",
    "lend",
    "prolong",
    "take_back",
    "import_inventory",
    "keep_names",
    "forget_names",
    "policy_group",
    "policy_group_removed",
    "policy_own",
    "policy_publish",
    "policy_repair",
    "policy_accept",
    "policy_back",
    "rollout_make",
    "rollout_approve",
    "rollout_decline",
    "rollout_pause",
    "rollout_resume",
    "rollout_skip_device",
    "rollout_skip_group",
    "rollout_retry_device",
    "rollout_abort",
    "rollout_take_back",
    "token_make",
    "token_revoke",
    "clone",
    "clone_take",
    "clone_drop",
    "clone_release",
    "month_close",
    "month_book",
    "request_enter",
    "request_approve",
    "request_refuse",
    "request_revoke",
    "request_withdraw",
    "request_enter_again",
    "profile_change",
    "holiday_entry",
    "payroll_export",
    "payroll_preview",
    "payroll_layout",
    "payroll_layout_removed",
    "payroll_letter",
    "import_punches",
    "staff_add",
    "staff_terms",
    "staff_terms_corrected",
    "staff_leave",
    "staff_rejoin",
    "staff_name",
    "staff_number",
    "staff_link",
    "keep_staff_names",
    "forget_staff_names",
    "department",
    "shifts",
    "card_issue",
    "card_issue_undone",
    "card_lost",
    "card_found",
    "card_returned",
    "card_label",
    "import_staff",
    "import_cards",
    "import_shifts",
    "disaster_ask",
    "disaster_confirm",
    "disaster_refuse",
    "disaster_withdraw",
    "disaster_end",
    "disaster_over",
    "disaster_button",
    "wifi_purge",
    "wifi_keep",
    "wifi_proof",
    "inquiry_enter",
    "inquiry_approve",
    "inquiry_refuse",
    "inquiry_hand_out",
    "radius_client",
    "radius_client_withdrawn",
    "wifi_notice",
    "portal_certificate",
    "terms_draft",
    "terms_draft_dropped",
    "terms_publish",
    "voucher_make",
    "voucher_make_again",
    "voucher_withdraw",
    "content_publish",
    "content_withdraw",
    "tablet_numbers",
    "help_seen",
    "ledger_close",
    "receipt_enter",
    "receipt_import",
    "receipt_undo",
    "reminder_print",
    "resident_add",
    "resident_change",
    "line_add",
    "line_change",
    "line_tariff",
    "line_hand_over",
    "line_give_back",
    "import_residents",
    "import_lines",
    "waiver_apply",
    "waiver_decide",
    "waiver_withdraw",
    "waiver_check",
    "waiver_notice",
    "waiver_letter",
    "tariff_version",
    "waiver_rule_version",
    "waiver_sample",
    "bill_import",
    "bill_withdraw",
    "bill_decide",
    "bill_again",
    "bill_layout",
    "bill_layout_removed",
    "waiver_close_ask",
    "waiver_close_refuse",
    "waiver_close_withdraw",
    "waiver_pay",
    "voucher_export",
    "voucher_layout",
    "voucher_layout_removed",
    "benefit_kind",
    "benefit_grant",
    "benefit_approve",
    "benefit_refuse",
    "benefit_end",
    "benefit_card",
    "benefit_card_back",
    "benefit_use_back",
    "benefit_seen",
    "benefit_give_up",
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
    """Appends a line, joined to the one before it, in the transaction of what it tells of."""
    seq, prev = head(conn)
    hashed = chain.digest(seq + 1, prev, chain.body(at_ms, who, did, what, detail))
    conn.execute(
        "INSERT INTO audit (id, at_ms, who, did, what, detail, prev, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (seq + 1, at_ms, who, did, what, detail, prev, hashed),
    )


def head(conn: Connection) -> tuple[int, bytes]:
    """The newest line's number and hash; 0 and the chain's beginning when there is none."""
    row = conn.execute("SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    return row or (0, chain.START)


def links(conn: Connection, after: int = 0, limit: int = -1) -> Iterator[Link]:
    """The chain, oldest first, from after a number on."""
    rows = conn.execute(
        "SELECT id, at_ms, who, did, what, detail, prev, hash FROM audit WHERE id > ? ORDER BY id LIMIT ?",
        (after, limit),
    )
    for seq, at_ms, who, did, what, detail, prev, hashed in rows:
        yield Link(seq, prev, chain.body(at_ms, who, did, what, detail), hashed)


def entries(conn: Connection, limit: int = 100, before_id: int | None = None, who: str = "") -> list[Entry]:
    """Lines, newest first; those before `before_id` for the next page."""
    rows = conn.execute(
        "SELECT id, at_ms, who, did, what, detail FROM audit WHERE (? IS NULL OR id < ?) AND (? = '' OR who = ?) "
        "ORDER BY id DESC LIMIT ?",
        (before_id, before_id, who, who, limit),
    )
    return [Entry(*row) for row in rows]


def told(conn: Connection, did: Did) -> list[tuple[str, str]]:
    """What one kind of line says, oldest first: whom it is about, and its detail."""
    return conn.execute("SELECT what, detail FROM audit WHERE did = ? ORDER BY id", (did,)).fetchall()
