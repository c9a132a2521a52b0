"""The result of one check."""

from typing import NamedTuple

OK, WARN, BAD = "ok", "warn", "BAD"


class Check(NamedTuple):
    """`verdict`: OK, WARN (works, but slower or close to a limit) or BAD (a bot cannot run, or not safely).

    `detail` is what was found; for WARN and BAD also what to do.
    """

    verdict: str
    what: str
    detail: str
