"""Pages of enrolment and certificates."""

from fastapi import APIRouter

from hub.identity import door

router = APIRouter()
router.include_router(door.router)
