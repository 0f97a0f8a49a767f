"""Restarts and stops the broker: through supervisor where it runs under one, else by a command of the settings."""

import http.client
import subprocess
import xmlrpc.client

from supervisor.xmlrpc import SupervisorTransport

from hub.broker.canary import Red
from hub.settings import BrokerSettings

_COMMAND_S = 30
_NOT_RUNNING, _ALREADY_STARTED = 70, 60


def restart(settings: BrokerSettings) -> None:
    """Ends the broker, and with it every connection, and starts it. Raises Red."""
    if settings.supervisor_socket:
        _ask(settings, "stopProcess", settings.program, True)  # noqa: FBT003 (wait)
        _ask(settings, "startProcess", settings.program, False)  # noqa: FBT003 (do not wait for `startsecs`)
    elif settings.restart_command:
        _run(settings.restart_command)
    else:
        raise Red("nothing in the hub's settings says how the broker is restarted")


def stop(settings: BrokerSettings) -> None:
    """Ends the broker for good: better none than one that lets everybody in. Raises Red."""
    if not settings.supervisor_socket:
        raise Red("stop the broker by hand: systemctl stop mosquitto")
    _ask(settings, "stopProcess", settings.program, True)  # noqa: FBT003 (wait)


def _ask(settings: BrokerSettings, method: str, *words: object) -> None:
    transport = SupervisorTransport(None, None, serverurl=f"unix://{settings.supervisor_socket}")
    try:
        with xmlrpc.client.ServerProxy("http://supervisor", transport=transport) as proxy:
            getattr(proxy.supervisor, method)(*words)
    except xmlrpc.client.Fault as fault:
        if fault.faultCode not in (_NOT_RUNNING, _ALREADY_STARTED):
            raise Red(f"supervisor does not {method} {settings.program}: {fault.faultString}") from fault
    except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
        raise Red(f"{settings.supervisor_socket}: supervisor does not answer ({error})") from error


def _run(words: tuple[str, ...]) -> None:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_COMMAND_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Red(f"{words[0]}: {error}") from error
    if done.returncode != 0:
        raise Red(f"{' '.join(words)}: {(done.stderr or done.stdout).strip() or done.returncode}")
