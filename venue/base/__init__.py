"""Shared by every part of the local exchange: errors, numbers, units, settings."""
