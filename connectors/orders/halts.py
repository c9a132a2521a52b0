"""Halts: the reasons why no new order is placed, set by whatever part finds one. Cancels and tracking go on."""

from collections.abc import Callable

from actors.effects import Log


class Halts:
    """`halted`, `paused` and `symbols` last until an operator resumes; `journal_trouble` until a rewrite.

    `changed()` is called after each change.
    """

    def __init__(self, log: Log, changed: Callable[[], None]) -> None:
        self.halted = ""
        self.paused = ""
        self.safe = ""  # a crash loop: only reconciliation and cancels, for a time
        self.symbols: dict[str, str] = {}  # reasons by market
        self.journal_trouble = ""
        self.notice = ""  # halts nothing; shown to operators until the end of the process
        self.stopping = False  # the process is about to end
        self._log = log
        self._changed = changed

    def halt(self, reason: str) -> None:
        """Halt every market."""
        if not self.halted:
            self._log.error("trading is halted", reason=reason)
        self.halted = reason
        self._changed()

    def halt_symbol(self, symbol: str, reason: str) -> None:
        """Halt one market."""
        self.symbols[symbol] = reason
        self._changed()

    def pause(self, reason: str) -> None:
        """An operator pauses every market."""
        self.paused = reason
        self._changed()

    def start_safe(self, reason: str) -> None:
        """After a crash loop: no new orders until `end_safe` or an operator's resume."""
        self._log.error("safe start", reason=reason)
        self.safe = reason
        self._changed()

    def end_safe(self) -> None:
        """The time without new orders is over."""
        self.safe = ""
        self._changed()

    def resume(self) -> None:
        """An operator has checked: new orders are allowed again, unless the journal cannot be written."""
        self.halted = self.paused = self.safe = ""
        self.symbols.clear()
        self._changed()

    def journal_failed(self, reason: str) -> None:
        """The journal misses a record: no order may leave until the whole journal is written anew."""
        if not self.journal_trouble:
            self._log.error("journal write failed", error=reason)
            self.journal_trouble = f"no order is placed until the journal can be written: {reason}"
            self._changed()

    def journal_written(self) -> None:
        """The journal holds everything again."""
        if self.journal_trouble:
            self._log.info("journal written again")
            self.journal_trouble = ""
            self._changed()
