"""Pages of the Wi-Fi: what it is used for, by place and hour."""

from fastapi import APIRouter

router = APIRouter()
