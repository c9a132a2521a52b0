"""SafeStart: an actor that crashes again and again starts with its safe work alone: reconcile and cancel."""

from typing import NamedTuple


class SafeStart(NamedTuple):
    """`seconds`: for how long the actor does its safe work alone; 0: a start like any other. `reason`: the crashes."""

    seconds: float = 0.0
    reason: str = ""


NORMAL = SafeStart()
