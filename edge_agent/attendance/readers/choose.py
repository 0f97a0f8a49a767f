"""Which reader a setting names."""

import re
from collections.abc import Callable
from importlib import import_module

from edge_agent.attendance.readers.heard import Reader
from edge_agent.settings import ReaderSettings
from wire.settings_file import BadSetting

_KEY = "attendance.reader"
_ALLOWED = "udp:HOST:PORT, usb, usb:VVVV:PPPP, tty:NAME:pn532, serial:/dev/…, pcsc, pcsc:NAME or wedge:/dev/…"
# What nfcpy would not open is told at the start and not by a reader that is never there.
_NFCPY = re.compile(
    r"udp:[A-Za-z0-9.-]+:[0-9]{1,5}"
    r"|usb(:[0-9A-Fa-f]{4}(:[0-9A-Fa-f]{4})?|:[0-9]{3}(:[0-9]{3})?)?"
    r"|tty:[A-Za-z0-9-]+:(pn532|arygon)"
)


def make_reader(
    settings: ReaderSettings,
    *,
    file: str = "settings",
    proof_key: Callable[[bytes], bytes | None] = lambda identifier: None,
) -> Reader:
    """The reader that `settings.reader` names. Raises BadSetting for one that is not known or not installed.

    `proof_key`: see ContactlessReader; with another reader no card can prove anything.
    """
    form, _, rest = settings.reader.partition(":")
    if _NFCPY.fullmatch(settings.reader):
        from edge_agent.attendance.readers.contactless import ContactlessReader

        return ContactlessReader(settings.reader, proof_key)
    if form == "serial" and rest.startswith("/"):
        from edge_agent.attendance.readers.lines import LineReader, SerialLine

        baud, checksum = settings.serial_baud, settings.serial_checksum
        return LineReader(settings.reader, "serial", lambda: SerialLine(rest, baud, checksum))
    if form == "pcsc":
        _need("smartcard.scard", "pcsc", settings.reader, file)
        from edge_agent.attendance.readers.pcsc import PcscReader

        return PcscReader(rest)
    if form == "wedge" and rest.startswith("/"):
        return _wedge(settings.reader, rest, file)
    raise BadSetting(file, _KEY, repr(settings.reader), _ALLOWED)


def _wedge(name: str, device: str, file: str) -> Reader:
    _need("evdev", "wedge", name, file)
    import evdev

    from edge_agent.attendance.readers.lines import LineReader, WedgeLine

    return LineReader(name, "wedge", lambda: WedgeLine(evdev.InputDevice(device)))


def _need(module: str, extra: str, reader: str, file: str) -> None:
    """Raises BadSetting where the module, or the system's library below it, is missing."""
    try:
        import_module(module)
    except ImportError:
        allowed = f"the optional part `machinaka[{extra}]` to be installed for it"
        raise BadSetting(file, _KEY, repr(reader), allowed) from None
