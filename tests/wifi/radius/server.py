"""A real FreeRADIUS with a configuration of its own, and radclient: what stands between another maker and the hub.
Skipped with the reason where they are not installed."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker import free_port

SECRET = "a-secret-of-the-tests"
_MODULES = Path("/usr/lib/freeradius")

needs_freeradius = pytest.mark.skipif(
    not (shutil.which("freeradius") and shutil.which("radclient")), reason="freeradius and radclient are not installed"
)
needs_rest = pytest.mark.skipif(
    not (_MODULES / "rlm_rest.so").exists(), reason="freeradius-rest (rlm_rest) is not installed"
)

_CONF = """
prefix = /usr
libdir = {modules}
raddbdir = {folder}
run_dir = {folder}
logdir = {folder}
db_dir = {folder}
name = freeradius
pidfile = {folder}/pid
max_request_time = 30
cleanup_delay = 5
max_requests = 16384
hostname_lookups = no
log {{ destination = files
  file = {folder}/radius.log }}
security {{ max_attributes = 200
  reject_delay = 0
  status_server = no }}
client town {{ ipaddr = 127.0.0.1
  secret = {secret} }}
thread pool {{ start_servers = 8
  max_servers = 32
  min_spare_servers = 4
  max_spare_servers = 16
  max_requests_per_server = 0 }}
modules {{
{module}
}}
server town {{
  listen {{ type = acct
    ipaddr = 127.0.0.1
    port = {port} }}
  preacct {{
  }}
  accounting {{
    {name}
  }}
}}
"""

# As docs/operations tells operators to write it.
_REST = """  rest {{
    tls {{
    }}
    connect_uri = "{url}"
    accounting {{
      uri = "${{..connect_uri}}"
      method = "post"
      body = "json"
      auth = "basic"
      username = "machinaka"
      password = "{token}"
      timeout = 10
    }}
    pool {{
      start = 0
      min = 0
      max = 32
      spare = 4
      uses = 0
      retry_delay = 1
      lifetime = 0
      idle_timeout = 60
    }}
  }}"""
_DETAIL = """  detail {{
    filename = {file}
    permissions = 0600
    locking = no
  }}"""


class FreeRadius:
    """A server that takes accounting on a free port, and the packets that are sent to it."""

    def __init__(self, folder: Path, module: str, name: str) -> None:
        self.folder, self.port = folder, free_port()
        folder.mkdir(parents=True)
        (folder / "dictionary").write_text("")
        text = _CONF.format(modules=_MODULES, folder=folder, secret=SECRET, module=module, port=self.port, name=name)
        (folder / "radiusd.conf").write_text(text)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits until it is ready."""
        with (self.folder / "out.log").open("ab") as out:
            command = ["freeradius", "-f", "-d", str(self.folder), "-n", "radiusd"]
            self._process = subprocess.Popen(command, stdout=out, stderr=out)
        log, end = self.folder / "radius.log", time.monotonic() + 60
        while not (log.exists() and "Ready to process requests" in log.read_text()):
            assert self._process.poll() is None, (log, log.exists() and log.read_text())
            assert time.monotonic() < end
            time.sleep(0.05)

    def stop(self) -> None:
        """Ends it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(30)

    def send(self, *packets: str, at_once: int = 1, tries: int = 3) -> tuple[int, str]:
        """Sends packets (`Name = value` lines); how many were answered, and what radclient said."""
        text = "\n\n".join(packets) + "\n\n"
        command = ["radclient", "-s", "-r", str(tries), "-t", "5", "-p", str(at_once), f"127.0.0.1:{self.port}", "acct"]
        done = subprocess.run([*command, SECRET], input=text, capture_output=True, text=True, timeout=300, check=False)
        said = done.stdout + done.stderr
        accepted = [line for line in said.splitlines() if "Accepted" in line]
        return (int(accepted[-1].rpartition(":")[2]) if accepted else 0), said


@contextlib.contextmanager
def forwarding(folder: Path, url: str, token: str) -> Iterator[FreeRadius]:
    """One that forwards to the hub by rlm_rest."""
    with _running(FreeRadius(folder, _REST.format(url=url, token=token), "rest")) as server:
        yield server


@contextlib.contextmanager
def writing(folder: Path, file: Path) -> Iterator[FreeRadius]:
    """One that writes a detail file."""
    with _running(FreeRadius(folder, _DETAIL.format(file=file), "detail")) as server:
        yield server


@contextlib.contextmanager
def _running(server: FreeRadius) -> Iterator[FreeRadius]:
    server.start()
    try:
        yield server
    finally:
        server.stop()


def packet(kind: str, session: str, at_s: int, **more: object) -> str:
    """A packet as radclient reads it; underscores in names are dashes."""
    values: dict[str, object] = {
        "Acct-Status-Type": kind,
        "Acct-Session-Id": f'"{session}"',
        "NAS-Identifier": '"library-ap"',
        "Calling-Station-Id": '"02-00-5E-10-00-01"',
        "Called-Station-Id": '"02-00-5E-20-00-01:Library"',
        "User-Name": '"guest"',
        "Event-Timestamp": at_s,
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    return "\n".join(f"{name} = {value}" for name, value in values.items() if value is not None)
