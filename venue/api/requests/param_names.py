"""How the parameters of one order are called: plainly, or by its part in an order list."""

ORDER_TYPES = ("LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")


class ParamNames(dict[str, str]):
    """What a parameter of POST /api/v3/order is called in a leg; worked out the first time that it is asked for."""

    def __init__(self, prefix: str, own: dict[str, str]) -> None:
        """`own`: those that do not follow the prefix."""
        super().__init__(own)
        self.prefix = prefix

    def __missing__(self, plain: str) -> str:
        rest = plain.removeprefix("new")
        found = self[plain] = self.prefix + rest[0].upper() + rest[1:] if self.prefix else plain
        return found


class Leg:
    """An order of a request: its part (`prefix`), and what that part is called or may be besides."""

    __slots__ = ("has_size", "name", "ord_type", "types")

    def __init__(
        self,
        prefix: str = "",
        types: tuple[str, ...] = ORDER_TYPES,
        ord_type: str | None = None,  # where no parameter says it
        names: dict[str, str] | None = None,  # parameters that do not follow the prefix
        has_size: bool = True,  # False: it will be what the order brings that it waits for
    ) -> None:
        self.name = ParamNames(prefix, names or {})
        self.types = types
        self.ord_type = ord_type
        self.has_size = has_size


PLAIN = Leg()
