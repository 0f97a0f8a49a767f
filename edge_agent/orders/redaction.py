"""What may leave a device in a diagnostics file: words and figures, never what opens something (rule).

Better too much is left out than too little: a log is read for what happened, not for its numbers.

1. Private keys and certificates in PEM.
2. What stands behind a word for a secret (password, token, key, code, PIN, card …) up to the end of its value.
3. Long runs of hexadecimal digits (card serial numbers of 4 bytes have 8) and of plain digits (12 and more).
4. Long runs of base64 (32 and more characters).
"""

import re
from collections.abc import Mapping
from typing import Any

REMOVED = "[removed]"

_HIDDEN = (
    r"(?:pass(?:word|wd|phrase)?|token|secret|(?:api|card|private|signing)?[_-]?key|code|pin|psk|otp|totp|cookie|"
    r"authorization|bearer|card|serial|idm|uid|nonce|signature|csrf|session|contact)"
)
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\Z)", re.DOTALL)
_NAMED = re.compile(rf"(?i)\b([\w.-]*{_HIDDEN}[\w.-]*[\"']?\s*[:=]\s*)(\"[^\"\n]*\"|'[^'\n]*'|[^\s,;]+(?: +\S+)?)")
_HEX = re.compile(r"(?i)(?<![0-9a-z])(?=[0-9]*[a-f])(?:[0-9a-f]{2}[:-]?){4,}(?![0-9a-z])|(?<![0-9a-z])[0-9]{12,}")
_BASE64 = re.compile(r"[A-Za-z0-9+_-]{32,}={0,2}")
_HIDDEN_NAME = re.compile(_HIDDEN, re.IGNORECASE)


def text(found: str) -> str:
    """A log without what must not leave."""
    found = _PEM.sub(REMOVED, found)
    found = _NAMED.sub(rf"\1{REMOVED}", found)
    found = _HEX.sub(REMOVED, found)
    return _BASE64.sub(REMOVED, found)


def settings(found: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without what must not leave: by the names of their keys, and by how their values look."""
    return {key: REMOVED if _HIDDEN_NAME.search(key) else _value(value) for key, value in found.items()}


def _value(value: Any) -> Any:
    if isinstance(value, Mapping):
        return settings(value)
    if isinstance(value, list | tuple):
        return [_value(one) for one in value]
    return text(value) if isinstance(value, str) else value
