"""Logs as JSON lines, with secrets removed."""
