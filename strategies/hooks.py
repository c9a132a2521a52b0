"""Hooks: the replicas' updates run before the author's handlers, whether or not these call super()."""

from collections.abc import Callable
from typing import Any


def bind(actor: Any, base: type, updates: dict[str, Callable[..., Any]]) -> None:
    """Makes `updates[handler]` run before each handler that the class of `actor` overrides, and else instead of it.

    An update may return the message that the handler receives in place of its own.

    The runtime looks handlers up on the instance, so this works for every subclass.
    """
    for handler, update in updates.items():
        overridden = getattr(type(actor), handler) is not getattr(base, handler)
        setattr(actor, handler, _both(update, getattr(actor, handler)) if overridden else update)


def _both(update: Callable[..., Any], handler: Callable[..., Any]) -> Callable[..., Any]:
    def update_then_handle(*args: Any) -> Any:
        converted = update(*args)
        return handler(*args) if converted is None else handler(converted)

    return update_then_handle
