"""Pages of the town's values and holidays."""

from fastapi import APIRouter

router = APIRouter()
