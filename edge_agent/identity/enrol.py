"""A device's first identity: makes a key, asks the hub with a person's code, and keeps what it is given.  Blocks.

The key is on disk before anything is asked, and stays the same until it has its certificate: an answer that is lost
on its way, or a power cut, costs a repetition and no second code.
"""

import contextlib
from pathlib import Path
from typing import NamedTuple

from edge_agent.identity import ask, files, keys
from edge_agent.identity.keys import NotOurs
from wire.enrolment import Ask, BadInvitation, Invitation, Kind, Waiting, read_invitation

FILE = "enrol-code"


class Me(NamedTuple):
    """What this device says of itself. `serial` is the machine's; empty when it has none."""

    name: str
    kind: Kind
    serial: str = ""


class Enrolled(NamedTuple):
    """Done; where the hub says that its broker is."""

    broker_host: str
    broker_port: int


def invitation_in(state_dir: Path) -> Invitation | None:
    """What a person left for this device in `enrol-code`. Raises BadInvitation, OSError."""
    try:
        text = (state_dir / FILE).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
    try:
        return read_invitation(text)
    except BadInvitation as error:
        raise BadInvitation(f"{state_dir / FILE}: {error}") from error


def enrol(folder: Path, me: Me, invitation: Invitation) -> Enrolled | Waiting:
    """Asks once. Raises ask.Away, ask.Refused, NotOurs, OSError."""
    root = ask.root(invitation.hub, invitation.root)
    key = pending_key(folder)
    request = keys.make_request(key, me.name)
    given = ask.enrol(invitation.hub, root, Ask(me.name, me.kind, request, invitation.code, me.serial))
    if isinstance(given, Waiting):
        return given
    keys.check(given.chain, root, me.name, key)
    files.put_town(folder, root, given.orders, invitation.hub)
    files.put(folder, key, given.chain.encode())
    return Enrolled(given.broker_host, given.broker_port)


def pending_key(folder: Path) -> bytes:
    """The key that waits for a certificate, made when there is none (or none that can be read). Raises OSError."""
    key = files.read(folder, "pending.pem")
    if key is not None:
        with contextlib.suppress(ValueError):
            keys.compare_text(key)
            return key
    key = keys.make_key()
    files.put_pending(folder, key)
    return key


__all__ = ["FILE", "Enrolled", "Me", "NotOurs", "enrol", "invitation_in", "pending_key"]
