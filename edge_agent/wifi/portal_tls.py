"""The portal's certificate: as the kit of this moment has it, for each new connection, without a restart.

The key is handed to OpenSSL through memory: it is in no file but the kit's own. A connection is given as much memory as
a request of the portal needs.
"""

import logging
import os
import ssl
from asyncio.sslproto import SSLProtocol
from collections.abc import Callable

from wire.kit import KitContent

log = logging.getLogger(__name__)

# What a connection is read into. asyncio gives each 256 KiB from its first packet on, which 300 clients that never say
# anything would make 80 MB of; a record of TLS is 16 KiB at most, a request of ours 4. It holds for the whole process:
# nothing else on an access point speaks TLS through asyncio.
_READ_BYTES = 16 * 1024


class Certificates:
    """`now` is the context for the next connection; None while there is no kit."""

    def __init__(self, kit: Callable[[], KitContent | None]) -> None:
        self._kit = kit
        self._of = ("", "")
        self._context: ssl.SSLContext | None = None
        SSLProtocol.max_size = _READ_BYTES

    def now(self) -> ssl.SSLContext | None:
        """With the kit's certificate. One that cannot be used changes nothing, and is told once."""
        kit = self._kit()
        if kit is not None and (kit.chain, kit.key) != self._of:
            self._of = kit.chain, kit.key
            try:
                self._context = make_context(kit.chain, kit.key)
            except (ssl.SSLError, OSError, ValueError) as error:
                log.warning("the portal's new certificate cannot be used (%s)", type(error).__name__)
        return self._context


def make_context(chain: str, key: str) -> ssl.SSLContext:
    """For the portal: TLS 1.2 for phones of some years ago, HTTP/1.1. Raises ssl.SSLError, OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    # Whoever asks for another handshake again and again costs this device more than themselves.
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
    descriptor = os.memfd_create("portal", os.MFD_CLOEXEC)
    try:
        # Key first: a chain may have any length.
        data = memoryview(f"{key.strip()}\n{chain.strip()}\n".encode())
        while data:
            data = data[os.write(descriptor, data) :]
        context.load_cert_chain(f"/proc/self/fd/{descriptor}", password=_no_passphrase)
    finally:
        os.close(descriptor)
    return context


def _no_passphrase() -> str:
    """A locked key would otherwise be asked for at a terminal."""
    return ""
