"""A person's own page: their hours, their requests."""

from fastapi import APIRouter

router = APIRouter()
