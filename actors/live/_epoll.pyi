class Poller:
    """One epoll with a timer; its methods are C functions."""

    @property
    def fd(self) -> int: ...
