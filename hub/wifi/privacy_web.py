"""Pages of retention: what is deleted when, and the proof of it."""

from fastapi import APIRouter

router = APIRouter()
