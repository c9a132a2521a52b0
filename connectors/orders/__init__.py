"""The order side of a connector: risk check, execution, tracking, journal, reconciliation."""
