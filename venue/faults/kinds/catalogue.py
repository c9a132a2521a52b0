"""Every kind of fault by its name, and the reading of faults; each mistake gives one clear error line."""

import typing
from pathlib import Path
from typing import Any

import msgspec

from actors.run.toml_check import did_you_mean, mistakes
from venue.base.venue_errors import BadVenue
from venue.faults.kinds import exchange_kinds, request_kinds, stream_kinds
from venue.faults.kinds.delays import Delay
from venue.faults.kinds.fault import Fault

KINDS: dict[str, type[Fault]] = {
    kind.__struct_config__.tag: kind for kind in (*request_kinds.KINDS, *stream_kinds.KINDS, *exchange_kinds.KINDS)
}
# Names of faults in files and requests of earlier versions.
FORMER_KINDS = {
    "diff_lost": "delta_lost",
    "diff_reordered": "delta_reordered",
    "diff_twice": "delta_twice",
    "garbage_body": "invalid_body",
    "human_cancel": "external_cancel",
    "human_order": "external_order",
}
DELAYS = {kind.__struct_config__.tag: kind for kind in typing.get_args(Delay)}
MAX_FILE_BYTES = 1_000_000


class BadFault(ValueError):
    """An unknown fault or wrong settings of one; the text names the known ones."""


def summary(kind: type[Fault]) -> str:
    """What a kind does: the first line of its docstring."""
    assert kind.__doc__ is not None
    return kind.__doc__.strip().splitlines()[0]


def read_fault(table: Any, at: str = "$") -> Fault:
    """A fault from a decoded table of JSON or TOML. Raises BadFault."""
    if not isinstance(table, dict):
        raise BadFault(f"expected a table with a `name` - at `{at}`")
    name = table.get("name")
    name = FORMER_KINDS.get(name, name) if isinstance(name, str) else name
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        if name is None:
            raise BadFault(f"missing field `name`; known are {', '.join(sorted(KINDS))} - at `{at}`")
        raise BadFault(f"unknown fault `{name}`{did_you_mean(str(name), KINDS)} - at `{at}.name`")
    rest = {key: value for key, value in table.items() if key != "name"}
    found = mistakes(rest, kind, at) and (delay_mistakes(rest, at) or mistakes(rest, kind, at))
    if found:
        raise BadFault(f"{name}: {found[0]}")
    return msgspec.convert({**rest, "name": name}, kind)


def delay_mistakes(table: dict[str, Any], at: str) -> list[str]:
    """Errors for delays of an unknown kind, or with unknown fields."""
    found = []
    for key, value in table.items():
        if not isinstance(value, dict):
            continue
        kind = value.get("kind")
        if kind not in DELAYS:
            found.append(f"unknown kind of delay `{kind}`{did_you_mean(str(kind), DELAYS)} - at `{at}.{key}.kind`")
        else:
            rest = {name: one for name, one in value.items() if name != "kind"}
            found += mistakes(rest, DELAYS[kind], f"{at}.{key}")
    return found


def read_faults(tables: Any, at: str = "$") -> list[Fault]:
    """One fault or a list of them. Raises BadFault."""
    if isinstance(tables, dict):
        return [read_fault(tables, at)]
    if not isinstance(tables, list):
        raise BadFault(f"expected a list of faults - at `{at}`")
    return [read_fault(one, f"{at}[{n}]") for n, one in enumerate(tables)]


def load_faults(path: Path) -> list[Fault]:
    """The `faults` of a TOML or JSON file. Raises BadVenue."""
    decode = msgspec.json.decode if path.suffix == ".json" else msgspec.toml.decode
    try:
        data = path.read_bytes()
        if len(data) > MAX_FILE_BYTES:
            raise BadVenue(f"faults_file {path}: longer than {MAX_FILE_BYTES} bytes: split it")
        tables = decode(data)
        if not isinstance(tables, dict) or set(tables) - {"faults"}:
            raise BadFault("the file must hold a list `faults` and nothing else")
        return read_faults(tables.get("faults", []), "$.faults")
    except OSError as error:
        raise BadVenue(f"faults_file {path}: {error.strerror}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError, ValueError) as error:
        raise BadVenue(f"faults_file {path}: {error}") from None


def shown(fault: Fault) -> dict[str, Any]:
    """A fault as JSON: its name and the settings that differ from the kind's defaults."""
    default = type(fault)()
    return {
        "name": fault.__struct_config__.tag,
        **{
            name: getattr(fault, name)
            for name in fault.__struct_fields__
            if getattr(fault, name) != getattr(default, name)
        },
    }
