"""Pages of commands."""

from fastapi import APIRouter

router = APIRouter()
