"""Members: the actors that the clock ticks, their order, and the positions that each gets with its next Tick."""

from collections.abc import Iterator

from protocol import Join, StreamPosition, topics


class Member:
    """One actor in the order."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.epoch = 0
        self.follows: list[str] = []
        self.prefixes: tuple[str, ...] = ()
        self.patience_ns = 500_000_000
        self.joined = False
        self.late = False  # it did not finish a turn within its patience
        self.absent = True  # it could not be reached at the last attempt
        self.turn = -1  # number of the tick whose TickDone is missing; -1: none
        self.last_n = -1
        self.sent_ns = 0
        self.has_turn = False  # the tick waits for it
        self.trace = 0
        self.positions: dict[str, StreamPosition] = {}  # positions of streams that moved since its last Tick

    def receives(self, topic: str) -> bool:
        """Whether it receives a stream: it subscribes to it, or the stream is its commands or answers."""
        if topic.startswith(self.prefixes):
            return True
        kind, _, rest = topic.partition(".")
        return kind in ("cmd", "ans") and rest.partition(".")[2] == self.name + "."


class Members:
    """The tick order as waves: the run file's, with actors that joined later after all that they follow."""

    def __init__(self, order: list[list[str]]) -> None:
        self.waves: list[list[Member]] = [[Member(name) for name in wave] for wave in order]
        self.by_name: dict[str, Member] = {member.name: member for wave in self.waves for member in wave}
        self._fixed = set(self.by_name)
        self._routes: dict[str, list[Member]] = {}  # topic -> the members that receive it
        self._positions: dict[str, StreamPosition] = {}  # position of each stream, for actors that join

    def __iter__(self) -> Iterator[Member]:
        return iter(self.by_name.values())

    def join(self, join: Join) -> Member:
        """Adds an actor to the order, or notes its new process run (epoch) or subscriptions."""
        member = self.by_name.get(join.name)
        if member is None:
            member = self.by_name[join.name] = Member(join.name)
            self._place(member, join.follows)
        renewed = member.epoch != join.epoch
        if renewed:
            self._forget(join.name)
        if renewed or tuple(join.subscriptions) != member.prefixes:
            member.epoch, member.follows, member.prefixes = join.epoch, join.follows, tuple(join.subscriptions)
            member.positions = {
                topic: position for topic, position in self._positions.items() if member.receives(topic)
            }
            self._routes.clear()
        member.patience_ns = join.patience_ms * 1_000_000
        member.joined = True
        return member

    def _place(self, member: Member, follows: list[str]) -> None:
        at = len(self.waves)
        if follows:
            behind = [i for i, wave in enumerate(self.waves) for other in wave if other.name in follows]
            at = max(behind) + 1 if behind else at
            # Actors that joined later behind the same actor keep the order in which they joined.
            while at < len(self.waves) and not any(other.name in self._fixed for other in self.waves[at]):
                at += 1
        self.waves.insert(at, [member])

    def leave(self, name: str, epoch: int) -> Member | None:
        """Takes an actor out. Its place stays if the run file's order names it. None: it is not a member."""
        member = self.by_name.get(name)
        if member is None or member.epoch != epoch:
            return None
        member.joined = False
        if name not in self._fixed:
            del self.by_name[name]
            self.waves = [wave for wave in ([m for m in wave if m is not member] for wave in self.waves) if wave]
        self._forget(name)
        self._routes.clear()
        return member

    def _forget(self, publisher: str) -> None:
        """Its streams have ended: no member is to wait for their positions."""
        for table in (self._positions, *(member.positions for member in self)):
            for topic in [topic for topic in table if topics.publisher(topic) == publisher]:
                del table[topic]

    def record(self, positions: list[StreamPosition]) -> None:
        """Notes the positions of streams for each member that receives them."""
        for position in positions:
            topic = position[0]
            self._positions[topic] = position
            route = self._routes.get(topic)
            if route is None:
                route = self._routes[topic] = [member for member in self if member.receives(topic)]
            for member in route:
                member.positions[topic] = position
