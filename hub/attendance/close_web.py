"""The page of the close."""

from fastapi import APIRouter

router = APIRouter()
