"""Pages of the carrier's bills."""

from fastapi import APIRouter

router = APIRouter()
