"""Requests: their parameters and forms."""
