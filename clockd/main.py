"""The clock's process."""

from typing import Any

from actors.live.driver import Live, keep_to
from actors.live.run_time import RunTime
from actors.live.senders import Senders
from actors.run.run_file import CLOCK, Run
from clockd.clock import Clock


def run_clock(run: Run, epoch: int, *, log: Any = None) -> int:
    """The clock of a run, here, under the `epoch` that its lock gave; its exit code."""
    keep_to(run.clock.cpu)
    settings = Clock.Settings(
        tick_ms=run.clock.tick_ms, order=run.order, mode=run.clock.mode, start_ns=RunTime(run.dir).started_ns
    )
    senders = Senders(run, CLOCK)
    return Live(CLOCK, Clock, settings, run.dir, bus=run.bus, log=log, epoch=epoch, may_command=senders).run()
