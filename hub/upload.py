"""A form with one file (multipart/form-data, RFC 7578), read with bounds; its fields are checked like any form's."""

import asyncio
from collections.abc import AsyncGenerator

from fastapi import HTTPException, Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from hub.guard import Guard

# A file and what stands around it.
FILE_BYTES = 5_000_000
_BODY_BYTES = FILE_BYTES + 100_000
# Read and thrown away, so that the browser hears why: an answer before the end of a body is a broken connection to it.
_THROWN_BYTES = 10 * FILE_BYTES
_FIELDS = 20
_FIELD_BYTES = 65_536


class Upload(dict[str, str]):
    """The fields of a form, and its file; `too_large` when there was more than can be taken."""

    filename: str = ""
    content: bytes = b""
    too_large: bool = False


async def read_upload(request: Request) -> Upload:
    """The form of a request. Refuses what is no such form with 4xx; a stranger's body is not even read."""
    found = Upload()
    guard: Guard = request.app.state.guard
    if await asyncio.to_thread(guard.peek, request) is None:
        return found
    if request.headers.get("content-length") == "0":
        return found
    if request.headers.get("content-type", "").partition(";")[0].strip() != "multipart/form-data":
        raise HTTPException(415)
    parser = MultiPartParser(
        request.headers, _bounded(request), max_files=1, max_fields=_FIELDS, max_part_size=_FIELD_BYTES
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


async def _bounded(request: Request) -> AsyncGenerator[bytes, None]:
    taken = 0
    async for chunk in request.stream():
        taken += len(chunk)
        if taken > _THROWN_BYTES:
            raise HTTPException(413)
        if taken <= _BODY_BYTES:
            yield chunk
    if taken > _BODY_BYTES:
        raise _TooLarge
