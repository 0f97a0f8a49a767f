"""Pages of requests: overtime orders, leave, corrections, swaps, substitute days."""

from fastapi import APIRouter

router = APIRouter()
