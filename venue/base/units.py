"""Lengths of time in nanoseconds."""

MICROSECOND_NS = 1_000
MILLISECOND_NS = 1_000_000
SECOND_NS = 1_000_000_000
TENTH_NS = SECOND_NS // 10
MINUTE_NS = 60 * SECOND_NS
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS
NEVER_NS = 2**63 - 1
"""A due time that never comes."""
