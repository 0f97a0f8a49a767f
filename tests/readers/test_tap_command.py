"""`machinaka-agent field` and `tap` as people run them."""

import signal
import socket
import threading
from collections.abc import Iterator

import pytest

from edge_agent.attendance.readers.cards import KINDS
from edge_agent.attendance.readers.contactless import ContactlessReader
from tests.readers.commands import FieldProcess, agent, free_port, tap
from tests.readers.ear import PATIENCE_S, Ear, rest


@pytest.fixture(scope="module")
def field() -> Iterator[str]:
    """HOST:PORT of a field in a process of its own."""
    port = free_port()
    with FieldProcess(port) as process:
        assert process.said == f"a simulated card field; a reader feels it at udp:127.0.0.1:{port}\n"
        yield f"127.0.0.1:{port}"


def test_a_tap_is_heard_by_a_reader(field: str) -> None:
    reader = ContactlessReader(f"udp:{field}")
    with Ear(reader) as ear:
        done = tap("--field", field, "--card", "012E4CD8A9B3C401")
        assert (done.returncode, done.stdout) == (0, "a card (felica) in the field for 0.5 s\n")
        ear.until_told("ready", "felica 012e4cd8a9b3c401")
        rest(reader)
        done = tap("--field", field, "--two", "--hold", "30")
        assert (done.returncode, done.stdout) == (0, "two cards (felica) in the field for 30 s\n")
        ear.until_told("ready", "felica 012e4cd8a9b3c401", "two cards")


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_has_an_example(field: str, kind: str) -> None:
    assert tap("--field", field, "--kind", kind).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--card", "0x1"), "--card 0x1: expected a card number in hex"),
        (("--card", " "), "card number '': a felica card has 1 to 8 bytes"),
        (("--card", "00" * 9), "card number '000000000000000000': a felica card has 1 to 8 bytes"),
        (("--card", "00" * 5, "--kind", "mifare"), "card number '0000000000': a mifare card has 1 to 4 bytes"),
        (("--hold", "0"), "hold 0 s: expected more than 0 and at most 3600 s"),
        (("--hold", "nan"), "hold nan s: expected more than 0 and at most 3600 s"),
        (("--hold", "inf"), "hold inf s: expected more than 0 and at most 3600 s"),
    ],
)
def test_what_a_field_cannot_do_is_said_in_one_sentence(field: str, arguments: tuple[str, ...], sentence: str) -> None:
    done = tap("--field", field, *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"machinaka-agent tap: {sentence}\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("tap", "--kind", "suica"), "argument --kind: invalid choice: 'suica'"),
        (("tap", "--field", "127.0.0.1"), "argument --field: found '127.0.0.1', expected HOST:PORT"),
        (("tap", "--field", "127.0.0.1:99999"), "argument --field: found '127.0.0.1:99999', expected HOST:PORT"),
        (("field", "--port", "99999"), "argument --port: found '99999', expected a port (0 to 65535)"),
        (("field", "--port", "-1"), "argument --port: found '-1', expected a port (0 to 65535)"),
        (("field", "--port", "nfc"), "argument --port: found 'nfc', expected a port (0 to 65535)"),
    ],
)
def test_wrong_arguments_end_with_2_and_a_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    done = agent(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr.splitlines()[-1]


def test_a_hand_over_no_field_is_told_so() -> None:
    port = free_port()
    done = tap("--field", f":{port}")
    expected = f"machinaka-agent tap: no field answers at 127.0.0.1:{port}; is the terminal running (`make run`)?\n"
    assert (done.returncode, done.stderr) == (2, expected)


@pytest.mark.parametrize("answer", [b"", b"[]", b"\xff", b"machinaka nonsense"])
def test_something_else_that_listens_there_is_no_field(answer: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))
        line.settimeout(PATIENCE_S)

        def reply() -> None:
            line.sendto(answer, line.recvfrom(4096)[1])

        thread = threading.Thread(target=reply)
        thread.start()
        done = tap("--field", f"127.0.0.1:{line.getsockname()[1]}")
        thread.join()
    assert done.returncode == 2
    assert "no field answers" in done.stderr


def test_a_port_that_is_taken_is_told(field: str) -> None:
    port = field.rpartition(":")[2]
    done = agent("field", "--port", port)
    assert (done.returncode, done.stderr) == (2, f"machinaka-agent field: port {port}: Address already in use\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_field_ends_well_when_it_is_told_to(number: int) -> None:
    with FieldProcess(0) as process:
        assert "udp:127.0.0.1:" in process.said
        assert process.signal(number) == 0
