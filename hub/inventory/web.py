"""Pages of inventory and loans."""

from fastapi import APIRouter

router = APIRouter()
