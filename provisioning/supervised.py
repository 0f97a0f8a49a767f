"""A town's supervisord: started, asked, ended, and what a killed one left behind cleaned away."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
import xmlrpc.client
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from supervisor.xmlrpc import SupervisorTransport

from provisioning.layout import MARK, Town, program

_ASK_S = 0.1
# supervisor's `wait` argument: answer now, not when it has happened.
_AT_ONCE = False
# What supervisord itself may take after its processes have ended.
_END_S = 6.0


@dataclass(frozen=True, slots=True)
class State:
    """A process as supervisord sees it."""

    group: str
    name: str
    word: str
    started: int

    @property
    def running(self) -> bool:
        """Whether it is up."""
        return self.word == "RUNNING"

    @property
    def stopped(self) -> bool:
        """Whether it is down and stays so."""
        return self.word in {"STOPPED", "EXITED", "FATAL"}

    @property
    def given_up(self) -> bool:
        """Whether supervisord has stopped trying."""
        return self.word == "FATAL"


class Gone(Exception):
    """supervisord does not answer, or not as it was asked."""


class Supervised:
    """One running supervisord, started as a child of this process and ended with it."""

    def __init__(self, town: Town) -> None:
        self._town = town
        # Of its own session: Ctrl-C at a terminal reaches us alone, and we end it in order. Should we be killed,
        # it is told so by the kernel.
        told_of_our_end = [program("setpriv"), "--pdeathsig", "TERM", "--"]
        with (town.log / "supervisord.stderr").open("wb") as stderr:
            self._process = subprocess.Popen(
                [*told_of_our_end, sys.executable, "-m", "supervisor.supervisord", "-c", town.supervisord_conf],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                env={**os.environ, MARK: str(town.folder)},
                start_new_session=True,
            )

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def states(self) -> list[State]:
        """Every process. Raises Gone."""
        return states(self._town)

    def start(self, group: str) -> None:
        """Asks for every process of a group; returns at once. Raises Gone."""
        for one in self.states():
            if one.group == group:
                _ask(self._town, "startProcess", f"{one.group}:{one.name}", _AT_ONCE)

    def stop(self, first: list[str]) -> None:
        """Ends everything: the groups named `first`, then the rest. Never raises for what is gone already."""
        with contextlib.suppress(Gone):
            self._stop_groups(first)
        if self.alive:
            self._process.terminate()
            try:
                self._process.wait(_END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        sweep(self._town, patience_s=0)

    def _stop_groups(self, groups: list[str]) -> None:
        for one in self.states():
            if one.group in groups and not one.stopped:
                _ask(self._town, "stopProcess", f"{one.group}:{one.name}", _AT_ONCE)
        end = time.monotonic() + 4
        while time.monotonic() < end and any(not one.stopped for one in self.states() if one.group in groups):
            time.sleep(_ASK_S)


def states(town: Town) -> list[State]:
    """Every process of a town that runs. Raises Gone."""
    told = _ask(town, "getAllProcessInfo")
    if told is None:
        raise Gone("supervisord is on its way down")
    return [State(str(p["group"]), str(p["name"]), str(p["statename"]), int(p["start"])) for p in told]


def sweep(town: Town, *, patience_s: float = 3) -> int:
    """Ends what an earlier, killed run of this town left running; how many processes that were."""
    left = found = [one for one in psutil.process_iter() if _belongs(one, town)]
    if patience_s:
        left = _end(left, signal.SIGTERM, patience_s)
    _end(left, signal.SIGKILL, 3)
    return len(found)


def _end(processes: list[psutil.Process], sig: signal.Signals, wait_s: float) -> list[psutil.Process]:
    for one in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.send_signal(sig)
    _, alive = psutil.wait_procs(processes, timeout=wait_s)
    return alive


def _belongs(process: psutil.Process, town: Town) -> bool:
    try:
        return process.pid != os.getpid() and process.environ().get(MARK) == str(town.folder)
    except (psutil.Error, OSError):
        return False


def last_words(log: Path, lines: int = 8) -> list[str]:
    """The end of a log."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.splitlines()[-lines:]


def _ask(town: Town, method: str, *args: object) -> Any:
    transport = SupervisorTransport(None, None, serverurl=f"unix://{town.socket}")
    try:
        with xmlrpc.client.ServerProxy("http://supervisor", transport=transport) as proxy:
            return getattr(proxy.supervisor, method)(*args)
    except (OSError, http.client.HTTPException) as error:
        raise Gone(str(error)) from error
    except xmlrpc.client.Fault as fault:
        # Already as it should be (started, stopped), or on its way down.
        if fault.faultCode in {60, 70, 6}:
            return None
        raise Gone(fault.faultString) from fault
    except xmlrpc.client.ProtocolError as error:
        raise Gone(error.errmsg) from error
