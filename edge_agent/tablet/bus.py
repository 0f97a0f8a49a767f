"""Access: what ModemManager and NetworkManager tell over D-Bus: modems, the cards in them, the way out.

1. Where neither runs nothing is known, and counting goes on with what the kernel tells (`counters.py`).
2. A bus that does not answer is told to the log once when that begins and once when it ends.
3. A connection is kept from look to look, and made anew after a fault. Every call may block.

Interfaces as in ModemManager's and NetworkManager's D-Bus references; numbers stand beside their names there.
"""

import logging
import socket
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from wire.tablet import Modem

if TYPE_CHECKING:
    from jeepney.io.blocking import DBusConnection

log = logging.getLogger(__name__)

T = TypeVar("T")
Way = Literal["wifi", "mobile", "wired", "none", "unknown"]
Properties = Mapping[str, Any]

_TIMEOUT_S = 5.0
_MODEMS = 4
_TEXT = 200
_MM, _MM_PATH = "org.freedesktop.ModemManager1", "/org/freedesktop/ModemManager1"
_NM, _NM_PATH = "org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager"
_NOBODY = ("org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner")

# MMModemState.
_STATES = {
    -1: "failed",
    0: "unknown",
    1: "initializing",
    2: "locked",
    3: "disabled",
    4: "disabling",
    5: "enabling",
    6: "enabled",
    7: "searching",
    8: "registered",
    9: "disconnecting",
    10: "connecting",
    11: "connected",
}
# MMModemAccessTechnology, bit by bit, the newest first.
_TECHNOLOGIES = ((1 << 15, "5G"), (1 << 14, "4G"), (0x3E0, "3G"), (0x1F, "2G"))
# MMModem3gppRegistrationState: roaming, also for SMS only and without circuit-switched fallback.
_ROAMING = frozenset({5, 7, 10})
# MMModemPortType.
_PORT_NET = 2
# NMConnectivity and connection types of NetworkManager's settings.
_WAYS: Mapping[str, Way] = {
    "802-11-wireless": "wifi",
    "802-3-ethernet": "wired",
    "gsm": "mobile",
    "cdma": "mobile",
    "bluetooth": "mobile",
}


class Heard(NamedTuple):
    """What the bus tells: the modems, and the link of the way out (`unknown` where nobody says)."""

    modems: tuple[Modem, ...] = ()
    online_by: Way = "unknown"


class NoAnswer(Exception):
    """The bus is not there, or a service on it does not answer as it should."""


