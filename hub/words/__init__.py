"""Every word that the pages show, in Japanese and English; tests keep both complete.  One file a domain."""

from typing import Literal

from hub.words import (
    alerts,
    api,
    benefit,
    bill,
    clone,
    closing,
    common,
    disaster,
    identity,
    inventory,
    ledger,
    orders,
    payroll,
    people,
    policy,
    profile,
    radius,
    register,
    requests,
    rollout,
    rules,
    staff,
    tablet,
    timesheet,
    voucher,
    waiver,
    waiver_month,
    wifi,
    wifi_privacy,
    wifi_terms,
)

Language = Literal["ja", "en"]

_FILES = (
    common,
    clone,
    identity,
    orders,
    policy,
    rollout,
    inventory,
    alerts,
    people,
    api,
    staff,
    requests,
    timesheet,
    rules,
    closing,
    profile,
    payroll,
    wifi,
    wifi_terms,
    voucher,
    disaster,
    wifi_privacy,
    radius,
    waiver,
    tablet,
    register,
    bill,
    ledger,
    waiver_month,
    benefit,
)
WORDS: dict[str, tuple[str, str]] = {key: texts for file in _FILES for key, texts in file.WORDS.items()}


def known_word(language: Language, key: str) -> str:
    """The word, or the key itself when a newer device sends one that is not in the list."""
    return word(language, key) if key in WORDS else key


def word(language: Language, key: str, **values: object) -> str:
    """A word or sentence in a language. Raises KeyError for one that is not in the list."""
    text = WORDS[key][0 if language == "ja" else 1]
    return text.format(**values) if values else text
