"""Pages of the disaster switch."""

from fastapi import APIRouter

router = APIRouter()
