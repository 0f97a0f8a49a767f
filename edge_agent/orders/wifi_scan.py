"""Wi-Fi scan: by NetworkManager where it is, else by `iw`; a device without Wi-Fi says so."""

import asyncio
import shutil
from pathlib import Path

from edge_agent.orders import networks
from edge_agent.orders.outcome import Doing, Given, Outcome, failed, interrupted

_LIMIT_S = 45


class WifiScan:
    """Scans. `net` is the kernel's list of interfaces."""

    def __init__(self, net: Path = Path("/sys/class/net")) -> None:
        self._net = net

    @property
    def doing(self) -> Doing:
        """As the loop takes it."""
        return Doing(self._do, interrupted, limit_s=2 * _LIMIT_S)

    async def _do(self, given: Given) -> Outcome:
        interface = await asyncio.to_thread(self._interface)
        if interface is None:
            return failed("no_wifi")
        if shutil.which("nmcli"):
            code, text = await _run(
                "nmcli", "-t", "-f", "SSID,CHAN,SIGNAL", "device", "wifi", "list", "--rescan", "yes"
            )
            if code == 0:
                return Outcome("done", f"networks: {networks.written(networks.from_nmcli(text))}")
        if not shutil.which("iw"):
            return failed("no_wifi", "iw")
        code, text = await _run("iw", "dev", interface, "scan")
        if code:
            return failed("no_wifi", f"iw: {code}")
        return Outcome("done", f"networks: {networks.written(networks.from_iw(text))}")

    def _interface(self) -> str | None:
        """The first wireless interface, by name."""
        try:
            return min((one.name for one in self._net.iterdir() if (one / "wireless").exists()), default=None)
        except OSError:
            return None


async def _run(*command: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_LIMIT_S):
            out, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return -1, ""
    return process.returncode or 0, out[:1_000_000].decode(errors="replace")
