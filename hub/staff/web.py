"""Pages of staff and their cards."""

from fastapi import APIRouter

router = APIRouter()
