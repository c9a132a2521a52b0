"""The clock broadcaster: schedule, sequential fanout, marks."""

from clockd.clock import Clock

__all__ = ["Clock"]
