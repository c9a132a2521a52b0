"""Errors that end the venue's process, with their exit codes."""

from protocol.errors import TickbusError


class BadVenue(TickbusError):
    """Venue settings, an accounts file or an address that cannot be used."""

    exit_code = 2


class LedgerDamaged(TickbusError):
    """A record in the middle of the venue's log does not check: not a torn tail, so nothing is guessed."""

    exit_code = 70


class LedgerInUse(TickbusError):
    """Another venue writes this log."""

    exit_code = 75
