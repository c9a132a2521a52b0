"""supervisord's own logs: a line that cannot be written is lost, and supervisord goes on."""

import sys
from contextlib import suppress
from typing import Any

from actors.log.lossy_stream import LossyStream


def make_logs_lossy() -> None:
    """Has supervisord, in this process, survive a full disk: its log handlers otherwise raise out of its main loop."""
    from supervisor import loggers

    sys.stdout, sys.stderr = LossyStream(1), LossyStream(2)
    loggers.Handler.handleError = _ignore
    loggers.RotatingFileHandler.emit = _emit


def _ignore(_handler: Any) -> None:
    """Replaces Handler.handleError, which prints a traceback for each line that cannot be written."""


def _emit(handler: Any, record: Any) -> None:
    """Replaces RotatingFileHandler.emit. A rotation that fails leaves a closed file, which is opened again."""
    from supervisor import loggers

    with suppress(OSError, ValueError):
        if handler.stream.closed:
            handler.stream = open(handler.baseFilename, "ab")  # noqa: SIM115  # the handler closes it
        loggers.FileHandler.emit(handler, record)
        handler.doRollover()
