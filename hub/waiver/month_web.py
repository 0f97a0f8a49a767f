"""Pages of the waivers' month: bill, assess, waive, close; vouchers for the finance system."""

from fastapi import APIRouter

router = APIRouter()
