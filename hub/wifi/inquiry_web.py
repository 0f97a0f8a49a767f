"""Pages of lawful inquiries: entered by one person, decided by another."""

from fastapi import APIRouter

router = APIRouter()
