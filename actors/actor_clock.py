"""ActorClock: the time that the driver has given to an actor. Nothing here reads a clock."""


class ActorClock:
    """Two times: the driver's monotonic time, and the actor's own UTC time.

    `anchor_ns` is what to add to the driver's time to get UTC. With `lockstep` the actor's time moves by its turns
    alone; otherwise it moves with the driver's time.
    """

    def __init__(self, anchor_ns: int = 0, lockstep: bool = False) -> None:
        self.anchor_ns = anchor_ns
        self.lockstep = lockstep
        self.mono_ns = 0
        self.now_ns = anchor_ns
