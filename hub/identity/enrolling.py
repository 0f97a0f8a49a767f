"""Who gets a certificate, and why not: first ones by code or serial number, next ones late or over MQTT.

Each function decides and writes in the one transaction that it is called in.

1. Everything about a request is looked at before a code is used up.
2. A device that was reported stolen gets nothing before somebody says that it was found.
3. A new first certificate withdraws the older ones of that name: the card that was re-imaged may be about.
"""

import hmac
from typing import NamedTuple

from hub import audit
from hub.db import Connection
from hub.fleet import outbox
from hub.identity import enrol_store, store
from hub.identity.authority import Authority, Issued
from hub.identity.enrol_store import Code, Pending
from hub.identity.store import Asked, Certified, How
from wire import codec, enrolment, topics, x509
from wire.enrolment import Ask, BadInvitation, Late
from wire.messages import Certificate
from wire.signed import NotCanonical

ASK_AGAIN_S = 10
_WRONG_CODE = "this code is not good: it is mistyped, older than 30 minutes, or used already"
_STOLEN = "this device was reported stolen; somebody at the town hall must say first that it was found"


class Chain(NamedTuple):
    """A certificate was issued (or had been, for the same key): leaf and issuer in PEM. `withdrew` older ones."""

    text: str
    withdrew: bool = False


class Wait(NamedTuple):
    """A person must look first."""

    compare: str


class No(NamedTuple):
    """Refused, and why. `guess`: it may have been a try at guessing, and counts for the brake."""

    error: str
    guess: bool = False


class _Refused(Exception):
    """A `No` on its way out of a decision; nothing has been written by then."""

    def __init__(self, error: str, *, guess: bool = False) -> None:
        super().__init__(error)
        self.no = No(error, guess)


class Wipe(NamedTuple):
    """A stolen device came back: what it is told all the same."""

    messages: tuple[str, ...]


def enrol(conn: Connection, authority: Authority, ask: Ask, source: str, now_ms: int) -> Chain | Wait | No:
    """A device's first certificate."""
    try:
        _check_name(ask.device)
        if ask.code:
            return _by_code(conn, authority, ask, now_ms)
        return _by_serial(conn, authority, ask, source, now_ms)
    except _Refused as refused:
        return refused.no


def _check_name(device: str) -> None:
    if not topics.is_device(device):
        raise _Refused(f"device: found {device!r}, expected a name of a-z, 0-9 and - (at most 63)")


def _by_code(conn: Connection, authority: Authority, ask: Ask, now_ms: int) -> Chain:
    code_hash, code = _code_of(conn, ask, now_ms)
    if (code.device, code.kind) != (ask.device, ask.kind) or code.hardware not in ("", ask.serial):
        raise _Refused(f"this code is for the {code.kind} {code.device}{_of_hardware(code.hardware)}")
    key_name = _key_of(ask.request, ask.device)
    if code.used_ms is not None:
        # The answer was lost on its way: the same request gets the same answer, another gets none.
        had = store.by_key(conn, key_name)
        if had and had.revoked_ms is None and hmac.compare_digest(code.used_key, key_name):
            return Chain(had.chain)
        raise _Refused(_WRONG_CODE, guess=True)
    _check_may_begin(conn, ask.device, key_name)
    if not enrol_store.use_code(conn, code_hash, key_name, now_ms):
        raise _Refused(_WRONG_CODE, guess=True)
    return _begin(conn, authority, ask, "code", code.who, now_ms)


def _code_of(conn: Connection, ask: Ask, now_ms: int) -> tuple[str, Code]:
    try:
        code_hash = enrolment.hash_code(ask.code)
    except BadInvitation as error:
        raise _Refused(f"code: {error}", guess=True) from error
    code = enrol_store.code(conn, code_hash, now_ms)
    if code is None:
        raise _Refused(_WRONG_CODE, guess=True)
    return code_hash, code


def _of_hardware(serial: str) -> str:
    return f" with the serial number {serial}" if serial else ""


def _key_of(request: str, device: str) -> str:
    """The name of the key that asks."""
    try:
        return x509.key_name(x509.check_request(request.encode(), device).public_key())
    except x509.BadRequest as error:
        raise _Refused(f"request: {error}") from error


def _check_may_begin(conn: Connection, device: str, key_name: str) -> None:
    """Whether this device may have a first certificate for this key."""
    if store.by_key(conn, key_name) is not None:
        raise _Refused("this key has had its certificate; a new key is needed")
    id_ = store.device_id(conn, device)
    if id_ is not None and outbox.held(conn, [id_]).get(id_) == "stolen":
        raise _Refused(_STOLEN)


def _by_serial(conn: Connection, authority: Authority, ask: Ask, source: str, now_ms: int) -> Chain | Wait:
    expected = enrol_store.expected(conn, ask.serial) if ask.serial else None
    if expected is None or (expected.device, expected.kind) != (ask.device, ask.kind):
        error = "no device of this serial number, name and kind is expected; a code is needed"
        raise _Refused(error, guess=True)
    key_name = _key_of(ask.request, ask.device)
    had = store.by_key(conn, key_name)
    if had is not None and had.revoked_ms is None:
        return Chain(had.chain)
    _check_may_begin(conn, ask.device, key_name)
    if expected.at_once and not _has_identity(conn, ask.device, now_ms):
        return _begin(conn, authority, ask, "serial", expected.who, now_ms)
    return _by_person(conn, authority, ask, key_name, source, now_ms)


