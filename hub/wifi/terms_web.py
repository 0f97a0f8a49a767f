"""Pages of the terms of the Wi-Fi."""

from fastapi import APIRouter

router = APIRouter()
