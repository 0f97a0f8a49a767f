"""Pages of the ledger, receipts, statements and reminders."""

from fastapi import APIRouter

router = APIRouter()
