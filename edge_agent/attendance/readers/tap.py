"""`machinaka-agent field` and `machinaka-agent tap`: a simulated field, and a hand that puts a card into it."""

import argparse
import json
import signal
import socket
import sys

from edge_agent.attendance.readers.cards import KINDS
from edge_agent.attendance.readers.field import ORDER, UdpField

DEFAULT = "127.0.0.1:47000"
_EXAMPLE = {
    "felica": "012E4CD8A9B3C401",
    "ntag": "04A1B2C3D4E5F6",
    "type4": "04112233445566",
    "shortats": "04998877665544",
}


def field_main(arguments: argparse.Namespace) -> int:
    """Serves a field until ended."""
    try:
        served = UdpField(arguments.port)
    except OSError as error:
        sys.stderr.write(f"machinaka-agent field: port {arguments.port}: {error.strerror}\n")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        served.serve()
    except KeyboardInterrupt:
        return 0
    return 0


def tap_main(arguments: argparse.Namespace) -> int:
    """Puts a card (or two) into a field for a moment; 2 and one sentence when that cannot be."""
    try:
        host, _, port = arguments.field.rpartition(":")
        identifier = bytes.fromhex(arguments.card or _EXAMPLE.get(arguments.kind, "0A1B2C3D"))
        address = (host or "127.0.0.1", int(port))
    except ValueError:
        return _bad(f"--field {arguments.field} --card {arguments.card}: expected HOST:PORT and a card number in hex")
    cards = [{"kind": arguments.kind, "id": identifier.hex()}]
    if arguments.two:
        cards.append({"kind": arguments.kind, "id": bytes(reversed(identifier)).hex()})
    try:
        answer = _order(address, {"place": cards, "hold_s": arguments.hold})
    except (OSError, ValueError):
        return _bad(f"no field answers at {arguments.field}; is the terminal running (`make run`)?")
    if "error" in answer:
        return _bad(answer["error"])
    print(f"{'two cards' if arguments.two else 'a card'} ({arguments.kind}) in the field for {arguments.hold:g} s")
    return 0


def _order(address: tuple[str, int], order: dict[str, object]) -> dict[str, str]:
    """Sends an order to a field and waits for its answer. Raises OSError, ValueError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.settimeout(1)
        line.connect(address)
        line.send(ORDER + json.dumps(order).encode())
        answer: dict[str, str] = json.loads(line.recv(4096).removeprefix(ORDER))
        return answer


def _bad(sentence: str) -> int:
    sys.stderr.write(f"machinaka-agent tap: {sentence}\n")
    return 2


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `field` and `tap` to the agent's command line."""
    served = commands.add_parser("field", help="serve a simulated card field (nfcpy's udp driver feels it)")
    served.add_argument("--port", type=int, default=int(DEFAULT.rpartition(":")[2]))
    served.set_defaults(run=field_main)
    tap = commands.add_parser("tap", help="put a simulated card into the field")
    tap.add_argument("--field", default=DEFAULT, metavar="HOST:PORT")
    tap.add_argument("--card", default="", metavar="HEX", help="the card's number (default: an example)")
    tap.add_argument("--kind", choices=KINDS, default="felica")
    tap.add_argument("--hold", type=float, default=0.5, metavar="SECONDS")
    tap.add_argument("--two", action="store_true", help="two cards at once")
    tap.set_defaults(run=tap_main)
