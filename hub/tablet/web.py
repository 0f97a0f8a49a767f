"""Pages of lent tablets: how each is, who asks for help."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from hub import pages
from hub.guard import Who, need

router = APIRouter()

Seer = Annotated[Who, Depends(need("tablets"))]


@router.get("/tablets")
def overview(request: Request, who: Seer) -> Response:
    """Every lent tablet, those whose resident asks for help first."""
    return pages.page(request, "tablets.html", who)
