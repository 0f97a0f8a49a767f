"""Other makers' access points: their page, and the call that takes RADIUS accounting."""

from fastapi import APIRouter

router = APIRouter()
