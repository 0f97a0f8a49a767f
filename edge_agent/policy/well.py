"""Whether the agent is well after a change: its disk takes records, and the page in front of people answers.

That its tasks are alive needs no question: one that fails ends the whole agent, which then tries again at its start.
"""

import asyncio
import contextlib

from edge_agent.settings import Settings
from edge_agent.spool_thread import AsyncSpool

_ANSWER_S = 10


async def trouble(spool: AsyncSpool, settings: Settings) -> str:
    """Why it is not well, in one line; empty when it is."""
    if not await spool.can_write():
        return "the spool cannot be written"
    has_page = settings.kind == "terminal" and settings.attendance.reader and settings.kiosk.port
    if has_page and not await _answers(settings.kiosk.host, settings.kiosk.port):
        return "the page does not answer"
    return ""


async def _answers(host: str, port: int) -> bool:
    name = f"[{host}]" if ":" in host else host
    request = f"GET /healthz HTTP/1.1\r\nHost: {name}:{port}\r\nConnection: close\r\n\r\n"
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_ANSWER_S):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(request.encode())
                return (await reader.readline()).split(b" ")[1:2] == [b"200"]
            finally:
                writer.close()
    return False
