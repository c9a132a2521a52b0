"""Accounts: balances, commissions, rate limits, API keys."""
