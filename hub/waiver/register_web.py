"""Pages of residents, lines, tariffs, rules, applications and decisions."""

from fastapi import APIRouter

router = APIRouter()
