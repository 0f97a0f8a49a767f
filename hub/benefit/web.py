"""Pages of benefits on a card."""

from fastapi import APIRouter

router = APIRouter()
