"""Pages of lent tablets: how each is, who asks for help."""

from fastapi import APIRouter

router = APIRouter()
