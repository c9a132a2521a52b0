"""How the parameters of one order are called: plainly, or by its part in an order list."""

import msgspec

ORDER_TYPES = ("LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")


class Leg(msgspec.Struct, frozen=True):
    """An order of a request: its part (`prefix`), and what that part is called or may be besides."""

    prefix: str = ""
    types: tuple[str, ...] = ORDER_TYPES
    ord_type: str | None = None  # where no parameter says it
    names: dict[str, str] = {}  # parameters that do not follow the prefix
    has_size: bool = True  # False: it will be what the order brings that it waits for

    def name(self, plain: str) -> str:
        """What `plain`, a parameter of POST /api/v3/order, is called here."""
        found = self.names.get(plain)
        if found is not None:
            return found
        if not self.prefix:
            return plain
        plain = plain.removeprefix("new")
        return self.prefix + plain[0].upper() + plain[1:]


PLAIN = Leg()
