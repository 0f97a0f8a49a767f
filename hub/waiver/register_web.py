"""Pages of residents, lines, tariffs, rules, applications and decisions."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from hub import pages
from hub.guard import Who, need
from hub.waiver import application_web, line_web, resident_web

router = APIRouter()
for one in (resident_web, line_web, application_web):
    router.include_router(one.router)

Seer = Annotated[Who, Depends(need("waivers"))]


@router.get("/waiver/rules")
def rules(request: Request, who: Seer) -> Response:
    """Tariffs and rules."""
    return pages.page(request, "register_rules.html", who)
