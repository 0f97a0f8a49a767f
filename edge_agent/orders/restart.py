"""Restart: one process of the device's own group, by supervisor.

1. `stopProcess` without waiting: supervisor would answer only after its own patience, and kills by itself.
2. The agent's own process cannot be stopped by itself and started again: it ends, and supervisor starts it anew.
   The process that comes after tells that it was done.
"""

import asyncio
import os
from collections.abc import Callable
from typing import Any

from edge_agent import supervisor
from edge_agent.clock import Stamp
from edge_agent.orders.outcome import Begun, Doing, Given, Outcome, failed
from edge_agent.supervisor import ALREADY_STARTED, NOT_RUNNING, Fault, NoAnswer

_LOOK_EVERY_S = 0.3
_LIMIT_S = 60
_DOWN = frozenset({"STOPPED", "EXITED", "FATAL"})
_WITHOUT_WAITING = False


class Restart:
    """Restarts processes. `end` ends this one in good order."""

    def __init__(self, socket: str, device: str, end: Callable[[], None]) -> None:
        self._socket, self._device, self._end = socket, device, end

    @property
    def doing(self) -> Doing:
        """As the loop takes it."""
        return Doing(self._do, self._settle, limit_s=2 * _LIMIT_S + 10)

    async def _do(self, given: Given) -> Outcome | None:
        name = given.arguments.process
        try:
            found = await self._find(name)
            if found is None:
                return failed("no_such_process", name)
            if found.get("pid") == os.getpid():
                self._end()
                return None
            await self._call("stopProcess", name, NOT_RUNNING)
            await self._until(name, _DOWN)
            return await self._start(name)
        except NoAnswer:
            return failed("no_supervisor")
        except Fault as fault:
            return failed("not_running_again", str(fault)[:100])

    async def _start(self, name: str) -> Outcome:
        await self._call("startProcess", name, ALREADY_STARTED)
        running = await self._until(name, frozenset({"RUNNING", "FATAL"}))
        return Outcome("done", f"process: {name}") if running == "RUNNING" else failed("not_running_again", name)

    async def _settle(self, begun: Begun, now: Stamp) -> Outcome:
        """It was the agent itself, which is here again; or the agent ended while another one was down."""
        name = begun.arguments.process
        try:
            found = await self._find(name)
            if found is None:
                return failed("no_such_process", name)
            if found.get("pid") == os.getpid():
                return Outcome("done", f"process: {name}")
            # Whatever was interrupted: nothing that was running stays down.
            await self._start(name)
        except NoAnswer:
            return failed("no_supervisor")
        except Fault as fault:
            return failed("not_running_again", str(fault)[:100])
        return failed("interrupted", name)

    async def _find(self, name: str) -> dict[str, Any] | None:
        every = await asyncio.to_thread(supervisor.processes, self._socket)
        return next((one for one in every if one.get("group") == self._device and one.get("name") == name), None)

    async def _call(self, method: str, name: str, as_it_should_be: int) -> None:
        try:
            whole = f"{self._device}:{name}"
            await asyncio.to_thread(supervisor.ask, self._socket, method, whole, _WITHOUT_WAITING)
        except Fault as fault:
            if fault.code != as_it_should_be:
                raise

    async def _until(self, name: str, wanted: frozenset[str]) -> str:
        """The state, as soon as it is one of those; the last one after a minute."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + _LIMIT_S
        while True:
            found = await self._find(name)
            state = str(found.get("statename")) if found else ""
            if state in wanted or loop.time() > end_s:
                return state
            await asyncio.sleep(_LOOK_EVERY_S)