class Bus:
    """One machine's bus; `address` as in DBUS_SYSTEM_BUS_ADDRESS, empty for the system's own."""

    def __init__(self, address: str = "", *, answer_s: float = _TIMEOUT_S) -> None:
        self._address, self._answer_s = address, answer_s
        self._connection: DBusConnection | None = None
        self._failing: dict[str, str] = {}

    def look(self) -> Heard:
        """What is known now; never raises."""
        modems = self._try("modems", self._modems)
        way = self._try("the way out", self._way)
        return Heard(modems or (), way or "unknown")

    def close(self) -> None:
        """Ends the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    # ---- ModemManager

    def _modems(self) -> tuple[Modem, ...]:
        (objects,) = self._call(_MM, _MM_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects")
        found = [self._modem(interfaces) for _, interfaces in sorted(objects.items()) if f"{_MM}.Modem" in interfaces]
        return tuple(found[:_MODEMS])

    def _modem(self, interfaces: Mapping[str, Mapping[str, tuple[str, Any]]]) -> Modem:
        modem, network = _plain(interfaces[f"{_MM}.Modem"]), _plain(interfaces.get(f"{_MM}.Modem.Modem3gpp", {}))
        quality = modem.get("SignalQuality")
        return Modem(
            interface=self._interface(modem)[:_TEXT],
            sim=str(self._of(_MM, modem.get("Sim"), f"{_MM}.Sim").get("SimIdentifier", ""))[:_TEXT],
            state=_STATES.get(modem.get("State", 0), "unknown"),
            operator=str(network.get("OperatorName", ""))[:_TEXT],
            technology=_technology(modem.get("AccessTechnologies", 0)),
            roaming=network.get("RegistrationState") in _ROAMING,
            signal_percent=max(0, min(100, int(quality[0]))) if quality else None,
        )

    def _interface(self, modem: Properties) -> str:
        """The network interface: of the connection that is up (over PPP it is another one than the port's)."""
        for path in modem.get("Bearers") or ():
            bearer = self._of(_MM, path, f"{_MM}.Bearer")
            if bearer.get("Connected") and bearer.get("Interface"):
                return str(bearer["Interface"])
        return next((str(name) for name, kind in modem.get("Ports") or () if kind == _PORT_NET), "")

    def _of(self, service: str, path: object, interface: str) -> Properties:
        """An object's properties; none where there is no such object (`/`), or it has just gone."""
        if not isinstance(path, str) or path in ("", "/"):
            return {}
        try:
            (properties,) = self._call(service, path, "org.freedesktop.DBus.Properties", "GetAll", interface)
        except _Refused:
            return {}
        return _plain(properties)

    # ---- NetworkManager

    def _way(self) -> Way:
        found = self._of_manager()
        kind, path = str(found.get("PrimaryConnectionType", "")), found.get("PrimaryConnection")
        if not kind or path in (None, "/"):
            return "none"
        return _WAYS.get(kind, "unknown")

    def _of_manager(self) -> Properties:
        (properties,) = self._call(_NM, _NM_PATH, "org.freedesktop.DBus.Properties", "GetAll", _NM)
        return _plain(properties)

    # ---- the bus

    def _call(self, service: str, path: str, interface: str, method: str, *texts: str) -> tuple[Any, ...]:
        """One call with texts as arguments; what was answered. Raises _Refused, NoAnswer."""
        from jeepney import DBusAddress, HeaderFields, MessageType, new_method_call

        address = DBusAddress(path, bus_name=service, interface=interface)
        message = new_method_call(address, method, "s" * len(texts) or None, texts)
        connection = self._open()
        try:
            answer = connection.send_and_get_reply(message, timeout=self._answer_s)
        except (OSError, ValueError) as error:
            self.close()
            raise NoAnswer(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__) from error
        if answer.header.message_type is MessageType.error:
            name = str(answer.header.fields.get(HeaderFields.error_name, ""))
            raise _Absent(name) if name in _NOBODY else _Refused(name)
        return tuple(answer.body)

    def _open(self) -> "DBusConnection":
        if self._connection is None:
            from jeepney.auth import AuthenticationError

            try:
                self._connection = _connected(self._address or "SYSTEM", self._answer_s)
            except (OSError, ValueError, RuntimeError, AuthenticationError) as error:
                raise NoAnswer(f"no bus: {error}") from error
        return self._connection

    def _try(self, what: str, ask: Callable[[], T]) -> T | None:
        """The answer, or None where nobody is there to give one; other faults are told once."""
        fault = ""
        try:
            answer = ask()
        except _Absent:
            answer = None
        except (NoAnswer, AttributeError, LookupError, TypeError, ValueError) as error:
            # A service that answers otherwise than its reference says.
            answer, fault = None, str(error) or type(error).__name__
        before = self._failing.pop(what, "")
        if fault:
            self._failing[what] = fault
            if not before:
                log.warning("%s: D-Bus tells nothing: %s", what, fault)
        elif before:
            log.info("%s: D-Bus tells it again", what)
        return answer


class _Refused(NoAnswer):
    """The service answers with an error."""


class _Absent(NoAnswer):
    """There is no such service on the bus."""


def _connected(address: str, within_s: float) -> "DBusConnection":
    """A connection that the bus has greeted; one that does not in time is cut off (the library would wait for ever)."""
    from jeepney.bus import get_bus
    from jeepney.io.blocking import DBusConnection, prep_socket

    connected = prep_socket(get_bus(address), timeout=within_s)
    cut = threading.Timer(within_s, connected.shutdown, (socket.SHUT_RDWR,))
    cut.start()
    try:
        return DBusConnection(connected)
    except BaseException:
        connected.close()
        raise
    finally:
        cut.cancel()


def _plain(properties: Mapping[str, tuple[str, Any]]) -> Properties:
    """Variants without their signatures."""
    return {name: value for name, (_, value) in properties.items()}


def _technology(bits: int) -> str:
    return next((name for mask, name in _TECHNOLOGIES if bits & mask), "")
