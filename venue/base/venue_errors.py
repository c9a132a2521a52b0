"""Errors that end the venue's process, with their exit codes."""

from protocol.errors import TickbusError


class BadVenue(TickbusError):
    """Settings, an accounts file, a recording or an address that the venue cannot use."""

    exit_code = 2


class LedgerDamaged(TickbusError):
    """A record in the middle of the venue's ledger fails its check, so the ledger cannot be repaired."""

    exit_code = 70


class LedgerInUse(TickbusError):
    """Another venue process writes this ledger."""

    exit_code = 75
