"""What a guest's device is told and can reach, tried by a program of its own in a guest's place (`self_check.py`).

`python -m edge_agent.wifi.guest_view <interface> <own IPv4> <router IPv4> <router IPv6 or -> <portal's name> <office…>`
prints one JSON object. Only the standard library, so that it is small and quick. An address is asked for with
DHCPINFORM, which takes none away from guests.
"""

import contextlib
import errno
import json
import os
import socket
import struct
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

_PATIENCE_S = 3.0
_TRIES = 3
# RFC 5737 and RFC 3849: addresses of nobody. A captive device is turned away before anybody is asked.
_FAR4, _FAR6 = "203.0.113.1", "2001:db8:ffff::1"
_MAGIC = b"\x63\x82\x53\x63"


def main(words: list[str]) -> None:
    """Tries everything at the same time and prints what was found."""
    interface, own, router, router6, host, *office = words
    tries: dict[str, Callable[[], str]] = {
        "114": lambda: _tried(lambda: option_114(interface, own)),
        "dns": lambda: _tried(lambda: names(router, host)),
        "443": lambda: _settled(_FAR4),
    }
    if router6 != "-":
        tries["103"] = lambda: _tried(lambda: option_103(interface))
        tries["37"] = lambda: _tried(lambda: option_37(interface))
        tries["443v6"] = lambda: _settled(_FAR6)
    with ThreadPoolExecutor(len(tries) + max(1, len(office))) as threads:
        begun = {name: threads.submit(attempt) for name, attempt in tries.items()}
        knocked = {address: threads.submit(reaches, address, 443) for address in office}
    found: dict[str, object] = {name: attempt.result() for name, attempt in begun.items()}
    found["office"] = {address: attempt.result() for address, attempt in knocked.items()}
    print(json.dumps(found))


def _tried(attempt: Callable[[], str]) -> str:
    """The first answer of a few tries; empty where there is none."""
    for _ in range(_TRIES):
        with contextlib.suppress(OSError, ValueError, IndexError, struct.error):
            if answer := attempt():
                return answer
        # The kernel may still be making sure that nobody else has the interface's own address.
        time.sleep(1)
    return ""


def _settled(address: str) -> str:
    """What comes of port 443, once this device has an address of its own."""
    for _ in range(_TRIES):
        if (came := reaches(address, 443)) != "nothing":
            return came
        time.sleep(1)
    return "nothing"


def option_114(interface: str, own: str) -> str:
    """The URI in DHCPv4. Raises OSError."""
    address = socket.inet_aton(own)
    identifier = os.urandom(4)
    head = struct.pack("!BBBB4sHH4s12x", 1, 1, 6, 0, identifier, 0, 0, address) + _hardware(interface).ljust(16, b"\0")
    asked = head + bytes(192) + _MAGIC + bytes((53, 1, 8, 55, 3, 114, 3, 6, 255))
    with _datagrams(socket.AF_INET, interface, (own, 68)) as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        asking.sendto(asked, ("255.255.255.255", 67))
        answer = _until(asking, lambda data: data[4:8] == identifier and data[236:240] == _MAGIC)
    return _option4(answer[240:], 114).decode("ascii", "replace")


def _option4(data: bytes, wanted: int) -> bytes:
    at, found = 0, b""
    while at + 1 < len(data) and data[at] != 255:
        if data[at] == 0:
            at += 1
            continue
        if data[at] == wanted:
            found += data[at + 2 : at + 2 + data[at + 1]]
        at += 2 + data[at + 1]
    return found


def option_103(interface: str) -> str:
    """The URI in DHCPv6 (RFC 8415, Information-request). Raises OSError."""
    identifier = os.urandom(3)
    duid = struct.pack("!HH", 3, 1) + _hardware(interface)
    asked = b"\x0b" + identifier + struct.pack("!HH", 1, len(duid)) + duid
    asked += struct.pack("!HHHH", 6, 2, 103, 8) + struct.pack("!HH", 2, 0)
    with _datagrams(socket.AF_INET6, interface, ("::", 546)) as asking:
        asking.sendto(asked, ("ff02::1:2", 547, 0, socket.if_nametoindex(interface)))
        answer = _until(asking, lambda data: data[:1] == b"\x07" and data[1:4] == identifier)
    at = 4
    while at + 4 <= len(answer):
        kind, length = struct.unpack_from("!HH", answer, at)
        if kind == 103:
            return answer[at + 4 : at + 4 + length].decode("ascii", "replace")
        at += 4 + length
    return ""


def option_37(interface: str) -> str:
    """The URI in a router advertisement that is solicited. Raises OSError."""
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as asking:
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
        asking.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        asking.settimeout(_PATIENCE_S)
        asking.sendto(struct.pack("!BBHI", 133, 0, 0, 0), ("ff02::2", 0, 0, socket.if_nametoindex(interface)))
        answer = _until(asking, lambda data: data[:1] == b"\x86")
    at = 16
    while at + 2 <= len(answer) and answer[at + 1]:
        if answer[at] == 37:
            return answer[at + 2 : at + answer[at + 1] * 8].rstrip(b"\0").decode("ascii", "replace")
        at += answer[at + 1] * 8
    return ""


def names(router: str, host: str) -> str:
    """The IPv4 address to which a name leads, by the router's word. Raises OSError."""
    identifier = os.urandom(2)
    question = b"".join(bytes((len(part),)) + part.encode("ascii") for part in host.split(".")) + b"\0\0\1\0\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(_PATIENCE_S)
        asking.connect((router, 53))
        asking.send(identifier + b"\1\0\0\1\0\0\0\0\0\0" + question)
        answer = _until(asking, lambda data: data[:2] == identifier)
    # One answer of four bytes is the last thing in the packet, unless others follow.
    return socket.inet_ntoa(answer[-4:]) if answer[6:8] == b"\0\1" and answer[10:12] == b"\0\0" else ""


def reaches(address: str, port: int) -> str:
    """What comes of a TCP connection: `open`, `refused`, `nothing`, or `no way`."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as trying:
        trying.settimeout(_PATIENCE_S)
        try:
            trying.connect((address, port))
        except ConnectionRefusedError:
            return "refused"
        except TimeoutError:
            return "nothing"
        except OSError as error:
            return "no way" if error.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EACCES) else "nothing"
    return "open"


def _datagrams(family: int, interface: str, own: tuple[str, int]) -> socket.socket:
    made = socket.socket(family, socket.SOCK_DGRAM)
    made.settimeout(_PATIENCE_S)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
    made.bind(own)
    return made


def _until(asking: socket.socket, wanted: Callable[[bytes], bool]) -> bytes:
    """The first datagram that is the answer; others' are passed over. Raises TimeoutError."""
    end = time.monotonic() + _PATIENCE_S
    while time.monotonic() < end:
        data = asking.recv(4096)
        if wanted(data):
            return data
    raise TimeoutError


def _hardware(interface: str) -> bytes:
    import fcntl

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("256s", interface.encode()[:15])
        return bytes(fcntl.ioctl(any_socket, 0x8927, asked)[18:24])  # SIOCGIFHWADDR, netdevice(7)


if __name__ == "__main__":
    main(sys.argv[1:])
