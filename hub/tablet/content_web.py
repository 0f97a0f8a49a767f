"""Pages of content for tablets, and the door where tablets fetch its files."""

from fastapi import APIRouter

router = APIRouter()
