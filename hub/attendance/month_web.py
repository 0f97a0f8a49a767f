"""Pages of a person's month and of a department's."""

from fastapi import APIRouter

router = APIRouter()
