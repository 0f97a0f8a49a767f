"""Pages of content for tablets, and the door where tablets fetch its files."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from hub import pages
from hub.guard import Who, need

router = APIRouter()

Writer = Annotated[Who, Depends(need("content"))]


@router.get("/content")
def overview(request: Request, who: Writer) -> Response:
    """What tablets show, what is being written, and what was withdrawn."""
    return pages.page(request, "content.html", who)
