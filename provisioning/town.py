"""`make run`: broker, hub and three real devices on this machine, under one supervisord, until Ctrl-C.

1. Whatever was there before stays: data, secrets, settings that a person changed, ports.
2. Nothing of a town outlives this process, however it ends.
3. What goes wrong is told in one sentence, with the log's last lines where a program said more.
"""

import contextlib
import fcntl
import http.client
import os
import shlex
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import FrameType

from provisioning import authority, ports, supervised
from provisioning.layout import (
    KINDS,
    Kind,
    Town,
    command,
    device_name,
    lay_out,
    log_of,
    make_folder,
    reader_of,
)
from provisioning.ports import HOST, Ports
from provisioning.supervised import Gone, Supervised

# A program that is not there after so long says why in its log.
_START_S = 30.0
_POLL_S = 0.1
_ASK_S = 0.5
# One that ended so often at once will not do better the next time.
_TRIES = 3
_WATCH_S = 5.0
_CARD = "012E4CD8A9B3C401"


class NotStarted(Exception):
    """A program did not start; what is to be shown of it."""


@dataclass(frozen=True, slots=True)
class Step:
    """A program to wait for: which group it is in, and how it is known to be there."""

    group: str
    name: str
    ready: Callable[[], bool]
    shown: str


def run(folder: Path) -> int:
    """Starts the town in `folder` and keeps it until SIGINT, SIGTERM or SIGHUP. Raises BadSetting, CannotLayOut."""
    make_folder(folder)
    _end_in_order()
    with contextlib.suppress(KeyboardInterrupt), _alone(folder) as holder:
        if holder:
            _say(f"This town runs already (process {holder}).")
            _tell(Town(folder, ports.recall(folder / "town.toml")))
            return 0
        return _run(folder)
    return 0


def status(folder: Path) -> int:
    """Prints what runs; 0 when everything does, 1 when not."""
    holder = _holder(folder)
    if not holder:
        _say("This town does not run. `make run` starts it.")
        return 1
    town = Town(folder, ports.recall(folder / "town.toml"))
    try:
        states = supervised.states(town)
    except Gone:
        _say(f"This town is starting or stopping (process {holder}).")
        return 1
    for one in states:
        _say(f"  {one.group + ':' + one.name:22} {one.word.lower()}")
    _tell(town)
    return 0 if all(one.running for one in states) else 1


def stop(folder: Path) -> int:
    """Ends a town that runs in another terminal; 0 when nothing runs any more."""
    holder = _holder(folder)
    if not holder:
        _say("This town does not run.")
        return 0
    with contextlib.suppress(ProcessLookupError):
        os.kill(holder, signal.SIGTERM)
    end = time.monotonic() + _START_S
    while _holder(folder):
        if time.monotonic() > end:
            _say(f"Process {holder} does not end.")
            return 1
        time.sleep(_POLL_S)
    _say("The town has stopped.")
    return 0


def _run(folder: Path) -> int:
    _say(f"Starting a town in {folder}")
    wanted = ports.recall(folder / "town.toml")
    left = supervised.sweep(Town(folder, wanted))
    if left:
        _say(f"  ended {left} processes that an earlier run had left behind")
    town = Town(folder, _settle(folder / "town.toml", wanted))
    lay_out(town)
    if authority.settle(town):
        _say(f"  made this town's own certificates in {_short(town.root)}")
    running = Supervised(town)
    try:
        _start(town, running)
        _tell(town)
        return _watch(town, running)
    except NotStarted as sentence:
        _say(str(sentence))
        return 1
    except KeyboardInterrupt:
        _say("\nStopping …")
        return 0
    finally:
        running.stop([device_name(kind) for kind in KINDS])
        _say("Everything has stopped; the data stays in " + str(folder))


def _settle(path: Path, wanted: Ports) -> Ports:
    chosen, moved = ports.choose(wanted, ports.is_free)
    for one in moved:
        held = ports.holder(one.name, one.taken)
        _say(f"  port {one.taken} is taken by {held}: the {one.name} takes {one.chosen}")
    if chosen != wanted or not path.exists():
        ports.remember(path, chosen)
    return chosen


def _start(town: Town, running: Supervised) -> None:
    broker = f"broker on {HOST}:{town.ports.broker}"
    _await(town, running, Step("hub", "mosquitto", partial(_listens, town.ports.broker), broker))
    _await(town, running, Step("hub", "hub", partial(_answers, town.ports.hub), f"hub on {town.page}"))
    _start_devices(town, running)


def _start_devices(town: Town, running: Supervised) -> None:
    for kind in KINDS:
        if wrong := authority.invite(town, kind):
            raise NotStarted(f"{device_name(kind)} cannot be enrolled: {wrong}")
        _link(town, kind).unlink(missing_ok=True)
        _ask_for(running, device_name(kind))
    for kind in KINDS:
        name = device_name(kind)
        _await(town, running, Step(name, "agent", partial(_is_online, town, kind), f"{name} is online"))
    if reader_of(town).startswith("udp:"):
        name = device_name("terminal")
        up = partial(_is_running, running, name, "field")
        _await(town, running, Step(name, "field", up, f"simulated card reader on {town.field}"))


def _link(town: Town, kind: Kind) -> Path:
    """Where a device says how its way to the hub is."""
    return town.agent_toml(kind).parent / "link"


def _is_online(town: Town, kind: Kind) -> bool:
    with contextlib.suppress(OSError):
        return _link(town, kind).read_text(encoding="ascii") == "connected\n"
    return False


