"""A whole town as a newcomer starts it: real programs, a card on the reader, an end that leaves nothing behind."""

import os
import queue
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from hub.attendance import store as attendance_store
from hub.db import Db
from hub.fleet import store as fleet_store
from provisioning import layout, ports
from provisioning.ports import Ports

DEVICES = ["access-point-1", "tablet-1", "terminal-1"]


class RunningTown:
    """`machinaka-provision town run` as a child, and what it prints."""

    def __init__(self, folder: Path) -> None:
        self.said: list[str] = []
        self._lines: queue.Queue[str | None] = queue.Queue()
        self.process = subprocess.Popen(
            _command("run", folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))
        self._lines.put(None)

    def until(self, words: str, within_s: float = 90) -> str:
        """The first line with these words, read up to it."""
        end = time.monotonic() + within_s
        while True:
            line = self._lines.get(timeout=max(0.01, end - time.monotonic()))
            if line is None:
                raise AssertionError(f"ended before {words!r}:\n" + "\n".join(self.said))
            self.said.append(line)
            if words in line:
                return line

    def end(self, sig: signal.Signals = signal.SIGINT) -> int:
        """Ends it as Ctrl-C does; its exit code."""
        self.process.send_signal(sig)
        return self.process.wait(30)


def _command(action: str, folder: Path) -> list[str]:
    return [sys.executable, "-m", "provisioning", "town", action, "--var", str(folder)]


def _ask(action: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(_command(action, folder), capture_output=True, text=True, check=False, timeout=60)


@contextmanager
def _running(folder: Path) -> Iterator[RunningTown]:
    town = RunningTown(folder)
    try:
        yield town
    finally:
        if town.process.poll() is None:
            town.process.terminate()
            town.process.wait(30)
        if town.process.stdout:
            town.process.stdout.close()


def _left(folder: Path) -> list[str]:
    """Processes of the town that still run."""
    found = []
    for one in psutil.process_iter():
        try:
            if one.environ().get(layout.MARK) == str(folder) and one.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(one.cmdline()))
        except psutil.Error:
            continue
    return found


def _wait(true: Callable[[], bool], what: str, within_s: float = 30) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def _online(db: Db) -> list[str]:
    return sorted(row.name for row in db.read(fleet_store.devices) if row.online and row.health)


def _taps(db: Db) -> int:
    return len(db.read(attendance_store.latest_taps))


def test_a_town_from_the_first_start_to_the_second_end(tmp_path: Path, free_ports: Ports) -> None:
    folder = tmp_path / "var"
    folder.mkdir()
    ports.remember(folder / "town.toml", free_ports)
    with socket.create_server(("127.0.0.1", free_ports.broker)), _running(folder) as town:
        said = town.until("is taken by")
        assert f"port {free_ports.broker} is taken by" in said
        assert f"(process {os.getpid()}): the broker takes " in said
        town.until("The town runs.")
        assert town.until("Pages").endswith(f"http://127.0.0.1:{free_ports.hub}/")
        (file,) = (folder / "hub").glob("*.db")
        db = Db(file)
        _wait(lambda: _online(db) == DEVICES, "devices are online and have told how they are")
        # The line as it was printed for people to try.
        tap = shlex.split(town.until(" tap --field "))
        assert subprocess.run(tap, check=False, timeout=30).returncode == 0
        _wait(lambda: _taps(db) == 1, "the punch is in the hub")
        again = _ask("run", folder)
        assert (again.returncode, "runs already" in again.stdout) == (0, True)
        status = _ask("status", folder)
        assert status.returncode == 0, status.stdout
        assert status.stdout.count("running") == 6
        assert town.end() == 0
        assert _left(folder) == []
    chosen = ports.recall(folder / "town.toml")
    assert chosen.broker != free_ports.broker
    with _running(folder) as town:
        town.until("The town runs.")
        assert ports.recall(folder / "town.toml") == chosen
        assert _taps(db) == 1
        # Killed outright: the kernel tells supervisord, and supervisord ends the rest.
        town.process.kill()
        town.process.wait()
        _wait(lambda: not _left(folder), f"everything ends with it: {_left(folder)}")
    assert _ask("status", folder).returncode == 1


def test_a_program_that_does_not_start_is_named_with_its_words(tmp_path: Path, free_ports: Ports) -> None:
    folder = tmp_path / "var"
    layout.make_folder(folder)
    ports.remember(folder / "town.toml", free_ports)
    layout.lay_out(layout.Town(folder, free_ports))
    hub = folder / "hub" / "hub.toml"
    hub.write_text(hub.read_text().replace('language = "ja"', 'language = "tlh"'))
    with _running(folder) as town:
        town.until("The hub does not start. The end of")
        town.until("hub.toml: language: found 'tlh', expected")
        assert town.process.wait(30) == 1
    assert _left(folder) == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("[ports]\nhub = 0\n", "town.toml: ports.hub: found 0, expected"), ("hub = ", "town.toml: (file): found")],
)
def test_bad_input_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "town.toml").write_text(text)
    answer = _ask("run", tmp_path)
    assert answer.returncode == 2
    assert sentence in answer.stderr
    assert answer.stderr.count("\n") == 1


def test_stopping_what_does_not_run_is_no_fault(tmp_path: Path) -> None:
    answer = _ask("stop", tmp_path / "none")
    assert (answer.returncode, answer.stdout) == (0, "This town does not run.\n")
