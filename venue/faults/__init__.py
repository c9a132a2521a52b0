"""Faults of the exchange by name: what each is, when it strikes, and what it does. docs/venue.md lists them."""
