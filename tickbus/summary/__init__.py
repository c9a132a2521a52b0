"""The result of a run: totals of its journals, compared with the exchange's ledger."""
