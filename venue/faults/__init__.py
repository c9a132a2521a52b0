"""Fault injection: the scheduler, and what the faults do to requests, streams and the exchange (docs/venue.md)."""
