"""Errors that a user may see. The text of each one contains what to do about it."""


class TickbusError(Exception):
    """The base: the command line prints its text as one line and exits with its exit code."""

    exit_code = 1


class BadMessage(TickbusError):
    """Bytes that cannot be decoded as a frame or message of the bus."""


class DuplicateMessage(TickbusError):
    """Two message classes have one name."""


class BadTopic(TickbusError):
    """A topic must be printable tokens, each followed by a dot."""


class BadRunFile(TickbusError):
    """A run file that cannot be used; the text has the path inside it and the known names."""

    exit_code = 2


class BadHandler(TickbusError):
    """An actor class has an `on_...` method that no message would reach, or overrides a method it must not."""

    exit_code = 2


class BadKeyFile(TickbusError):
    """A key file that is missing, readable by other users, damaged, or encrypted with another passphrase."""

    exit_code = 2


class JournalDamaged(TickbusError):
    """A record in the middle of a journal has a wrong checksum. It is not a torn tail, so nothing is guessed."""

    exit_code = 70


class AlreadyRunning(TickbusError):
    """Another process holds this actor's name."""

    exit_code = 75


class Unreachable(TickbusError):
    """No process answers at the address."""

    exit_code = 69


class CommandRefused(TickbusError):
    """An actor refused an operator's command; the text is its reason."""

    exit_code = 1
