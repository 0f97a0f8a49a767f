"""A trial start: the broker's own program with its own file, on another port, before the running one is touched.

Version 2.0.11 has no way to check a file but to start with it.
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from hub.broker import canary
from hub.broker.canary import Place, Red

_START_S = 10.0
_TRY_FOR_S = 2.0
# Lines that a trial has of its own, or must not share with the running broker.
_OWN = re.compile(r"^(listener|log_dest|pid_file|persistence_location|persistence_file)\b.*$", re.M)


def check(config: Path, ca: Path) -> None:
    """Returns when a broker starts with this file and keeps its rules. Raises Red."""
    with _started(config) as port:
        canary.check_started(Place("127.0.0.1", port, ca), _TRY_FOR_S)


@contextlib.contextmanager
def _started(config: Path) -> Iterator[int]:
    try:
        text = config.read_text(encoding="utf-8")
    except OSError as error:
        raise Red(f"{config}: {error.strerror}; expected the broker's settings") from error
    port = _free_port()
    first = re.search(r"^per_listener_settings .*\n", text, re.M)
    head = first[0] if first else ""
    text = head + f"listener {port} 127.0.0.1\nlog_dest stderr\n" + _OWN.sub("", text.replace(head, "", 1))
    # Beside the real one, so that relative names mean the same.
    with tempfile.NamedTemporaryFile(
        "w", dir=config.parent, prefix=".trial-", suffix=".conf", encoding="utf-8"
    ) as file:
        file.write(text)
        file.flush()
        process = subprocess.Popen(
            [_program(), "-c", file.name], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        try:
            _await(process, port, config)
            yield port
        finally:
            process.kill()
            process.wait()
            assert process.stderr is not None  # noqa: S101 (asked for above)
            process.stderr.close()


def _await(process: "subprocess.Popen[bytes]", port: int, config: Path) -> None:
    end = time.monotonic() + _START_S
    while time.monotonic() < end:
        if process.poll() is not None:
            said = process.stderr.read().decode(errors="replace").strip().splitlines() if process.stderr else []
            raise Red(f"{config}: a broker does not start with it: {said[-1] if said else process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise Red(f"{config}: a broker started with it does not listen within {_START_S:.0f} s")


def _program() -> str:
    found = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if found is None:
        raise Red("mosquitto is not installed on this machine")
    return found


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
