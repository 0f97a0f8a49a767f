"""Pages of ordered and actual settings."""

from fastapi import APIRouter

router = APIRouter()
