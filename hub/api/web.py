"""Pages of the HTTP API."""

from fastapi import APIRouter

router = APIRouter()
