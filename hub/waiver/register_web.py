"""Pages of residents, lines, tariffs, rules, applications and decisions."""

from fastapi import APIRouter

from hub.waiver import application_web, line_web, register_transfer, resident_web, rules_web

router = APIRouter()
for one in (resident_web, line_web, application_web, rules_web, register_transfer):
    router.include_router(one.router)
