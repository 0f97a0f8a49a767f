"""ModemManager and NetworkManager by hand, as processes' own connections to a real, private dbus-daemon."""

import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any

from jeepney import HeaderFields, Message, MessageType, new_error, new_method_return
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import open_dbus_connection

_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
</policy></busconfig>
"""

MM, NM = "org.freedesktop.ModemManager1", "org.freedesktop.NetworkManager"
MM_PATH, NM_PATH = "/org/freedesktop/ModemManager1", "/org/freedesktop/NetworkManager"
Values = dict[str, tuple[str, Any]]
ICCID = "8981100023456789012"


class PrivateBus:
    """A dbus-daemon for one test."""

    def __init__(self, folder: Path) -> None:
        self._socket = folder / "bus"
        self._config = folder / "bus.conf"
        self._config.write_text(_CONFIG.format(path=self._socket))
        self.address = f"unix:path={self._socket}"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Starts it, and waits until it listens."""
        self._socket.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            ["dbus-daemon", "--nofork", "--print-address", "--config-file", str(self._config)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self._process.stdout.readline()

    def stop(self) -> None:
        """Ends it; who is connected is cut off."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def __enter__(self) -> "PrivateBus":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Service:
    """One name on the bus; `answer` gives an answer's signature and body, or None for an error."""

    def __init__(
        self, address: str, name: str, answer: Callable[[Message], tuple[str, tuple[Any, ...]] | None]
    ) -> None:
        self._answer = answer
        self._ended = threading.Event()
        self._connection = open_dbus_connection(address)
        self._connection.send_and_get_reply(message_bus.RequestName(name), timeout=30)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                asked = self._connection.receive(timeout=0.1)
            except TimeoutError:
                continue
            except OSError:
                return
            if asked.header.message_type is MessageType.method_call:
                found = self._answer(asked)
                if found is None:
                    self._connection.send(new_error(asked, "org.freedesktop.DBus.Error.UnknownObject"))
                else:
                    self._connection.send(new_method_return(asked, *found))

    def stop(self) -> None:
        """Leaves the bus."""
        self._ended.set()
        self._thread.join()
        self._connection.close()


class Modems:
    """ModemManager as far as it is asked: one modem with a card; the parts can be changed meanwhile."""

    def __init__(self) -> None:
        self.modem: Values = {
            "State": ("i", 11),
            "AccessTechnologies": ("u", 1 << 14),
            "SignalQuality": ("(ub)", (72, True)),
            "Sim": ("o", f"{MM_PATH}/SIM/0"),
            "Ports": ("a(su)", [("cdc-wdm0", 6), ("wwan0", 2)]),
            "Bearers": ("ao", []),
        }
        self.network: Values = {"OperatorName": ("s", "Docomo"), "RegistrationState": ("u", 1)}
        self.cards: dict[str, Values] = {f"{MM_PATH}/SIM/0": {"SimIdentifier": ("s", ICCID)}}
        self.bearers: dict[str, Values] = {}
        self.there = True

    def answer(self, asked: Message) -> tuple[str, tuple[Any, ...]] | None:
        """What a real one would say."""
        path = asked.header.fields[HeaderFields.path]
        if asked.header.fields[HeaderFields.member] == "GetManagedObjects":
            found = {f"{MM}.Modem": self.modem, f"{MM}.Modem.Modem3gpp": self.network}
            return "a{oa{sa{sv}}}", ({f"{MM_PATH}/Modem/0": found} if self.there else {},)
        properties = {**self.cards, **self.bearers}.get(path)
        return None if properties is None else ("a{sv}", (properties,))


class Networks:
    """NetworkManager as far as it is asked: its way out."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def answer(self, asked: Message) -> tuple[str, tuple[Any, ...]] | None:
        """What a real one would say."""
        path = f"{NM_PATH}/ActiveConnection/1" if self.kind else "/"
        return "a{sv}", ({"PrimaryConnectionType": ("s", self.kind), "PrimaryConnection": ("o", path)},)
