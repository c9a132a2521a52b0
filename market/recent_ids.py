"""Which ids were met before: in bounded memory, exact for the newest, and for no id wrong in the dangerous way."""

from enum import IntEnum
from heapq import heappush, heappushpop

SEEN_MAX = 100_000


class News(IntEnum):
    """What `Seen.add` says of an id."""

    NEW = 1  # never met before: noted now
    DUPLICATE = 2  # met before
    TOO_OLD = 3  # below everything that is still remembered: it may have been met. Ask the exchange


class Seen:
    """The ids with the `limit` highest ranks, and a floor under them.

    The rank of an int id is the id itself (exchanges count trades upwards); other ids need one, such as the
    exchange's time in ns. When the memory is full the lowest rank is forgotten and becomes the floor. An
    unknown id at or below the floor is TOO_OLD: it is never taken for new, so nothing counts twice, however
    late it comes again.
    """

    __slots__ = ("_floor", "_heap", "_ids", "limit")

    def __init__(self, limit: int = SEEN_MAX) -> None:
        if limit < 1:
            raise ValueError(f"limit {limit}: at least 1 id must be remembered")
        self.limit = limit
        self._ids: set[int | str] = set()
        self._heap: list[tuple[int, int | str]] = []
        self._floor: int | None = None

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, seen_id: int | str) -> bool:
        return seen_id in self._ids

    def add(self, seen_id: int | str, rank: int | None = None) -> News:
        """Note an id, and say whether it is new."""
        if seen_id in self._ids:
            return News.DUPLICATE
        if rank is None:
            if not isinstance(seen_id, int):
                raise TypeError(f"id {seen_id!r} is no int: give a rank, such as the trade's time in ns")
            rank = seen_id
        if self._floor is not None and rank <= self._floor:
            return News.TOO_OLD
        self._ids.add(seen_id)
        if len(self._ids) <= self.limit:
            heappush(self._heap, (rank, seen_id))
        else:
            self._floor, forgotten = heappushpop(self._heap, (rank, seen_id))
            self._ids.discard(forgotten)
        return News.NEW
