"""Pages of alerts."""

from fastapi import APIRouter

router = APIRouter()
