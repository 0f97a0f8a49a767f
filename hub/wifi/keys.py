"""The keys of the Wi-Fi: files in a folder of the hub's own, never rows, so that a copy of the database opens nothing.

    day-<YYYY-MM-DD>.key    makes pseudonyms of guests' devices on that day in Japan (32 bytes, random)
    seal-<YYYY-MM>.key      opens what identifies a person and was sealed in that month (P-256, PEM)
    voucher.key             makes hashes of vouchers' codes (32 bytes)
    radius.secret           shared with whoever answers for staff networks (text)

1. A key is made at first need, whole or not at all, and never derived from another: one that is destroyed is gone.
2. A day's key is destroyed two days after its day has ended; from then on nobody can tell which device a pseudonym
   was, this hub included.
3. What is destroyed is overwritten, made sure of and removed.  A disk that writes elsewhere than it was told (flash, a
   copy-on-write file system) may keep the old block for a while; copies of this folder must not be made.
4. A key that cannot be read is never replaced: another voucher key would make every printed voucher void.
"""

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import re
import secrets
import threading
from datetime import date, timedelta
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from wire import sealed, signed, whole_file, x509
from wire.kit import KEY_BYTES, DayKey, SealingKey

# Keys of today and of so many days after it are in a kit: an access point works for so long without the hub.
AHEAD_DAYS = 7
# For so long after its day has ended a key is kept: a session over midnight is still recognised by a neighbour.
KEPT_DAYS = 2

# What a power cut left half-written is destroyed like the rest.
_DAY_FILE = re.compile(r"\.?day-([0-9]{4}-[0-9]{2}-[0-9]{2})\.key(?:\.new)?")
_SEAL_FILE = re.compile(r"\.?seal-([0-9]{4}-[0-9]{2})\.key(?:\.new)?")
_NAME = re.compile(r"([0-9]{4}-(?:0[1-9]|1[0-2]))\.[0-9a-f]{16}")
# Two threads that need the same key at once must get the same one.
_ALONE = threading.Lock()


class BadKey(Exception):
    """A file that is no key; one plain sentence, without anything of its content."""


def folder_of(state_dir: Path) -> Path:
    """Where the keys lie, in the hub's folder."""
    return state_dir / "wifi-keys"


# ---- days


def day_keys(folder: Path, today: date, n: int = AHEAD_DAYS + 1) -> tuple[DayKey, ...]:
    """The keys of `n` days from today on, made where there are none yet. Raises BadKey, OSError."""
    days = [(today + timedelta(days=after)).isoformat() for after in range(n)]
    return tuple(DayKey(day, _kept_or_made(folder / f"day-{day}.key")) for day in days)


def day_key(folder: Path, day: date) -> DayKey | None:
    """The key of a day when it is (still) there. Raises BadKey, OSError."""
    path = folder / f"day-{day.isoformat()}.key"
    return DayKey(day.isoformat(), _read(path)) if path.exists() else None


def destroy_day_keys(folder: Path, before: date) -> int:
    """Destroys the keys of all days before this one; how many there were. Raises OSError."""
    return _destroy(folder, _DAY_FILE, before.isoformat())


def last_kept(today: date) -> date:
    """The earliest day whose key is still kept today: `destroy_day_keys(folder, last_kept(today))`."""
    return today - timedelta(days=KEPT_DAYS)


# ---- months


def sealing_key(folder: Path, month: str) -> SealingKey:
    """The public key of a month (`2026-11`), made with its private half where there is none. Raises BadKey, OSError."""
    key = _private(folder, month, make=True)
    assert key is not None  # noqa: S101 (it was made)
    return SealingKey(_key_name(month, key), _point(key))


def open_contact(folder: Path, key_name: str, sealed_text: str, session: str) -> bytes | None:
    """What was sealed in a consent (base64url, as it is stored) to the key of that name, for that session. None when
    the key is destroyed, or it was sealed to another, or for another session. Raises BadKey, OSError."""
    named = _NAME.fullmatch(key_name)
    key = _private(folder, named[1], make=False) if named else None
    if named is None or key is None or not hmac.compare_digest(_key_name(named[1], key), key_name):
        return None
    try:
        data = base64.b64decode(sealed_text + "=" * (-len(sealed_text) % 4), altchars=b"-_", validate=True)
        return sealed.unseal(key, data, signed.contact_bytes(session))
    except (binascii.Error, ValueError, sealed.CannotOpen):
        return None


def destroy_sealing_keys(folder: Path, before_month: str) -> int:
    """Destroys the keys of all months before this one (`2026-11`); how many there were. Raises OSError."""
    return _destroy(folder, _SEAL_FILE, before_month)


# ---- for as long as the hub lives


def voucher_key(folder: Path) -> bytes:
    """What hashes of vouchers' codes are made with. Raises BadKey, OSError."""
    return _kept_or_made(folder / "voucher.key")


def check(key: bytes) -> str:
    """Tells a voucher key from another, and nothing of it."""
    return hmac.new(key, b"machinaka voucher key check 1", hashlib.sha256).hexdigest()[:32]


def radius_secret(folder: Path) -> str:
    """What access points share with the RADIUS server of staff networks. Raises BadKey, OSError."""
    path = folder / "radius.secret"
    with _ALONE:
        if not path.exists():
            _write(path, secrets.token_urlsafe(24).encode())
    with contextlib.suppress(UnicodeDecodeError):
        text = path.read_bytes().decode("ascii").strip()
        if 16 <= len(text) <= 200 and text.isprintable() and " " not in text:
            return text
    raise BadKey(f"{path.name}: expected 16 to 200 letters and figures without a space")


# ---- files


def _kept_or_made(path: Path) -> bytes:
    with _ALONE:
        if not path.exists():
            _write(path, secrets.token_bytes(KEY_BYTES))
    return _read(path)


def _read(path: Path) -> bytes:
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise BadKey(f"{path.name}: found {len(key)} bytes, expected the key of {KEY_BYTES}; put it back, or remove it")
    return key


def _private(folder: Path, month: str, *, make: bool) -> ec.EllipticCurvePrivateKey | None:
    path = folder / f"seal-{month}.key"
    with _ALONE:
        if not path.exists():
            if not make:
                return None
            _write(path, x509.key_pem(x509.make_key()))
    try:
        return x509.read_key(path.read_bytes())
    except ValueError as error:
        raise BadKey(f"{path.name}: found no key on a curve in it; put it back, or remove it") from error


def _key_name(month: str, key: ec.EllipticCurvePrivateKey) -> str:
    # A month whose key was lost and made anew has another name: what was sealed before is not tried in vain.
    return f"{month}.{hashlib.sha256(_point(key)).hexdigest()[:16]}"


def _point(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def _write(path: Path, data: bytes) -> None:
    whole_file.make_folder(path.parent)
    whole_file.write(path, data)


def _destroy(folder: Path, pattern: re.Pattern[str], before: str) -> int:
    with _ALONE:
        named = [(pattern.fullmatch(path.name), path) for path in sorted(folder.iterdir())] if folder.exists() else []
        over = [path for found, path in named if found and found[1] < before]
        for path in over:
            _overwrite(path)
            path.unlink()
        if over:
            whole_file.sync_folder(folder)
    return len(over)


def _overwrite(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(os.fstat(descriptor).st_size))
        file.flush()
        os.fsync(descriptor)
