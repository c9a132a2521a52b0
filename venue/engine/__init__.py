"""The exchange's engine: placement, settlement, order lists, recovery."""
