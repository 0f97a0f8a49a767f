"""Pages of the reports of waivers, as page, xlsx and PDF."""

from fastapi import APIRouter

router = APIRouter()
