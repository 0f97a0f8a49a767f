"""An invitation from the officer's computer to a device: shown as a QR code, or put onto the device's card.

The invitation comes from the hub's HTTP interface (with a token), or from whatever printed one: the hub's page, or
`machinaka-hub enrol-code` over ssh (`--invitation -` reads it from there).
"""

import argparse
import ssl
import sys
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import get_args
from urllib.parse import urlsplit

import msgspec

from wire import enrolment, topics, whole_file, x509
from wire.enrolment import BadInvitation, CodeMade, CodeWanted, Invitation

_TIMEOUT_S = 20
_MOST_BYTES = 65_536
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
FILE = "enrol-code"


class Mistake(Exception):
    """What a person got wrong, or what the hub said; one plain sentence."""


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `enrol`."""
    parser = commands.add_parser(
        "enrol", help="invite one device: a QR code, or a file on its card", description=__doc__
    )
    parser.add_argument("--invitation", metavar="LINE", help="one that was made already; - reads it from the input")
    parser.add_argument("--hub", default="", metavar="URL", help="the hub's address, to ask it for a code")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="a token with the scope `enrolment:write`")
    parser.add_argument("--root", type=Path, metavar="FILE", help="the town's root.pem: what https and devices trust")
    parser.add_argument("--device", default="", metavar="NAME")
    parser.add_argument("--kind", choices=get_args(enrolment.Kind))
    parser.add_argument("--serial", default="", metavar="S", help="only for the device with this serial number")
    parser.add_argument("--to", type=Path, metavar="DIR", help="the device's state_dir, as its card is mounted here")
    parser.set_defaults(command="enrol")


def run(given: argparse.Namespace) -> int:
    """Runs the command; 2 for what a person got wrong."""
    try:
        invitation = _given(given.invitation) if given.invitation else _made(given)
        if given.to is not None:
            _leave(invitation, given.to)
        else:
            _show(invitation)
    except (Mistake, BadInvitation) as sentence:
        sys.stderr.write(f"machinaka-provision: {sentence}\n")
        return 2
    return 0


def _given(line: str) -> Invitation:
    return enrolment.read_invitation(sys.stdin.read() if line == "-" else line)


def _made(given: argparse.Namespace) -> Invitation:
    """Asks the hub for a code."""
    if not given.hub or given.token_file is None or given.kind is None:
        raise Mistake("enrol: expected --invitation, or --hub, --token-file, --device and --kind")
    if not topics.is_device(given.device):
        raise Mistake(f"--device: found {given.device!r}, expected a name of a-z, 0-9 and - (at most 63)")
    token, root = _text(given.token_file), _text(given.root) if given.root else ""
    wanted = msgspec.json.encode(CodeWanted(given.device, given.kind, given.serial))
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token.strip()}"}
    try:
        made = msgspec.json.decode(_ask(given.hub, root, "POST", enrolment.CODES_PATH, wanted, headers), type=CodeMade)
        root = root or _ask(given.hub, root, "GET", enrolment.ROOT_PATH, None, {}).decode()
        fingerprint = x509.fingerprint(x509.read_certificate(root.encode()))
    except (msgspec.DecodeError, ValueError) as error:
        raise Mistake(f"{given.hub}: what answers there is no hub of ours") from error
    return enrolment.invite(given.hub, made.code, fingerprint)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise Mistake(f"{path}: cannot be read ({getattr(error, 'strerror', None) or error})") from error


def _ask(hub: str, root: str, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
    address = urlsplit(hub)
    connection = _connection(address.scheme, address.hostname or "", address.port, root)
    try:
        connection.request(method, address.path.rstrip("/") + path, body, headers)
        answer = connection.getresponse()
        found = answer.read(_MOST_BYTES)
    except (OSError, HTTPException) as error:
        raise Mistake(f"{hub} does not answer ({error})") from error
    finally:
        connection.close()
    if answer.status not in (200, 201):
        said = found.decode("utf-8", "replace")[:200].replace("\n", " ")
        raise Mistake(f"{hub} says no (code {answer.status}): {said}")
    return found


def _connection(scheme: str, host: str, port: int | None, root: str) -> HTTPConnection:
    if scheme == "https":
        context = ssl.create_default_context()
        if root:
            context.load_verify_locations(cadata=root)
        return HTTPSConnection(host, port, timeout=_TIMEOUT_S, context=context)
    if scheme == "http" and host in _LOOPBACK:
        return HTTPConnection(host, port, timeout=_TIMEOUT_S)
    raise Mistake(f"--hub: found {scheme}://{host}, expected https:// (a token must not cross in the clear)")


def _leave(invitation: Invitation, folder: Path) -> None:
    try:
        whole_file.write(folder / FILE, invitation.text.encode() + b"\n")
    except OSError as error:
        raise Mistake(f"--to: {folder}: {error.strerror}") from error
    print(f"{folder / FILE}: the device enrols itself when it starts; the code is good for 30 minutes")


def _show(invitation: Invitation) -> None:
    import segno

    segno.make(invitation.text, error="m", micro=False).terminal(compact=True)
    print(f"machinaka-agent enrol --settings FILE --hub {invitation.hub} --root {invitation.root}", end="")
    print(f" --code {invitation.code}" if invitation.code else "")
