"""Pages of residents, lines, tariffs, rules, applications and decisions."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from hub import pages
from hub.guard import Who, need

router = APIRouter()

Seer = Annotated[Who, Depends(need("waivers"))]


@router.get("/waiver/residents")
def residents(request: Request, who: Seer) -> Response:
    """Residents."""
    return pages.page(request, "register_residents.html", who)


@router.get("/waiver/lines")
def lines(request: Request, who: Seer) -> Response:
    """Lines."""
    return pages.page(request, "register_lines.html", who)


@router.get("/waiver/applications")
def applications(request: Request, who: Seer) -> Response:
    """Applications."""
    return pages.page(request, "register_applications.html", who)


@router.get("/waiver/rules")
def rules(request: Request, who: Seer) -> Response:
    """Tariffs and rules."""
    return pages.page(request, "register_rules.html", who)
