"""Restarts by a real supervisord: a process of the device's own group, and nothing else."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge_agent import supervisor
from edge_agent.orders.outcome import Begun, Given, Outcome
from edge_agent.orders.restart import Restart
from tests.broker import free_port
from tests.clock.hand_time import HandTime
from tests.journey.parts import soon
from wire import orders

CONF = """[supervisord]
nodaemon=true
logfile={folder}/supervisord.log
pidfile={folder}/s.pid
[unix_http_server]
file={folder}/s.sock
[rpcinterface:supervisor]
supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface
[program:kiosk]
command=sleep 3600
startsecs=0
[program:deaf]
command={python} -c "import signal,time; signal.signal(15, 1); time.sleep(3600)"
startsecs=0
stopwaitsecs=1
[program:broken]
command=/no/such/program
autostart=false
startretries=0
[program:elsewhere]
command=sleep 3600
[group:terminal-1]
programs=kiosk,deaf,broken
[group:hub]
programs=elsewhere
"""


@pytest.fixture(scope="module")
def socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The socket of a running supervisord."""
    folder = tmp_path_factory.mktemp(f"s{free_port()}")
    conf = folder / "supervisord.conf"
    conf.write_text(CONF.format(folder=folder, python=sys.executable))
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "-c", conf])
    path = str(folder / "s.sock")
    assert soon(lambda: Path(path).exists() and _pid(path, "kiosk") and _pid(path, "deaf"))
    yield path
    process.terminate()
    process.wait(30)


def _pid(socket: str, name: str) -> int:
    try:
        return next(int(one["pid"]) for one in supervisor.processes(socket) if one["name"] == name)
    except supervisor.NoAnswer:
        return 0


def _given(process: str) -> Given:
    return Given("a" * 32, orders.Restart(process))


def _not_ended() -> None:
    raise AssertionError("the agent was to end")


@pytest.mark.parametrize("process", ["kiosk", "deaf"])
async def test_a_process_of_the_device_is_restarted(socket: str, process: str) -> None:
    before = _pid(socket, process)
    outcome = await Restart(socket, "terminal-1", _not_ended).doing.do(_given(process))
    assert outcome == Outcome("done", f"process: {process}")
    assert _pid(socket, process) not in (0, before)


async def test_one_that_is_down_is_started(socket: str) -> None:
    supervisor.ask(socket, "stopProcess", "terminal-1:kiosk")
    outcome = await Restart(socket, "terminal-1", _not_ended).doing.do(_given("kiosk"))
    assert outcome == Outcome("done", "process: kiosk")


@pytest.mark.parametrize(
    ("process", "detail"), [("elsewhere", "no_such_process: elsewhere"), ("none", "no_such_process: none")]
)
async def test_another_ones_is_not(socket: str, process: str, detail: str) -> None:
    before = _pid(socket, "elsewhere")
    outcome = await Restart(socket, "terminal-1", _not_ended).doing.do(_given(process))
    assert outcome == Outcome("failed", detail)
    assert _pid(socket, "elsewhere") == before


async def test_one_that_does_not_start_is_a_failure(socket: str) -> None:
    outcome = await Restart(socket, "terminal-1", _not_ended).doing.do(_given("broken"))
    assert outcome is not None
    assert (outcome.state, outcome.detail.partition(":")[0]) == ("failed", "not_running_again")


async def test_what_was_interrupted_is_up_again(socket: str) -> None:
    supervisor.ask(socket, "stopProcess", "terminal-1:kiosk")
    begun = Begun("a" * 32, orders.Restart("kiosk"), "boot-1", 0)
    outcome = await Restart(socket, "terminal-1", _not_ended).doing.settle(begun, HandTime().stamp())
    assert outcome == Outcome("failed", "interrupted: kiosk")
    assert _pid(socket, "kiosk")


async def test_without_supervisor_it_says_so(tmp_path: Path) -> None:
    outcome = await Restart(str(tmp_path / "none"), "terminal-1", _not_ended).doing.do(_given("kiosk"))
    assert outcome == Outcome("failed", "no_supervisor")


def test_the_agent_itself_is_restarted_and_tells_so(tmp_path: Path) -> None:
    """The agent as supervisord's process: the one that comes after tells that it was done."""
    program = """
import asyncio, os, sys
from edge_agent.orders.outcome import Begun, Given
from edge_agent.orders.restart import Restart
from edge_agent.clock import Stamp
from wire import orders
folder, what = sys.argv[1], orders.Restart("agent")
async def run():
    restart = Restart(f"{folder}/s.sock", "terminal-1", lambda: open(f"{folder}/begun", "w").close())
    if os.path.exists(f"{folder}/begun"):
        outcome = await restart.doing.settle(Begun("a" * 32, what, "b", 0), Stamp("b", 0, 0, "synced"))
        open(f"{folder}/told", "w").write(outcome.detail)
        await asyncio.sleep(3600)
    assert await restart.doing.do(Given("a" * 32, what)) is None
asyncio.run(run())
"""
    (tmp_path / "agent.py").write_text(program)
    conf = tmp_path / "supervisord.conf"
    head = CONF.partition("[program:kiosk]")[0].format(folder=tmp_path, python=sys.executable)
    conf.write_text(
        f"{head}[program:agent]\ncommand={sys.executable} {tmp_path}/agent.py {tmp_path}\nstartsecs=0\n"
        "autorestart=true\n[group:terminal-1]\nprograms=agent\n"
    )
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-m", "supervisor.supervisord", "-c", conf])
    try:
        told = tmp_path / "told"
        assert soon(lambda: told.exists() and told.read_text()) == "process: agent"
    finally:
        process.terminate()
        process.wait(30)
