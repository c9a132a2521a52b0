"""Every mistake of a TOML table against the Struct that it should become; a decoder stops at the first."""

import difflib
import enum
import re
import types
import typing
from collections.abc import Collection
from typing import Any

import msgspec

_AT = re.compile(r" - at `\$(.*)`$")

CLOSE = 0.6  # the least similarity of a suggestion, from 0 to 1


def did_you_mean(name: str, known: Collection[str]) -> str:
    """The end of a sentence about an unknown name: the nearest known one, or all that are known."""
    near = difflib.get_close_matches(name, list(known), 1, CLOSE)
    if near:
        return f", did you mean `{near[0]}`?"
    return f"; known are {', '.join(sorted(known))}" if known else "; there are none"


def mistakes(value: Any, kind: Any, at: str) -> list[str]:
    """Every mistake in `value` as a `kind`, each with its path; `at` is the path of `value` ("$.clock")."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return _in_table(value, kind, at) if isinstance(value, dict) else [f"expected a table - at `{at}`"]
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is dict and isinstance(value, dict) and args:
        return [text for key, one in value.items() for text in mistakes(one, args[1], f"{at}.{key}")]
    if origin is list and isinstance(value, list) and args:
        return [text for n, one in enumerate(value) for text in mistakes(one, args[0], f"{at}[{n}]")]
    return _whole(value, kind, at)


def _in_table(table: dict[str, Any], kind: type[msgspec.Struct], at: str) -> list[str]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    found, meant = [], set()
    for key in table:
        if key not in fields:
            found.append(f"unknown field `{key}`{did_you_mean(key, fields.keys())} - at `{at}`")
            meant.update(difflib.get_close_matches(key, list(fields), 1, CLOSE))
    for name, field in fields.items():
        if name in table:
            found += mistakes(table[name], field.type, f"{at}.{name}")
        elif field.required and name not in meant:  # a misspelt one is reported once
            found.append(f"missing field `{name}` - at `{at}`")
    return found or _whole(table, kind, at)


def _known_names(kind: Any) -> list[str]:
    """The names that a setting may have as its value; [] if it may have others."""
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return [str(one.value) for one in kind]
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Literal:
        return [one for one in args if isinstance(one, str) and one]
    if origin in (typing.Annotated, typing.Union, types.UnionType):
        return [name for one in args for name in _known_names(one)]
    return []


def _whole(value: Any, kind: Any, at: str) -> list[str]:
    """The decoder's error; decoding also runs a Struct's own `__post_init__`."""
    known = _known_names(kind)
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        text = str(error)
        where = _AT.search(text)
        text = _AT.sub("", text).replace("`decimal`", "`float`")
        if known and isinstance(value, str) and text.startswith("Invalid enum value"):
            text = f"unknown value `{value}`{did_you_mean(value, known)}"
        return [f"{text[:1].lower()}{text[1:]} - at `{at}{where[1] if where else ''}`"]
    return []
