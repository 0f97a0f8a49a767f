"""Pages of payroll files."""

from fastapi import APIRouter

router = APIRouter()
