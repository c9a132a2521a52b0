"""What both sides of a connector share: the contract with an exchange, records, reports, limits."""
