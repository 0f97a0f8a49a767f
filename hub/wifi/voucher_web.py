"""Pages of vouchers: made, printed, withdrawn."""

from fastapi import APIRouter

router = APIRouter()
