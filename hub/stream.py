"""Live parts of pages: server-sent events that carry a fragment anew after each change."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Callable

from fastapi import Request
from fastapi.responses import StreamingResponse

from hub.db import Connection
from hub.live import Change, TooManyListeners

# How soon a page notices that its session has ended, and how old what it says of time may grow.
_ASK_S = 5
_ANEW_S = 15


def stream(
    request: Request,
    event: str,
    concerns: Callable[[Change], bool],
    render: Callable[[Connection], str],
    pause_s: float,
) -> StreamingResponse:
    """Sends what `render(conn)` gives as an event, at first, after each change that `concerns` it, and every 15 s.

    Ends within 5 s of the session's end, however much is going on, and does not keep the session from growing old.
    When too many pages are open, asks to come again later.
    """
    state = request.app.state

    async def events() -> AsyncIterator[str]:
        try:
            with state.live.listen(pause_s) as changes:
                yield _event(event, await state.db.aread(render))
                asked_s = sent_s = time.monotonic()
                while not state.stopping.is_set():
                    change = await changes.next(max(0.0, asked_s + _ASK_S - time.monotonic()))
                    now_s = time.monotonic()
                    if now_s - asked_s >= _ASK_S:
                        asked_s = now_s
                        if await asyncio.to_thread(state.guard.peek, request) is None:
                            return
                    if (change is not None and concerns(change)) or now_s - sent_s >= _ANEW_S:
                        sent_s = now_s
                        yield _event(event, await state.db.aread(render))
        except TooManyListeners:
            # The browser asks again by itself, after this pause.
            yield "retry: 30000\n\n"

    return StreamingResponse(events(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _event(name: str, html: str) -> str:
    # Also an empty fragment has one line of data: an event without is not dispatched.
    lines = "\n".join(f"data: {line}" for line in re.split(r"\r\n|\r|\n", html.strip()))
    return f"event: {name}\n{lines}\n\n"
