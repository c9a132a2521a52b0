"""The exchange's engine: placing and canceling orders, settlement, order lists, recovery."""