def _by_person(
    conn: Connection, authority: Authority, ask: Ask, key_name: str, source: str, now_ms: int
) -> Chain | Wait:
    """A person looks first, and has looked when the device asks again."""
    asked = enrol_store.ask(
        conn, Pending(key_name, ask.serial, ask.device, ask.kind, source[:100], now_ms, now_ms, "waiting", "")
    )
    if asked.state == "approved":
        enrol_store.done(conn, key_name)
        return _begin(conn, authority, ask, "approved", asked.who, now_ms)
    if asked.state == "waiting":
        return Wait(enrolment.compare_text(key_name))
    raise _Refused("somebody at the town hall has refused this request")


def _has_identity(conn: Connection, device: str, now_ms: int) -> bool:
    """A serial number can be read off the case: it never takes the place of a device that is there."""
    id_ = store.device_id(conn, device)
    return id_ is not None and store.is_good(conn, id_, now_ms)


def _begin(conn: Connection, authority: Authority, ask: Ask, how: How, who: str, now_ms: int) -> Chain:
    """Issues the first certificate; `who` let the device in."""
    issued = authority.issue(ask.request.encode(), ask.device, now_ms)
    device = store.make_device(conn, ask.device, ask.kind, now_ms)
    withdrew = store.revoke(conn, device, "superseded", now_ms)
    _keep(conn, device, issued, how, now_ms)
    outbox.release(conn, device)
    audit.note(conn, now_ms, who, "enrol", ask.device, f"{how} {issued.serial}")
    return Chain(issued.chain, withdrew=withdrew > 0)


def _keep(conn: Connection, device: int, issued: Issued, how: How, now_ms: int) -> None:
    store.keep(conn, device, issued.serial, issued.key_name, how, now_ms, issued.end_ms, issued.chain)


# ---- the next certificate


def renew(conn: Connection, authority: Authority, asked: Asked, now_ms: int) -> str:
    """Answers a renewal that came over MQTT: the certificate goes into the outbox. Why not, or empty."""
    if not store.answered(conn, asked):
        return ""
    try:
        chain, end_ms = _renewed(conn, authority, asked, now_ms)
    except _Refused as refused:
        return refused.no.error
    message = codec.encode(Certificate(chain))
    outbox.put(conn, asked.device_id, "certificate", "", message, now_ms, not_after_ms=end_ms)
    return ""


def _renewed(conn: Connection, authority: Authority, asked: Asked, now_ms: int) -> tuple[str, int]:
    key_name = _key_of(asked.request, asked.device)
    if asked.device_id in outbox.held(conn, [asked.device_id]):
        raise _Refused("it is on hold")
    if not store.is_good(conn, asked.device_id, now_ms):
        raise _Refused("the register knows no good certificate of it")
    had = store.by_key(conn, key_name)
    if had is not None:
        if had.device_id != asked.device_id or had.revoked_ms is not None:
            raise _Refused("its key has had a certificate, which is not good any more")
        return had.chain, had.end_ms
    issued = authority.issue(asked.request.encode(), asked.device, now_ms)
    _keep(conn, asked.device_id, issued, "renewal", now_ms)
    audit.note(conn, now_ms, audit.SYSTEM, "renew", asked.device, issued.serial)
    return issued.chain, issued.end_ms


def renew_late(conn: Connection, authority: Authority, late: Late, now_ms: int, grace_ms: int) -> Chain | No | Wipe:
    """Answers a device whose certificate has ended, or that the broker does not take, by proof of its old key.

    Automatic for `grace_ms` after the end; a device that was in a drawer for longer needs a code (A8, ADR 0011).
    Only from its newest certificate: whoever holds an older copy of its card gets nothing by it.
    """
    try:
        had = _proved(conn, late)
        held = outbox.held(conn, [had.device_id]).get(had.device_id)
        if held == "stolen":
            return Wipe(tuple(message.decode() for message in outbox.despite_hold(conn, had.device_id, now_ms)))
        _check_is_good(had, now_ms, grace_ms, is_held=held is not None)
        return _next(conn, authority, late, had, now_ms)
    except _Refused as refused:
        return refused.no


def _check_is_good(had: Certified, now_ms: int, grace_ms: int, *, is_held: bool) -> None:
    if is_held or had.revoked_ms is not None:
        raise _Refused("this certificate was withdrawn; a code is needed")
    if had.end_ms + grace_ms < now_ms:
        raise _Refused("this certificate ended too long ago; a code is needed")


def _proved(conn: Connection, late: Late) -> Certified:
    """The certificate of whoever asks: the register has it, and its key has signed."""
    try:
        leaf = x509.read_leaf(late.chain.encode())
        signature = enrolment.read_signature(late.signature)
        data = enrolment.late_bytes(late.device, late.chain, late.request, late.at_ms)
    except (x509.BadChain, ValueError, NotCanonical) as error:
        raise _Refused(f"the request cannot be read: {error}", guess=True) from error
    had = store.by_serial(conn, x509.serial_text(leaf))
    if had is None or had.device != late.device or x509.read_leaf(had.chain.encode()) != leaf:
        raise _Refused("the register does not know this certificate", guess=True)
    if not x509.is_signed(leaf, signature, data):
        raise _Refused("the request is not signed with the certificate's key", guess=True)
    return had


def _next(conn: Connection, authority: Authority, late: Late, had: Certified, now_ms: int) -> Chain:
    key_name = _key_of(late.request, late.device)
    again = store.by_key(conn, key_name)
    if again is not None:
        if again.device_id != had.device_id or again.revoked_ms is not None or again.end_ms <= now_ms:
            raise _Refused("this key has had its certificate; a new key is needed")
        return Chain(again.chain)
    if store.of_device(conn, had.device_id)[0].serial != had.serial:
        raise _Refused("this device has a newer certificate; a code is needed")
    issued = authority.issue(late.request.encode(), late.device, now_ms)
    _keep(conn, had.device_id, issued, "late", now_ms)
    audit.note(conn, now_ms, audit.SYSTEM, "renew", late.device, f"late {issued.serial}")
    return Chain(issued.chain)
