"""The frozen bytes of a person's month (rule): what a close puts its hash over.

JSON in UTF-8 with sorted keys, no spaces, whole numbers only; `form` names this way of writing.  The same facts give
the same bytes, in whatever order they came.  A change of `MonthResult` or of what is in it needs a new form, and keeps
the old one for the months that were closed with it.
"""

import hashlib

import msgspec

from hub.attendance.rules.result import MonthResult

FORM = "machinaka-month-1"


class _Written(msgspec.Struct, frozen=True):
    form: str
    month: MonthResult


_encoder = msgspec.json.Encoder(order="sorted")
_decoder = msgspec.json.Decoder(_Written)


def canonical(result: MonthResult) -> bytes:
    """The bytes."""
    return _encoder.encode(_Written(FORM, result))


def read(written: bytes | msgspec.Raw) -> MonthResult:
    """The month that stands in the bytes. Raises msgspec.MsgspecError when they are no month of this form."""
    found = _decoder.decode(written)
    if found.form != FORM:
        raise msgspec.ValidationError(f"form: expected {FORM}, found {found.form}")
    return found.month


def digest(result: MonthResult) -> str:
    """SHA-256 of the bytes, in lower-case hexadecimal."""
    return hashlib.sha256(canonical(result)).hexdigest()
