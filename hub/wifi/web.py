"""Pages of the Wi-Fi: the access points now, and one of them."""

from fastapi import APIRouter

router = APIRouter()
