"""Pages of enrolment and certificates."""

from fastapi import APIRouter

router = APIRouter()
