"""Parameters of a request, from query, body or websocket message; bad ones raise Binance's errors."""

import re
from collections.abc import Callable, Collection
from functools import lru_cache
from urllib.parse import unquote_plus

import msgspec

from venue.base import api_errors
from venue.base.numbers import DECIMAL_RANGE, parse_decimal

_INTEGER = re.compile(r"[0-9]{1,20}")
_SYMBOL = re.compile(r"[\w\-.]{1,50}")
SYMBOL_RANGE = "^[\\w\\-._&&[^a-z]]{1,50}$"
MAX_LONG = 2**63 - 1
_STRINGS = msgspec.json.Decoder(list[str])


class Params:
    """Text values by name. A getter without a default raises -1102 if the parameter is missing or empty."""

    __slots__ = ("values",)

    def __init__(self, values: dict[str, str]) -> None:
        self.values = values

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def optional(self, name: str) -> str | None:
        """The text; None if the parameter was not sent. Raises -1105 for an empty one."""
        value = self.values.get(name)
        if value is None:
            return None
        if not value:
            raise api_errors.empty(name)
        return value

    def text(self, name: str) -> str:
        value = self.values.get(name)
        if not value:
            raise api_errors.mandatory(name)
        return value

    def symbol(self, name: str = "symbol") -> str:
        """A symbol's name. Raises -1100 for characters that symbols cannot have."""
        value = self.text(name)
        if not is_symbol(value):
            raise api_errors.illegal_characters(name, SYMBOL_RANGE)
        return value

    def optional_integer(self, name: str) -> int | None:
        """An integer. Raises -1100 for other text, -1108 for more than 64 bits."""
        value = self.values.get(name)
        if value is None:
            return None
        if not value:
            raise api_errors.empty(name)
        if _INTEGER.fullmatch(value) is None:
            raise api_errors.illegal_characters(name, "^[0-9]{1,20}$")
        number = int(value)
        if number > MAX_LONG:
            raise api_errors.overflowed(name)
        return number

    def integer(self, name: str) -> int:
        value = self.optional_integer(name)
        if value is None:
            raise api_errors.mandatory(name)
        return value

    def limit(self, default: int, maximum: int) -> int:
        """The parameter `limit`, at most `maximum`. Raises -1130 below one."""
        value = self.optional_integer("limit")
        if value is None:
            return default
        if value < 1:
            raise api_errors.invalid("limit")
        return min(value, maximum)

    def optional_atoms(self, name: str) -> int | None:
        """A decimal in atoms. Raises -1100 for other characters, -1111 for more than eight decimals."""
        value = self.values.get(name)
        if value is None:
            return None
        if not value:
            raise api_errors.empty(name)
        try:
            parsed = parse_decimal(value)
        except OverflowError:
            raise api_errors.too_precise(name) from None
        if parsed is None:
            raise api_errors.illegal_characters(name, DECIMAL_RANGE)
        return parsed

    def atoms(self, name: str) -> int:
        value = self.optional_atoms(name)
        if value is None:
            raise api_errors.mandatory(name)
        return value

    def choice(
        self,
        name: str,
        known: Collection[str],
        default: str | None,
        error: Callable[[], api_errors.ApiError] | None = None,
    ) -> str:
        """One of `known`. Raises `error()`, or -1130, for other text; -1102 if it is missing and has no default."""
        value = self.values.get(name)
        if value is None:
            if default is None:
                raise api_errors.mandatory(name)
            return default
        if not value:
            raise api_errors.empty(name)
        if value not in known:
            raise api_errors.invalid(name) if error is None else error()
        return value

    def flag(self, name: str, default: bool) -> bool:
        """A boolean. Raises -1130 for other text."""
        value = self.optional(name)
        if value is None:
            return default
        if value.lower() not in ("true", "false"):
            raise api_errors.invalid(name)
        return value.lower() == "true"

    def strings(self, name: str) -> list[str] | None:
        """A JSON array of strings, such as `symbols`. Raises -1100 for other text."""
        value = self.optional(name)
        if value is None:
            return None
        try:
            return _STRINGS.decode(value)
        except msgspec.MsgspecError:
            raise api_errors.illegal_characters(name, '^\\["[^"]+"(,"[^"]+")*\\]$') from None


@lru_cache(maxsize=1000)
def is_symbol(text: str) -> bool:
    """Whether all characters of `text` are allowed in a symbol."""
    return _SYMBOL.fullmatch(text) is not None and not any("a" <= letter <= "z" for letter in text)


def split_pairs(raw: str) -> dict[str, str]:
    """The decoded name=value pairs of a query or form body. Raises -1101 for a duplicate name."""
    pairs = [pair.partition("=") for pair in raw.split("&") if pair]
    if "%" in raw or "+" in raw:
        values = {unquote_plus(name): unquote_plus(value) for name, _, value in pairs}
    else:
        values = {name: value for name, _, value in pairs}
    if len(values) < len(pairs):
        raise api_errors.duplicate_parameter()
    return values


def from_request(query: str, body: bytes, method: str) -> Params:
    """The parameters of query and body; the query takes precedence, GET has no body. Raises -1100 for a binary body."""
    if not body or method == "GET":
        return Params(split_pairs(query))
    try:
        form = body.decode("utf-8")
    except UnicodeDecodeError:
        raise api_errors.ApiError(-1100, "Illegal characters found in a parameter.") from None
    return Params({**split_pairs(form), **split_pairs(query)})


def from_json(raw: dict[str, msgspec.Raw]) -> Params:
    """The `params` object of a websocket request. Numbers, booleans and arrays keep their original text."""
    values: dict[str, str] = {}
    for name, value in raw.items():
        text = bytes(value)
        if text == b"null":
            continue
        values[name] = msgspec.json.decode(text, type=str) if text.startswith(b'"') else text.decode()
    return Params(values)
