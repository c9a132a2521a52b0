"""Halts: each reason stays until an operator resumes; a journal that cannot be written needs a restart."""

import pytest
import structlog

from connectors.orders.halts import Halts


class Changes(list):
    """Counts the calls of `changed`."""

    def note(self) -> None:
        self.append(1)


@pytest.fixture
def changes():
    return Changes()


@pytest.fixture
def halts(changes):
    return Halts(structlog.get_logger(), changes.note)


def test_each_change_is_reported(halts, changes):
    halts.halt("wrong account")
    halts.halt_symbol("BTC-USDT", "overfill")
    halts.pause("lunch")
    halts.journal_failed("no space left on device")
    assert len(changes) == 4
    assert (halts.halted, halts.symbols, halts.paused) == ("wrong account", {"BTC-USDT": "overfill"}, "lunch")


def test_resume_clears_all_but_the_journal(halts):
    halts.halt("wrong account")
    halts.halt_symbol("BTC-USDT", "overfill")
    halts.pause("lunch")
    halts.journal_failed("no space left on device")
    halts.resume()
    assert (halts.halted, halts.symbols, halts.paused) == ("", {}, "")
    assert halts.journal_trouble == "no order is placed until the journal can be written: no space left on device"


def test_the_first_trouble_of_the_journal_is_reported_once(halts, changes):
    for _ in range(100):
        halts.journal_failed("no space left on device")
    halts.journal_failed("another one")
    assert len(changes) == 1
    assert halts.journal_trouble.endswith(": no space left on device")
    for _ in range(2):
        halts.journal_written()
    assert (halts.journal_trouble, len(changes)) == ("", 2)
