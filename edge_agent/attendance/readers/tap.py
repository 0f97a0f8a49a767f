"""`machinaka-agent field` and `machinaka-agent tap`: a simulated field, and a hand that puts a card into it."""

import argparse
import contextlib
import json
import signal
import socket
import sys

from edge_agent.attendance.readers.cards import KINDS
from edge_agent.attendance.readers.field import ORDER, UdpField

DEFAULT = "127.0.0.1:47000"
_ANSWER_S = 5
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
    with contextlib.suppress(KeyboardInterrupt):
        print(f"a simulated card field; a reader feels it at {served.path}", flush=True)
        served.serve()
    return 0


def tap_main(arguments: argparse.Namespace) -> int:
    """Puts a card (or two) into a field for a moment; 2 and one sentence when that cannot be."""
    try:
        identifier = bytes.fromhex(arguments.card or _EXAMPLE.get(arguments.kind, "0A1B2C3D"))
    except ValueError:
        return _bad(f"--card {arguments.card}: expected a card number in hex")
    cards = [{"kind": arguments.kind, "id": identifier.hex()}]
    if arguments.two and identifier:
        cards.append({"kind": arguments.kind, "id": (identifier[:-1] + bytes([identifier[-1] ^ 1])).hex()})
    host, port = arguments.field
    try:
        answer = _order((host, port), {"place": cards, "hold_s": arguments.hold})
    except (OSError, ValueError):
        return _bad(f"no field answers at {host}:{port}; is the terminal running (`make run`)?")
    if "error" in answer:
        return _bad(answer["error"])
    print(f"{'two cards' if arguments.two else 'a card'} ({arguments.kind}) in the field for {arguments.hold:g} s")
    return 0


def _order(address: tuple[str, int], order: dict[str, object]) -> dict[str, str]:
    """Sends an order to a field and waits for its answer. Raises OSError, ValueError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.settimeout(_ANSWER_S)
        line.connect(address)
        line.send(ORDER + json.dumps(order).encode())
        answer = json.loads(line.recv(4096).removeprefix(ORDER))
        if not isinstance(answer, dict):
            raise ValueError("not an answer of a field")  # noqa: TRY004 (whatever else listens there)
        return answer


def _bad(sentence: str) -> int:
    sys.stderr.write(f"machinaka-agent tap: {sentence}\n")
    return 2


def _port(text: str) -> int:
    """A port out of an argument. Raises ArgumentTypeError."""
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a port (0 to 65535)")
    return int(text)


def _address(text: str) -> tuple[str, int]:
    """HOST:PORT; this machine when there is no host. Raises ArgumentTypeError."""
    host, _, port = text.rpartition(":")
    try:
        return host or "127.0.0.1", _port(port)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected HOST:PORT") from None


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds `field` and `tap` to the agent's command line."""
    served = commands.add_parser("field", help="serve a simulated card field (nfcpy's udp driver feels it)")
    served.add_argument("--port", type=_port, default=_port(DEFAULT.rpartition(":")[2]), help="0: any")
    served.set_defaults(run=field_main)
    tap = commands.add_parser("tap", help="put a simulated card into the field")
    tap.add_argument("--field", type=_address, default=DEFAULT, metavar="HOST:PORT")
    tap.add_argument("--card", default="", metavar="HEX", help="the card's number (default: an example)")
    tap.add_argument("--kind", choices=KINDS, default="felica")
    tap.add_argument("--hold", type=float, default=0.5, metavar="SECONDS")
    tap.add_argument("--two", action="store_true", help="two cards at once")
    tap.set_defaults(run=tap_main)
