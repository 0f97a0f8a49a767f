"""The door where tablets fetch the files of their shelf: `GET /tablet/files/{digest}`, with the ticket in a header.

1. Open without a session, closed without a good ticket: a tablet gets files of its own shelf, nobody anything else.
2. A part can be asked for (Range), so that what was begun over a thin line is brought to its end later.
3. Whatever is wrong (no ticket, another's file, a file that is not there) is answered alike: 404.
"""

from pathlib import Path as FilePath
from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Path, Request, Response
from fastapi.responses import FileResponse

from hub import pages
from hub.guard import public
from hub.tablet import files, shelf_store, shelf_task, ticket

router = APIRouter()

Digest = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]


@router.get("/tablet/files/{digest}", dependencies=[Depends(public)])
def fetch(request: Request, digest: Digest) -> Response:
    """A file of the shelf of the tablet whose ticket came with the request."""
    state_dir = FilePath(request.app.state.settings.state_dir)
    header, key = request.headers.get(ticket.HEADER, ""), shelf_task.key(state_dir)
    found = request.app.state.db.read(lambda conn: shelf_store.file_for(conn, key, header, digest, pages.now_ms()))
    path = files.path(files.folder_of(state_dir), digest) if found else None
    if found is None or path is None:
        raise HTTPException(404)
    # Bytes under a digest never change: a part that was fetched before fits to the rest.
    return FileResponse(path, media_type=found.media_type, headers={"etag": f'"{digest}"'})
