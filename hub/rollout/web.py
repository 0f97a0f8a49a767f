"""Pages of roll-outs."""

from fastapi import APIRouter

router = APIRouter()
