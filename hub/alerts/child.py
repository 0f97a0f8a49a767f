"""A process of its own that sends messages and ends: `python -m hub.alerts.child`.

1. apprise and what it loads take 54 MB and most of a second; the hub does not keep that in its memory.
2. A server that never answers is ended from outside with the process; a thread could not be.
3. Addresses come by standard input and are told to nobody: a failure is one word (`FAILURES`), never a text of theirs.
"""

import logging
import re
import sys
from typing import Any, Literal, get_args

import msgspec

from hub.alerts.address import as_json

Failure = Literal[
    "refused", "unknown_host", "timeout", "login", "certificate", "receiver", "http", "bad_address", "other"
]
FAILURES: tuple[Failure, ...] = get_args(Failure)

# What the libraries below say, in the order in which it is looked for.
_SAID: tuple[tuple[str, Failure], ...] = (
    (r"certificate|ssl: |\[ssl|tls", "certificate"),
    (r"authenticat|smtp auth|\(5(30|34|35|38),|login", "login"),
    (r"recipient|\(55[0-9],|sender refused", "receiver"),
    (r"refused|unreachable|reset by peer|connection unexpectedly closed", "refused"),
    (r"name or service|getaddrinfo|name resolution|nodename|resolve", "unknown_host"),
    (r"timed out|timeout", "timeout"),
    (r"error[=:] ?[345]\d\d|status[ =:]+[345]\d\d|http error", "http"),
)


class Message(msgspec.Struct, frozen=True):
    """One message, and where it goes."""

    address: str
    title: str
    body: str


class Sent(msgspec.Struct, frozen=True):
    """What became of one message: nothing said when it was taken."""

    failure: str = ""


def failure_of(said: str) -> Failure:
    """The word for what the libraries said."""
    text = said.lower()
    return next((failure for pattern, failure in _SAID if re.search(pattern, text)), "other")


def main() -> int:
    """Sends what standard input holds, one answer a line as soon as it is known; the exit code."""
    messages = msgspec.json.decode(sys.stdin.buffer.read(), type=list[Message])
    heard = _Heard()
    for name in ("apprise", "urllib3"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [heard], False
        logger.setLevel(logging.DEBUG)
    for message in messages:
        heard.lines.clear()
        sys.stdout.write(msgspec.json.encode(_send(message, heard)).decode() + "\n")
        sys.stdout.flush()
    return 0


def _send(message: Message, heard: "_Heard") -> Sent:
    import apprise

    sender = apprise.Apprise()
    if not _add(sender, message.address):
        return Sent("bad_address")
    try:
        taken: Any = sender.notify(body=message.body, title=message.title, body_format=apprise.NotifyFormat.TEXT)
    except Exception as error:  # noqa: BLE001 (a fault of one way must not hold up the others)
        heard.lines.append(repr(error))
        taken = False
    return Sent() if taken else Sent(failure_of("\n".join(heard.lines)))


def _add(sender: Any, address: str) -> bool:
    """A web address is a known service's, or gets JSON."""
    import apprise

    if address.lower().startswith(("http://", "https://")):
        known = apprise.Apprise.instantiate(address, suppress_exceptions=True)
        if known is not None:
            return bool(sender.add(known))
        address = as_json(address)
    return bool(sender.add(address))


class _Heard(logging.Handler):
    """What the libraries log, kept for a moment to find out what went wrong."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


if __name__ == "__main__":
    sys.exit(main())
