"""What the portal says, in one language. A language that lacks a sentence cannot be made.

Furigana stand as `漢字《かんじ》`; what stands in braces is filled in by `portal_pages`.
"""

import msgspec


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """Every sentence of the portal. `why` are the reasons of `portal_pages.WHY`: what happened, and what to do."""

    html_lang: str
    title: str
    title_at: str
    choose_language: str

    lead: str
    rules: str
    rule_time: str
    rule_extend: str
    rule_quota: str
    rule_open_air: str
    rule_privacy: str
    read_terms: str
    agree: str

    mail_lead: str
    mail_label: str
    mail_away: str
    voucher_link: str
    voucher_title: str
    voucher_lead: str
    voucher_label: str

    code_title: str
    code_lead: str
    code_label: str
    code_button: str
    code_left: str
    mail_again_link: str
    mail_again_title: str
    mail_again_button: str

    on: str
    on_lead: str
    time_left: str
    until: str
    data_left: str
    slowed: str
    extend: str
    extend_note: str
    no_extension: str
    leave: str
    look_again: str
    come_back: str

    extended: str
    left: str
    confirmed: str

    terms: str
    terms_version: str
    terms_other: str
    back: str
    help_at: str
    help_here: str

    sorry: str
    why: dict[str, str]
    open_today: str
    shut_today: str
    again: str

    disaster: str
    disaster_lead: str
    disaster_care: str

    not_ready: str
    not_ready_lead: str

    one_minute: str
    minutes: str
    hours: str
    hours_minutes: str
    less_than_a_minute: str
