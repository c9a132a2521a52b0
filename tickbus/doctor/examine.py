"""All checks of `tickbus doctor`."""

from tickbus.doctor import installation
from tickbus.doctor.check import Check
from tickbus.doctor.folders import folders
from tickbus.doctor.implementations import implementations
from tickbus.doctor.machine import Facts, machine


def examine(facts: Facts) -> list[Check]:
    """Returns the result of every check. `facts`: what was read from the machine."""
    return [
        installation.python(),
        installation.packages(),
        *implementations(),
        installation.libzmq(),
        installation.supervisord(),
        *machine(facts),
        *folders(),
    ]
