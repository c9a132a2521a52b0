"""Every error that a user may meet, with what to do about it in its text."""


class TickbusError(Exception):
    """The base: the command line prints its text as one line and leaves with its exit code."""

    exit_code = 1


class BadMessage(TickbusError):
    """Bytes that are no message of ours."""


class DuplicateMessage(TickbusError):
    """Two message classes of one name."""


class BadTopic(TickbusError):
    """A topic that is not dot-ended printable tokens."""


class BadRunFile(TickbusError):
    """A run file that cannot be used; the text names the path inside it and the known names."""

    exit_code = 2


class BadHandler(TickbusError):
    """An actor class with an `on_...` method that no message would ever reach."""

    exit_code = 2


class BadKeyFile(TickbusError):
    """A key file that is missing, open to others, damaged, or closed to this passphrase."""

    exit_code = 2


class JournalDamaged(TickbusError):
    """A record in the middle of a journal does not check: not a torn tail, so nothing is guessed."""

    exit_code = 70


class AlreadyRunning(TickbusError):
    """Another process holds this actor's name."""

    exit_code = 75


class Unreachable(TickbusError):
    """Nobody answers at the address."""

    exit_code = 69
