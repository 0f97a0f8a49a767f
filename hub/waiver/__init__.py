"""Lines the town pays for: tariffs, waivers, the carrier's bill, the ledger, the month and the year."""
