"""Diagnostics: logs, settings, spool, network and disk in one file, without secrets, sent in parts by the bulk lane."""

import asyncio
import base64
import contextlib
import io
import platform
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from edge_agent import spool_file, supervisor
from edge_agent.clock import Clock
from edge_agent.orders import redaction
from edge_agent.orders.outcome import Doing, Given, Outcome, failed, interrupted
from edge_agent.settings import Settings
from edge_agent.spool import SpoolFull
from edge_agent.spool_thread import AsyncSpool
from wire.messages import Bundle
from wire.orders import BUNDLE_BYTES, PART_BYTES

_LOG_BYTES = 256 * 1024
_LOGS = 40
_SUFFIXES = (".log", ".txt", ".stdout", ".stderr", ".1")


class Diagnostics:
    """Gathers and sends the file."""

    def __init__(self, settings: Settings, spool: AsyncSpool, clock: Clock) -> None:
        self._settings, self._spool, self._clock = settings, spool, clock

    @property
    def doing(self) -> Doing:
        """As the loop takes it."""
        return Doing(self._do, interrupted, limit_s=300)

    async def _do(self, given: Given) -> Outcome:
        data = await asyncio.to_thread(self._file)
        parts = [data[start : start + PART_BYTES] for start in range(0, len(data), PART_BYTES)]
        try:
            for part, piece in enumerate(parts):
                body = Bundle(given.id, part, len(parts), base64.b64encode(piece).decode())
                await self._spool.append("bundle", body, self._clock.stamp())
        except SpoolFull:
            return failed("disk")
        return Outcome("done", f"parts: {len(parts)}")

    def _file(self) -> bytes:
        """The file; with fewer logs when it would be too large to send."""
        logs = list(self._logs())
        while True:
            data = _packed([*self._facts(), *logs])
            if len(data) <= BUNDLE_BYTES or not logs:
                return data[:BUNDLE_BYTES]
            logs.pop()

    def _facts(self) -> Iterator[tuple[str, bytes]]:
        found: dict[str, Any] = {
            "settings": redaction.settings(msgspec.to_builtins(self._settings)),
            "machine": self._machine(),
            "spool": self._figures(),
            "network": _network(),
            "processes": self._processes(),
        }
        for name, value in found.items():
            yield f"{name}.json", msgspec.json.format(msgspec.json.encode(value), indent=2)

    def _machine(self) -> dict[str, Any]:
        stamp = self._clock.stamp()
        disk = shutil.disk_usage(self._settings.state_dir)
        return {
            "device": self._settings.device,
            "system": platform.platform(),
            "python": platform.python_version(),
            "at_ms": stamp.at_ms,
            "clock": stamp.clock,
            "up_ms": stamp.mono_ms,
            "disk_total_bytes": disk.total,
            "disk_free_bytes": disk.free,
        }

    def _figures(self) -> Any:
        try:
            _, lanes = spool_file.read_figures(Path(self._settings.state_dir) / "spool.db")
        except sqlite3.Error as error:
            return str(error)
        return [{"lane": one.name, "waiting": one.waiting, "kept": one.kept, "acked": one.acked} for one in lanes]

    def _processes(self) -> Any:
        if not self._settings.supervisor_socket:
            return []
        try:
            every = supervisor.processes(self._settings.supervisor_socket)
        except supervisor.NoAnswer as error:
            return redaction.text(str(error))
        shown = ("group", "name", "statename", "start", "stop", "exitstatus", "spawnerr")
        return [{key: one.get(key) for key in shown} for one in every]

    def _logs(self) -> Iterator[tuple[str, bytes]]:
        """The ends of the newest logs in the folders that the settings name."""
        found: list[tuple[float, Path]] = []
        for folder in self._settings.orders.log_dirs:
            with contextlib.suppress(OSError):
                found += [
                    (path.stat().st_mtime, path)
                    for path in Path(folder).iterdir()
                    if path.is_file() and not path.is_symlink() and path.suffix in _SUFFIXES
                ]
        for number, (_, path) in enumerate(sorted(found, reverse=True)[:_LOGS]):
            with contextlib.suppress(OSError):
                yield f"logs/{number:02}-{path.name}", redaction.text(_end_of(path)).encode()


def _end_of(path: Path) -> str:
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - _LOG_BYTES))
        text = file.read(_LOG_BYTES).decode(errors="replace")
    # A first line that is cut could hide what a secret's name would have told.
    return text.partition("\n")[2] if size > _LOG_BYTES else text


def _network() -> dict[str, Any]:
    """Addresses, links and routes."""
    import psutil

    states = psutil.net_if_stats()
    addresses = psutil.net_if_addrs()
    routes = ""
    with contextlib.suppress(OSError):
        routes = Path("/proc/net/route").read_text(encoding="ascii")
    return {
        "interfaces": {
            name: {
                "up": state.isup,
                "mtu": state.mtu,
                "addresses": [
                    one.address for one in addresses.get(name, []) if ":" in one.address or "." in one.address
                ],
            }
            for name, state in states.items()
        },
        "routes": routes.splitlines(),
    }


def _packed(files: list[tuple[str, bytes]]) -> bytes:
    import tarfile

    held = io.BytesIO()
    with tarfile.open(fileobj=held, mode="w:gz") as tar:
        for name, data in files:
            entry = tarfile.TarInfo(f"diagnostics/{name}")
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return held.getvalue()