def _ask_for(running: Supervised, group: str) -> None:
    try:
        running.start(group)
    except Gone as error:
        raise NotStarted(f"supervisord did not start {group}: {error}") from error


def _await(town: Town, running: Supervised, step: Step) -> None:
    """Returns when the program is there, and says so. Raises NotStarted."""
    began = asked = time.monotonic()
    starts: set[tuple[str, str, int]] = set()
    while not step.ready():
        now = time.monotonic()
        if not running.alive:
            raise NotStarted(_why("supervisord ended", town.log / "supervisord.stderr"))
        if now - asked > _ASK_S:
            asked = now
            starts |= {(one.group, one.name, one.started) for one in _states(running) if one.started}
            _check_starts(town, starts)
        if now - began > _START_S:
            raise NotStarted(_told(town, step.group, step.name, f"was not ready within {_START_S:.0f} s"))
        time.sleep(_POLL_S)
    if step.shown:
        _say(f"  {step.shown} ({time.monotonic() - began:.1f} s)")


def _check_starts(town: Town, starts: set[tuple[str, str, int]]) -> None:
    # By the starts themselves and not by supervisord's BACKOFF: on a slow board a program that fails has often
    # lived for longer than a second, and counts as having run.
    for (group, name), times in Counter((group, name) for group, name, _ in starts).items():
        if times > _TRIES:
            raise NotStarted(_told(town, group, name, "does not start"))


def _watch(town: Town, running: Supervised) -> int:
    """Until a signal ends it: says once when a program is given up, ends when supervisord does."""
    told: set[tuple[str, str]] = set()
    while running.alive:
        for one in _states(running):
            if one.given_up and (one.group, one.name) not in told:
                told.add((one.group, one.name))
                _say(_told(town, one.group, one.name, "has stopped and does not start again"))
        time.sleep(_WATCH_S)
    _say(_why("supervisord ended", town.log / "supervisord.log"))
    return 1


def _states(running: Supervised) -> list[supervised.State]:
    try:
        return running.states()
    except Gone:
        return []


def _is_running(running: Supervised, group: str, name: str) -> bool:
    return any(one.running for one in _states(running) if (one.group, one.name) == (group, name))


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _told(town: Town, group: str, name: str, what: str) -> str:
    program = name if group == "hub" else f"{group}'s {name}"
    return _why(f"The {program} {what}", log_of(town, group, name))


def _why(what: str, log: Path) -> str:
    lines = supervised.last_words(log)
    shown = _short(log)
    if not lines:
        return f"{what}; {shown} is empty."
    return "\n".join([f"{what}. The end of {shown}:", *(f"    {line}" for line in lines)])


def _tell(town: Town) -> None:
    """What a newcomer needs: where to look, what to try, how to stop."""
    terminal = _short(town.agent_toml("terminal"))
    agent = _short(command("machinaka-agent"))
    lines = [
        "",
        "The town runs.",
        "",
        f"  Pages   {town.page}",
        f"  Kiosk   {town.kiosk}",
        f"  Wi-Fi   {town.portal}",
        f"  Tablet  {town.tablet}",
        *_admin_link(town),
    ]
    if "SSH_CONNECTION" in os.environ:
        tunnel = " ".join(
            f"-L {port}:{HOST}:{port}"
            for port in (town.ports.hub, town.ports.kiosk, town.ports.tablet, town.ports.probes, town.ports.portal)
        )
        lines += ["", f"  From your own computer, first:  ssh {tunnel} <this machine>"]
    if reader_of(town).startswith("udp:"):
        lines += [
            "",
            "  Put a card on the terminal's reader:",
            f"    {agent} tap --field {town.field} --card {_CARD}",
            "  Give it a name (from the first name on, other cards are unknown):",
            f"    {agent} roster add --settings {terminal} --card {_CARD} --name 山田花子",
        ]
    lines += ["", f"  Logs are in {_short(town.log)}/. Ctrl-C stops everything; the data stays.", ""]
    _say("\n".join(lines))


def _admin_link(town: Town) -> list[str]:
    """The one-time link for the first administrator, as the hub words it."""
    asked: list[str | Path] = [command("machinaka-hub"), "admin-link", "--settings", town.hub_toml]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False)
    said = (answer.stdout or answer.stderr).strip().splitlines()
    if answer.returncode == 0 and said and said[0].startswith("http"):
        return ["", "  Open this once to make the first administrator (within 24 hours):", f"    {said[0]}"]
    return ["", *(f"  {line}" for line in said)]


def _short(path: Path) -> str:
    """As it can be typed from here."""
    with contextlib.suppress(ValueError):
        path = path.relative_to(Path.cwd())
    return shlex.quote(str(path))


def _say(text: str) -> None:
    print(text, flush=True)


def _end_in_order() -> None:
    """SIGTERM and SIGHUP end a town as Ctrl-C does; a second one does not disturb the end."""

    def ended(_number: int, _frame: FrameType | None) -> None:
        for sig in signals:
            signal.signal(sig, signal.SIG_IGN)
        raise KeyboardInterrupt

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for sig in signals:
        signal.signal(sig, ended)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[int]:
    """Holds the town for this process; yields the process that has it instead, or 0."""
    with (folder / "town.lock").open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield _pid(file.name)
            return
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield 0


def _holder(folder: Path) -> int:
    """The process that has the town, or 0."""
    path = folder / "town.lock"
    try:
        with path.open(encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _pid(str(path))
    except FileNotFoundError:
        pass
    return 0


def _pid(path: str) -> int:
    text = Path(path).read_text(encoding="ascii").strip()
    return int(text) if text.isdigit() else -1
