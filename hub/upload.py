"""A form with one file (multipart/form-data, RFC 7578), read with bounds; its fields are checked like any form's."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

from fastapi import HTTPException, Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from hub.guard import Guard

# A file as most forms take it.
FILE_BYTES = 5_000_000
# What may stand around it.
_AROUND_BYTES = 100_000
# So many times as much is read and thrown away, so that the browser hears why: an answer before the end of a body is a
# broken connection to it.
_THROWN_TIMES = 10
_FIELDS = 20
_FIELD_BYTES = 65_536


class Upload(dict[str, str]):
    """The fields of a form, and its file; `too_large` when there was more than can be taken."""

    filename: str = ""
    content: bytes = b""
    too_large: bool = False


def upload_of(file_bytes: int) -> Callable[[Request], Awaitable[Upload]]:
    """What reads a form whose file has at most so many bytes: one function a route, for its need and its form."""

    async def read(request: Request) -> Upload:
        return await _read(request, file_bytes)

    return read


async def read_upload(request: Request) -> Upload:
    """The form of a request. Refuses what is no such form with 4xx; a stranger's body is not even read."""
    return await _read(request, FILE_BYTES)


async def _read(request: Request, file_bytes: int) -> Upload:
    found = Upload()
    guard: Guard = request.app.state.guard
    if await asyncio.to_thread(guard.peek, request) is None:
        return found
    if request.headers.get("content-length") == "0":
        return found
    if request.headers.get("content-type", "").partition(";")[0].strip() != "multipart/form-data":
        raise HTTPException(415)
    parser = MultiPartParser(
        request.headers, _bounded(request, file_bytes), max_files=1, max_fields=_FIELDS, max_part_size=_FIELD_BYTES
    )
    try:
        form = await parser.parse()
    except _TooLarge:
        found.too_large = True
        # Fields that stood before the file are there, the session's token first of all.
        form = FormData([(name, value) for name, value in parser.items if isinstance(value, str)])
    except (MultiPartException, KeyError, UnicodeDecodeError) as error:
        raise HTTPException(400) from error
    try:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                found.filename = (value.filename or "")[:200]
                found.content = await value.read()
            else:
                found[name] = value
    finally:
        await form.close()
    return found


class _TooLarge(Exception):
    """Raised into the parser, which then closes the files that it had begun."""


async def _bounded(request: Request, file_bytes: int) -> AsyncGenerator[bytes, None]:
    taken, most = 0, file_bytes + _AROUND_BYTES
    async for chunk in request.stream():
        taken += len(chunk)
        if taken > _THROWN_TIMES * file_bytes:
            raise HTTPException(413)
        if taken <= most:
            yield chunk
    if taken > most:
        raise _TooLarge
