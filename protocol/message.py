"""The base of every message: frozen, and registered under its class name so that any process can decode it."""

import re
from typing import Any, Union, dataclass_transform

import msgspec

from protocol.errors import BadMessage, DuplicateMessage


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Message(msgspec.Struct, array_like=True, frozen=True, gc=False, tag=True):
    """One message on the bus, encoded as the msgpack array [class name, field, field...].

    Fields are only appended, with defaults: an old reader skips the fields that it does not know, and a new reader
    uses the defaults of fields that an old writer did not send.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        REGISTRY.add(cls)


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of every settings table of a run file: an unknown key is an error that lists the known keys."""


class Registry:
    """All message types that this process has imported, by tag, and one decoder for all of them."""

    def __init__(self) -> None:
        self.types: dict[str, type[Message]] = {}
        self._decoder: msgspec.msgpack.Decoder[Message] | None = None

    def add(self, cls: type[Message]) -> None:
        """Registers a type. Raises DuplicateMessage if another module has one of the same name."""
        known = self.types.get(cls.__name__)
        if known is not None and known.__module__ != cls.__module__:
            raise DuplicateMessage(
                f"message {cls.__name__} of {cls.__module__} has the name of one in {known.__module__}: rename it"
            )
        self.types[cls.__name__] = cls
        self._decoder = None

    def decode(self, body: bytes | memoryview) -> Message:
        """The message in `body`. Raises BadMessage if it cannot be decoded."""
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
    """A request to one actor: executed once per (sender, cmd_id), answered once, dropped after its deadline (UTC)."""

    cmd_id: int
    deadline_ns: int
