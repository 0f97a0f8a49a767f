"""No device's address is on disk, in a log or on the wire, in whatever spelling: only in memory and in the kernel."""

import base64
import logging
from pathlib import Path

import pytest

from edge_agent.wifi.guests import Agreed, Refused
from tests.clock.hand_time import HandTime
from tests.wifi.sessions.parts import CLICK, CODE, MINUTE_MS, Kernel, files, running

# Digits that do not come by chance in a hash or a time.
ADDRESS = "02:de:ad:be:ef:42"
PARTS = ADDRESS.split(":")
RAW = bytes.fromhex("".join(PARTS))


def spellings() -> set[bytes]:
    """Every usual way to write it, and its IPv6 interface identifier (RFC 4291, appendix A)."""
    eui = f"{int(PARTS[0], 16) ^ 2:02x}{PARTS[1]}:{PARTS[2]}ff:fe{PARTS[3]}:{PARTS[4]}{PARTS[5]}"
    joined = "".join(PARTS)
    texts = {
        ADDRESS,
        "-".join(PARTS),
        joined,
        f"{joined[:4]}.{joined[4:8]}.{joined[8:]}",
        f"{joined[:6]}-{joined[6:]}",
        " ".join(PARTS),
        eui,
        eui.replace(":", ""),
        str(int(joined, 16)),
        base64.b64encode(RAW).decode(),
        base64.urlsafe_b64encode(RAW).decode(),
        # The half that tells one device from another of its maker.
        ":".join(PARTS[3:]),
        "-".join(PARTS[3:]),
    }
    written = {text.encode() for text in texts} | {text.upper().encode() for text in texts}
    return written | {RAW, RAW[::-1]}


async def test_an_address_is_nowhere_but_in_memory(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    time = HandTime()
    kernel = Kernel(time)
    async with running(tmp_path, time, kernel) as one:
        await one.guests.agree(ADDRESS, CLICK)
        await one.guests.extend(ADDRESS)
        await one.pass_time(MINUTE_MS, use=lambda: kernel.use(ADDRESS, 1, 1))
        await one.pass_time(20 * MINUTE_MS)
        await one.guests.arrive(ADDRESS)
        await one.guests.leave(ADDRESS)
        await one.guests.agree(ADDRESS, Agreed("2026-04", "ja", "voucher", CODE))
        kernel.broken = "nft: not well"
        with pytest.raises(Refused):
            await one.guests.agree("02:00:5e:10:00:09", CLICK)
        await one.guests.round()
        kernel.broken = ""
        await one.guests.round()
    kernel.boot()
    time.boot = "boot-2"
    async with running(tmp_path, time, kernel) as one:
        await one.guests.arrive(ADDRESS)
        spool = await one.spool.spool_id()
        assert spool
        for lane in ("urgent", "bulk"):
            batch = await one.spool.batch(lane, 0)
            assert batch is not None
        # While it runs, the write-ahead logs are there too.
        written = {path.name: path.read_bytes() for path in files(tmp_path)}
    assert {"spool.db", "wifi.db"} <= set(written)
    written |= {f"{path.name} after": path.read_bytes() for path in files(tmp_path)}
    written["log"] = caplog.text.encode()
    found = [(name, spelling) for name, data in written.items() for spelling in spellings() if spelling in data]
    assert found == []
    # The search itself finds what is there.
    assert any(spelling in f"{kernel.calls} {ADDRESS}".encode() for spelling in spellings())
