"""The programs beside the agent that it starts anew when their files change (dnsmasq): by supervisor.

Restarted, never reloaded: what runs is then what the file says, whatever a program thinks of a signal.
"""

import asyncio
from typing import Protocol

from edge_agent import supervisor
from edge_agent.supervisor import ALREADY_STARTED, NOT_RUNNING, Fault, NoAnswer

_UP = frozenset({"RUNNING", "STARTING"})
_WAIT = True


class NotRunning(Exception):
    """The program cannot be had to run; one line."""


class Programs(Protocol):
    """Whoever keeps the programs."""

    async def restart(self, name: str) -> None:
        """The program runs anew when it returns. Raises NotRunning."""
        ...

    async def runs(self, name: str) -> bool:
        """Whether it runs now. Raises NotRunning where nobody can say."""
        ...


class Supervised:
    """The programs of the group that bears the device's name, by supervisor."""

    def __init__(self, socket: str, device: str) -> None:
        self._socket, self._device = socket, device

    async def restart(self, name: str) -> None:
        """Stopped, when it runs, and started. Raises NotRunning."""
        await asyncio.to_thread(self._restart, f"{self._device}:{name}")

    async def runs(self, name: str) -> bool:
        """As supervisor sees it. Raises NotRunning."""
        try:
            every = await asyncio.to_thread(supervisor.processes, self._socket)
        except NoAnswer as error:
            raise NotRunning(str(error)) from error
        own = (one for one in every if one.get("group") == self._device and one.get("name") == name)
        return any(one.get("statename") in _UP for one in own)

    def _restart(self, whole: str) -> None:
        try:
            for method, as_it_should_be in (("stopProcess", NOT_RUNNING), ("startProcess", ALREADY_STARTED)):
                self._call(method, whole, as_it_should_be)
        except (NoAnswer, Fault) as error:
            raise NotRunning(f"{whole}: {error}") from error

    def _call(self, method: str, whole: str, as_it_should_be: int) -> None:
        try:
            supervisor.ask(self._socket, method, whole, _WAIT)
        except Fault as fault:
            if fault.code != as_it_should_be:
                raise
