"""How a strategy's replicas are kept whatever its author overrides: upkeep first, then the author's handler."""

from collections.abc import Callable
from typing import Any


def bind(actor: Any, base: type, upkeep: dict[str, Callable[..., None]]) -> None:
    """Run `upkeep[handler]` before each handler that the class of `actor` has changed from `base`, else instead.

    The runtime looks handlers up on the instance, so this holds for every subclass, with or without super().
    """
    for handler, keep in upkeep.items():
        changed = getattr(type(actor), handler) is not getattr(base, handler)
        setattr(actor, handler, _both(keep, getattr(actor, handler)) if changed else keep)


def _both(keep: Callable[..., None], handler: Callable[..., Any]) -> Callable[..., Any]:
    def keep_then_handle(*args: Any) -> Any:
        keep(*args)
        return handler(*args)

    return keep_then_handle
