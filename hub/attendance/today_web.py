"""The page of the day: who is in."""

from fastapi import APIRouter

router = APIRouter()
