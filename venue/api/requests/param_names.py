"""The parameter names of one order: plain, or with the prefix of its leg in an order list."""

ORDER_TYPES = ("LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")


class ParamNames(dict[str, str]):
    """The name in a leg for each parameter name of POST /api/v3/order, computed at the first use."""

    def __init__(self, prefix: str, own: dict[str, str]) -> None:
        """`own`: the names that do not follow the prefix."""
        super().__init__(own)
        self.prefix = prefix

    def __missing__(self, plain: str) -> str:
        rest = plain.removeprefix("new")
        found = self[plain] = self.prefix + rest[0].upper() + rest[1:] if self.prefix else plain
        return found


class Leg:
    """One order of a request: its prefix, its allowed types, and its exceptional parameter names."""

    __slots__ = ("has_size", "name", "ord_type", "types")

    def __init__(
        self,
        prefix: str = "",
        types: tuple[str, ...] = ORDER_TYPES,
        ord_type: str | None = None,  # the type, if no parameter gives it
        names: dict[str, str] | None = None,  # names that do not follow the prefix
        has_size: bool = True,  # False: the size comes from the working order
    ) -> None:
        self.name = ParamNames(prefix, names or {})
        self.types = types
        self.ord_type = ord_type
        self.has_size = has_size


PLAIN = Leg()
