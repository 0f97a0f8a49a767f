"""How a person lets a device in: makes a code, expects a serial number, approves a request (SQL and the audit log)."""

import msgspec

from hub import audit, pages
from hub.db import Connection
from hub.fleet import outbox
from hub.identity import enrol_store, store
from hub.identity.enrol_store import Expected, Pending
from wire import enrolment


class Made(msgspec.Struct, frozen=True):
    """A new code, which is nowhere else from now on, and until when it is good."""

    code: str
    end_ms: int


def make_code(conn: Connection, device: str, kind: str, hardware: str, who: str) -> Made | str:
    """A code for one device, or why there is none."""
    if is_stolen(conn, device):
        return f"{device} was reported stolen; say first that it was found"
    code, now_ms = enrolment.make_code(), pages.now_ms()
    end_ms = enrol_store.put_code(conn, enrolment.hash_code(code), device, kind, hardware.strip(), who, now_ms)
    audit.note(conn, now_ms, who, "enrol_code", device)
    return Made(code, end_ms)


def is_stolen(conn: Connection, device: str) -> bool:
    """Whether the device is on hold as stolen."""
    id_ = store.device_id(conn, device)
    return id_ is not None and outbox.held(conn, [id_]).get(id_) == "stolen"


def take_back(conn: Connection, device: str, who: str) -> bool:
    """Makes a device's unused code worth nothing; whether there was one."""
    there_was = enrol_store.drop_code(conn, device)
    if there_was:
        audit.note(conn, pages.now_ms(), who, "enrol_code_back", device)
    return there_was


def expect(conn: Connection, one: Expected) -> bool:
    """Puts a serial number on the list; False when it or the name is there already."""
    put = enrol_store.expect(conn, one)
    if put:
        audit.note(conn, one.made_ms, one.who, "expect_device", one.device, one.hardware)
    return put


def forget(conn: Connection, hardware: str, who: str) -> Expected | None:
    """Takes a serial number off the list; what was there, for the way back."""
    was = enrol_store.forget(conn, hardware)
    if was is not None:
        audit.note(conn, pages.now_ms(), who, "forget_device", was.device, hardware)
    return was


def decide(conn: Connection, key_name: str, who: str, *, approve: bool) -> Pending | None:
    """Approves or refuses a request that waits; None when it waits no more."""
    asked = enrol_store.pending(conn, key_name)
    state = "approved" if approve else "refused"
    if asked is None or not enrol_store.decide(conn, key_name, state, who, pages.now_ms()):
        return None
    audit.note(conn, pages.now_ms(), who, "approve_enrolment" if approve else "refuse_enrolment", asked.device)
    return asked


def withdraw(conn: Connection, name: str, reason: store.Reason, who: str) -> int | None:
    """Withdraws a device's certificates and holds what is to go to it; how many, None when there is no such device."""
    id_ = store.device_id(conn, name)
    if id_ is None:
        return None
    now_ms = pages.now_ms()
    count = store.revoke(conn, id_, reason, now_ms)
    outbox.hold(conn, id_, "revoked", now_ms, who)
    audit.note(conn, now_ms, who, "revoke", name, reason)
    return count
