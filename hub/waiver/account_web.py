"""Pages of the ledger, receipts, statements and reminders."""

from fastapi import APIRouter

from hub.waiver import ledger_web, receipt_file_web, receipt_web, reminder_web, statement_web

router = APIRouter()
# Files of receipts before the page of one receipt.
for part in (ledger_web, receipt_file_web, receipt_web, statement_web, reminder_web):
    router.include_router(part.router)
