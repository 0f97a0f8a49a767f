"""Codes and invitations as they are read aloud, typed, and scanned."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire import enrolment
from wire.enrolment import ALPHABET, BadInvitation, Invitation

_PLACES = st.integers(0, enrolment.CODE_CHARACTERS - 1)


@given(_PLACES, st.sampled_from(ALPHABET))
def test_one_mistyped_character_is_noticed_mostly_before_it_is_sent(place: int, other: str) -> None:
    code = enrolment.make_code()
    plain = code.replace("-", "")
    changed = plain[:place] + other + plain[place + 1 :]
    try:
        read = enrolment.read_code(changed)
    except BadInvitation:
        assert other != plain[place]
    else:
        # One slip in 32 fits by chance; it is then another code, never the same.
        assert (read == code) == (other == plain[place])


def test_31_of_32_slips_are_noticed() -> None:
    noticed, tries = 0, 0
    for _ in range(40):
        plain = enrolment.make_code().replace("-", "")
        for other in ALPHABET:
            if other != plain[5]:
                tries += 1
                try:
                    enrolment.read_code(plain[:5] + other + plain[6:])
                except BadInvitation:
                    noticed += 1
    assert noticed / tries > 0.9


@pytest.mark.parametrize("dress", [str.lower, str.upper, lambda s: s.replace("-", ""), lambda s: s.replace("-", " ")])
def test_it_may_be_typed_as_people_type(dress: object) -> None:
    for _ in range(50):
        code = enrolment.make_code()
        typed = dress(code)  # type: ignore[operator]
        assert enrolment.read_code(f" {typed}\n") == code
        assert enrolment.read_code(typed.replace("1", "l").replace("0", "o")) == code
        assert enrolment.hash_code(typed) == enrolment.hash_code(code)


@given(st.text(max_size=60))
def test_anything_else_is_one_sentence(text: str) -> None:
    with contextlib.suppress(BadInvitation):
        assert len(enrolment.read_code(text)) == 34


@given(st.text(max_size=200))
def test_any_line_is_an_invitation_or_one_sentence(text: str) -> None:
    for line in (text, f"machinaka:enrol?{text}", f"machinaka:enrol?hub={text}&code=&root={'0' * 64}"):
        with contextlib.suppress(BadInvitation):
            assert enrolment.read_invitation(line).root


def test_an_invitation_comes_back_as_it_was() -> None:
    for hub in ("http://127.0.0.1:8080", "https://machinaka.town.example", "https://[2001:db8::1]:8443/hub"):
        for code in (enrolment.make_code(), ""):
            told = Invitation(hub, code, "ab" * 32)
            assert enrolment.read_invitation(told.text) == told
