"""The base of every message: a frozen fact, registered under its class name so that any reader can decode it."""

import re
from typing import Any, Union

import msgspec

from protocol.errors import BadMessage, DuplicateMessage


class Message(msgspec.Struct, array_like=True, frozen=True, gc=False, tag=True):
    """One fact on the bus, encoded as the msgpack array [class name, field, field...].

    Fields are only ever appended, with defaults: an old reader skips what it does not know, a new reader
    fills in what an old writer did not send.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        REGISTRY.add(cls)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of every settings table of a run file: unknown keys are refused with the known names."""


class Registry:
    """Every message type that this process has imported, by tag; one decoder over all of them."""

    def __init__(self) -> None:
        self.types: dict[str, type[Message]] = {}
        self._decoder: msgspec.msgpack.Decoder | None = None

    def add(self, cls: type[Message]) -> None:
        known = self.types.get(cls.__name__)
        if known is not None and known.__module__ != cls.__module__:
            raise DuplicateMessage(
                f"message {cls.__name__} of {cls.__module__} has the name of one in {known.__module__}: rename it"
            )
        self.types[cls.__name__] = cls
        self._decoder = None

    def decode(self, body: bytes | memoryview) -> Message:
        """The message in `body`. Raises BadMessage for anything that is not one."""
        decoder = self._decoder
        if decoder is None:
            decoder = self._decoder = msgspec.msgpack.Decoder(Union[tuple(self.types.values())])  # noqa: UP007
        try:
            return decoder.decode(body)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise BadMessage(str(error)) from None


REGISTRY = Registry()
ENCODER = msgspec.msgpack.Encoder(decimal_format="string")
encode = ENCODER.encode
decode = REGISTRY.decode

_HUMP = re.compile(r"(?<!^)(?=[A-Z])")


def handler_name(cls: type[Message]) -> str:
    """The method that handles a message type: OrderUpdate -> on_order_update."""
    return "on_" + _HUMP.sub("_", cls.__name__).lower()


class Command(Message):
    """A request to one actor: acted on once per (sender, cmd_id), answered once, dropped after its deadline."""

    cmd_id: int
    deadline_ns: int
