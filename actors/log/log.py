"""Logs: one JSON object a line (time, actor, level, event); secrets blanked by type, by name and by value."""

import re
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from actors.log.secret import REGISTERED, Secret

_rich = sys.modules.pop("rich", None)
sys.modules["rich"] = None  # type: ignore[assignment]  # structlog imports rich if it is there: half its import time
import structlog  # noqa: E402
from structlog.typing import EventDict  # noqa: E402

del sys.modules["rich"]
if _rich is not None:
    sys.modules["rich"] = _rich

BLANK = "***"
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}

_NAMES = r"signature|secret|secret_?key|api_?key|x-mbx-apikey|passphrase|password|private_?key|authorization"
_BY_NAME = re.compile(_NAMES, re.IGNORECASE)
_IN_TEXT = re.compile(rf"""((?:{_NAMES})["']?\s*[=:]\s*["']?)[^\s"'&,;}}]+""", re.IGNORECASE)
_PEM = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL)

_encode = msgspec.json.Encoder(enc_hook=str, decimal_format="string").encode


def redact(value: Any) -> Any:
    """`value` with every secret in it blanked, also inside tables, lists and texts such as signed URLs."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, bytes):
        return redact_text(value.decode("utf-8", "backslashreplace"))
    if isinstance(value, dict):
        return {key: BLANK if _BY_NAME.fullmatch(str(key)) else redact(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [redact(one) for one in value]
    if isinstance(value, Secret):
        return BLANK
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return redact_text(str(value))


def redact_text(text: str) -> str:
    """A text with registered secret values, `name=value` of secret names, and private keys blanked."""
    for secret in REGISTERED:
        if secret in text:
            text = text.replace(secret, BLANK)
    if "PRIVATE KEY" in text:
        text = _PEM.sub(BLANK, text)
    return _IN_TEXT.sub(rf"\1{BLANK}", text)


def make_log(
    actor: str,
    write: Callable[[str], Any] | None = None,
    *,
    pretty: bool = False,
    level: str = "info",
    now_ns: Callable[[], int] = time.time_ns,
) -> Any:
    """A structlog logger: `log.info("order filled", price=...)`. `write` takes each line (default: stderr).

    `now_ns` gives the time of a line; the sim driver gives its own.
    """

    def add_time(_: Any, __: str, event: EventDict) -> EventDict:
        seconds, nanos = divmod(now_ns(), 1_000_000_000)
        stamp = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        return {"time": f"{stamp}.{nanos // 1000:06d}Z", "actor": actor, **event}

    return structlog.wrap_logger(
        _Lines(write or _to_stderr),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            add_time,
            _redact_event,
            pretty_line if pretty else _json_line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
    )


def pretty_line(_: Any, __: str, event: EventDict) -> str:
    """One line of text: time, actor, level, event, then key=value."""
    clock, actor, level = event.pop("time")[11:23], event.pop("actor"), event.pop("level")
    head = [clock, f"{actor:<10}", f"{level:<7}", event.pop("event")]
    trace = event.pop("exception", "")
    line = " ".join([*head, *(f"{key}={value}" for key, value in event.items())])
    return f"{line}\n{trace}" if trace else line


def _json_line(_: Any, __: str, event: EventDict) -> str:
    order = ("time", "actor", "level", "event")
    return _encode({**{key: event.pop(key) for key in order}, **event}).decode()


def _redact_event(_: Any, __: str, event: EventDict) -> EventDict:
    redacted: EventDict = redact(event)
    return redacted


def _to_stderr(line: str) -> None:
    sys.stderr.write(line)
    sys.stderr.flush()


class _Lines:
    """What structlog calls with each finished line."""

    def __init__(self, write: Callable[[str], Any]) -> None:
        self._write = write

    def msg(self, line: str) -> None:
        self._write(line + "\n")

    debug = info = warning = error = critical = exception = msg
