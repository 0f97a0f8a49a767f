"""A PN532 whose host was killed still speaks at the higher baud rate; nothing but setting it back helps.

Frames and codes: PN532 user manual (UM0701-02), sections 6.2.1 and 7.2.7 SetSerialBaudRate.
"""

import logging
import re
import termios
import time

import serial

log = logging.getLogger(__name__)

_ACK = bytes.fromhex("0000ff00ff00")
_WAKE = bytes(10)
_GET_VERSION = bytes.fromhex("0000ff02fed4022a00")
_SET_115200 = bytes.fromhex("0000ff03fdd410041800")
_USUAL = 115_200
_OTHERS = (921_600, 460_800, 230_400)


def device_file(path: str) -> str:
    """The device file that nfcpy opens for `tty:NAME:driver`."""
    name = path.split(":")[1]
    return f"/dev/tty{name}" if re.fullmatch(r"(S|ACM|AMA|USB)\d+", name) else f"/dev/{name}"


def recover(path: str) -> bool:
    """Sets a PN532 that does not answer at 115,200 baud back to it. True when it was set back; never raises.

    `path` is nfcpy's; one of another reader is left alone.
    """
    if not path.startswith("tty:") or not path.endswith(":pn532"):
        return False
    port = device_file(path)
    try:
        if _asks(port, _USUAL, _GET_VERSION):
            return False
        for rate in _OTHERS:
            if _asks(port, rate, _SET_115200):
                log.warning("the reader had been left at %d baud and is set back", rate)
                return True
    except (OSError, termios.error, ValueError) as error:  # ValueError: the port does not know the rate
        log.debug("recovering the reader: %s", error)
    return False


def _asks(port: str, rate: int, command: bytes) -> bool:
    """Sends a command at a rate; whether it was acknowledged. The answer is confirmed, as a change of rate needs."""
    with serial.Serial(port, rate, timeout=0.1, exclusive=True) as line:
        line.reset_input_buffer()
        line.write(_WAKE + command)
        if not line.read(len(_ACK)).endswith(_ACK):
            return False
        line.read(16)
        line.write(_ACK)
        line.flush()
        time.sleep(0.02)
        return True
