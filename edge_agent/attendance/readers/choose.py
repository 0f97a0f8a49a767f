"""Which reader a setting names."""

from importlib import util

from edge_agent.attendance.readers.heard import Reader
from edge_agent.settings import ReaderSettings
from wire.settings_file import BadSetting

_KEY = "attendance.reader"
_ALLOWED = "udp:HOST:PORT, usb, usb:VVVV:PPPP, tty:NAME:pn532, serial:DEVICE, pcsc, pcsc:NAME or wedge:DEVICE"


def make_reader(settings: ReaderSettings, *, file: str = "settings") -> Reader:
    """The reader that `settings.reader` names. Raises BadSetting for one that is not known or not installed."""
    form, _, rest = settings.reader.partition(":")
    if form in ("udp", "usb", "tty") and (rest or form == "usb"):
        from edge_agent.attendance.readers.contactless import ContactlessReader

        return ContactlessReader(settings.reader)
    if form == "serial" and rest:
        from edge_agent.attendance.readers.lines import LineReader, SerialLine

        baud, checksum = settings.serial_baud, settings.serial_checksum
        return LineReader(settings.reader, "serial", lambda: SerialLine(rest, baud, checksum))
    if form == "pcsc":
        _need("smartcard", "pcsc", settings.reader, file)
        from edge_agent.attendance.readers.pcsc import PcscReader

        return PcscReader(rest)
    if form == "wedge" and rest:
        return _wedge(settings.reader, rest, file)
    raise BadSetting(file, _KEY, repr(settings.reader), _ALLOWED)


def _wedge(name: str, device: str, file: str) -> Reader:
    _need("evdev", "wedge", name, file)
    import evdev

    from edge_agent.attendance.readers.lines import LineReader, WedgeLine

    return LineReader(name, "wedge", lambda: WedgeLine(evdev.InputDevice(device)))


def _need(module: str, extra: str, reader: str, file: str) -> None:
    if util.find_spec(module) is None:
        raise BadSetting(file, _KEY, repr(reader), f"the optional part `machinaka[{extra}]` to be installed for it")
