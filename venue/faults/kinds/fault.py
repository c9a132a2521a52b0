"""Fault: what every kind of fault has: when it may strike, how often, and how many times at most."""

from typing import Annotated

import msgspec

from protocol.message import Settings

DAY_S = 86_400
Seconds = Annotated[float, msgspec.Meta(ge=0, le=DAY_S)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Number = Annotated[int, msgspec.Meta(ge=0)]


class Fault(Settings, frozen=True, tag_field="name"):
    """A fault with its numbers; a kind's first docstring line is what docs/venue.md says of it.

    It begins `after_s` seconds after it was asked for, lasts `for_s` (0: without an end), and comes again every
    `every_s` seconds on average, by its seed (0: never). While it lasts it meets each request, event or frame that it
    is about with `chance`, `count` times at most (0: without a bound).
    """

    after_s: Seconds = 0.0
    for_s: Seconds = 0.0
    every_s: Seconds = 0.0
    chance: Share = 1.0
    count: Number = 0
