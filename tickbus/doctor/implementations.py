"""Which implementation serves each part: the fast one, or the portable one, which gives the same results slower."""

import importlib
import os
from typing import NamedTuple

from tickbus.doctor.check import BAD, OK, WARN, Check
from tickbus.doctor.installation import import_error, version_of

COMPILE = "a C compiler and `pip install` again make it fast"


class Part(NamedTuple):
    """A part with a Cython and a portable implementation. `slower`: what becomes slower with `portable`."""

    what: str
    module: str
    slower: str
    portable: str = "Python"


PARTS = (
    Part("transport", "actors.live.transport_choice", "every message between two processes", "libzmq"),
    Part("runtime", "actors.runtime", "every message and tick of an actor"),
    Part("frames", "protocol.frame", "every message between two processes"),
    Part("stage timers", "actors.stages", "the measurement of stages"),
    Part("parser", "connectors.binance.parse", "market data of Binance"),
    Part("book", "market.book", "book updates and queries"),
    Part("levels", "market.levels", "book snapshots"),
    Part("matching", "market.matching", "the local exchange"),
)


def implementations() -> list[Check]:
    """Returns one check for each part."""
    return [*map(compiled, PARTS), websocket()]


def compiled(part: Part) -> Check:
    """Cython serves the part; WARN if the portable implementation does although it was not requested."""
    if error := import_error(part.module):
        return Check(BAD, part.what, f"{part.module} cannot be imported ({error}): run `pip install tickbus` again")
    if is_compiled(part.module):
        return Check(OK, part.what, "Cython")
    if is_plain_requested():
        return Check(OK, part.what, f"{part.portable}, by TICKBUS_PLAIN=1; slower: {part.slower}")
    return Check(WARN, part.what, f"{part.portable}; slower: {part.slower}; {COMPILE}")


def websocket() -> Check:
    """picows serves WebSockets; WARN if `websockets` does although it was not requested."""
    fast, plain = import_error("picows"), import_error("websockets")
    if not fast and not is_plain_requested():
        return Check(OK, "websocket", f"picows {version_of('picows')}")
    if plain:
        return Check(BAD, "websocket", f"websockets cannot be imported ({plain}): run `pip install picows websockets`")
    text = f"websockets {version_of('websockets')}"
    if is_plain_requested():
        return Check(OK, "websocket", f"{text}, by TICKBUS_PLAIN=1; slower: market data and orders")
    return Check(WARN, "websocket", f"{text}; slower: market data and orders; `pip install picows` makes it fast")


def is_compiled(module: str) -> bool:
    """Returns whether Cython serves a module: by its IMPLEMENTATION, or by the file that was imported."""
    found = importlib.import_module(module)
    kind = getattr(found, "IMPLEMENTATION", None)
    return kind == "cython" if kind is not None else not str(found.__file__).endswith(".py")


def is_plain_requested() -> bool:
    """Returns whether the environment requests the portable implementations."""
    return os.environ.get("TICKBUS_PLAIN") == "1"
