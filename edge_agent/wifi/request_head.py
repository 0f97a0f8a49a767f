"""Rule: the head of an HTTP request, judged by its host and made such that the connection carries no second request.

Strict where RFC 9112 lets a server be lenient: what two programs could read in two ways is refused.
"""

import re
from typing import NamedTuple

LONGEST_BYTES = 16_384
END = b"\r\n\r\n"
_LINE = re.compile(rb"([A-Z]{1,16}) (/[!-~]{0,8000}|http://[!-~]{1,8000}) HTTP/1\.[01]")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~\x80-\xff]*?)[ \t]*")
_HOST = re.compile(rb"(?=.{1,260}\Z)([a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*)\.?(?::80)?")
_DROPPED = (b"connection", b"keep-alive", b"proxy-connection", b"upgrade", b"te", b"http2-settings")


class BadHead(Exception):
    """It is no request that is passed on."""


class Head(NamedTuple):
    """`host` in lower case, without a port; `passed` is what goes on; then `body_bytes` of the client's follow."""

    host: str
    path: str
    passed: bytes
    body_bytes: int


def read(head: bytes) -> Head:
    """The head, with its end. Raises BadHead."""
    first, *lines = head.removesuffix(END).split(b"\r\n")
    line = _LINE.fullmatch(first)
    if not line:
        raise BadHead("the first line is none of a request")
    headers = [_header(one) for one in lines]
    hosts = {_host(value) for name, value in headers if name == b"host"}
    path = line[2]
    if path.startswith(b"http://"):
        told, _, rest = path.removeprefix(b"http://").partition(b"/")
        hosts.add(_host(told))
        path = b"/" + rest
    if len(hosts) != 1:
        raise BadHead("a request names one host")
    if any(name == b"transfer-encoding" for name, _ in headers):
        raise BadHead("a body without a length is not passed on")
    lengths = {value for name, value in headers if name == b"content-length"}
    if len(lengths) > 1 or not all(re.fullmatch(rb"[0-9]{1,12}", length) for length in lengths):
        raise BadHead("a body has one length")
    kept = [told for told, (name, _) in zip(lines, headers, strict=True) if name not in _DROPPED]
    passed = b"\r\n".join([first, *kept, b"Connection: close", b"", b""])
    return Head(hosts.pop(), path.decode("ascii"), passed, int(lengths.pop()) if lengths else 0)


def _header(line: bytes) -> tuple[bytes, bytes]:
    if not (found := _HEADER.fullmatch(line)):
        raise BadHead("a line of the head is none")
    return found[1].lower(), found[2]


def _host(value: bytes) -> str:
    if not (found := _HOST.fullmatch(value.lower())):
        raise BadHead("the host is no name")
    return found[1].decode("ascii")
