"""Live parts of pages: server-sent events that carry a fragment anew after each change."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable

from fastapi import Request
from fastapi.responses import StreamingResponse

from hub.db import Connection
from hub.live import Change, TooManyListeners

_STILL_HERE_S = 15


def stream(
    request: Request,
    event: str,
    concerns: Callable[[Change], bool],
    render: Callable[[Connection], str],
    pause_s: float,
) -> StreamingResponse:
    """Sends what `render(conn)` gives as an event, at first and after each change that `concerns` it.

    Ends within 15 s of the session's end, however much is going on; when too many pages are open, asks to come
    again later.
    """
    state = request.app.state

    async def events() -> AsyncIterator[str]:
        try:
            with state.live.listen(pause_s) as changes:
                yield _event(event, await state.db.aread(render))
                asked_s = time.monotonic()
                while not state.stopping.is_set():
                    change = await changes.next(_STILL_HERE_S)
                    if time.monotonic() - asked_s >= _STILL_HERE_S:
                        asked_s = time.monotonic()
                        if await asyncio.to_thread(state.guard.who, request) is None:
                            return
                    if change is None or concerns(change):
                        yield _event(event, await state.db.aread(render))
        except TooManyListeners:
            # The browser asks again by itself, after this pause.
            yield "retry: 30000\n\n"

    return StreamingResponse(events(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _event(name: str, html: str) -> str:
    lines_ = "\n".join(f"data: {line}" for line in html.splitlines())
    return f"event: {name}\n{lines_}\n\n"
