"""Fault: the settings of every kind of fault: when it is active, how often it applies, and how many times at most."""

from typing import Annotated

import msgspec

from protocol.message import Settings

DAY_S = 86_400
Seconds = Annotated[float, msgspec.Meta(ge=0, le=DAY_S)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Number = Annotated[int, msgspec.Meta(ge=0)]


class Fault(Settings, frozen=True, tag_field="name"):
    """A fault and its settings; the first docstring line of a kind is its row in docs/venue.md.

    Its window opens `after_s` seconds after it was added, stays open for `for_s` seconds (0: without an end), and
    opens again every `every_s` seconds on average, by its seed (0: never). While it is open, the fault applies to
    each matching request, event or frame with probability `chance`, `count` times at most (0: without a limit).
    """

    after_s: Seconds = 0.0
    for_s: Seconds = 0.0
    every_s: Seconds = 0.0
    chance: Share = 1.0
    count: Number = 0
