"""A run file: the actors, what each follows and is set to, and the clock that ticks them."""

import tomllib
from collections.abc import Collection, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from actors.actor import Actor
from actors.run.class_loader import add_path, load_class
from actors.run.former_names import current
from actors.run.run_dir import default_dir
from actors.run.tick_order import order_mistakes, tick_order
from actors.run.toml_check import did_you_mean, mistakes
from protocol.errors import BadRunFile
from protocol.message import Settings

CLOCK = "clockd"
EXTRAS = "actors.d"  # folder in the run folder with the tables of actors that joined later

PositiveInt = Annotated[int, msgspec.Meta(ge=1)]


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of every table of a run file."""


class ClockConf(Table, frozen=True, kw_only=True):
    """When to tick, and in which order; a nested list is a wave, whose members may not follow each other."""

    tick_ms: PositiveInt = 1000
    order: list[str | list[str]] = []  # empty: each actor after all that it follows
    mode: Literal["realtime", "lockstep"] = "realtime"
    cpu: int | None = None  # the core that the clock keeps to


class ActorConf(Table, frozen=True, kw_only=True):
    """One actor. `keys`: an entry of the key file, or `venue/NAME`, an account of the run's own exchange."""

    use: str
    follows: list[str] = []
    settings: dict[str, Any] = {}
    patience_ms: PositiveInt = 500
    keys: str = ""
    cpu: int | None = None
    journal_sync: Literal["interval", "always", "never"] = "interval"


class RunFile(Table, frozen=True, kw_only=True):
    """All of a run file. `path`: folders with the user's modules; like `dir`, relative to the file."""

    bus: Literal["ipc", "ipc-libzmq"] = "ipc"
    dir: str = ""
    path: list[str] = []
    keys_file: str = ""
    clock: ClockConf = ClockConf()
    actors: dict[str, ActorConf] = {}
    venue: dict[str, Any] | None = None  # the local exchange's own settings; no table: no local exchange


class ExtraFile(Table, frozen=True, kw_only=True):
    """What a file of `actors.d` holds: one actor. `path` is relative to `folder`, where the user keeps it."""

    folder: str = ""
    path: list[str] = msgspec.field(default_factory=lambda: ["."])
    actors: dict[str, ActorConf] = {}


class Run:
    """A valid run file, with the actors that were added later, and its run folder."""

    def __init__(
        self, path: Path, conf: RunFile, run_dir: Path, extras: dict[str, ActorConf], folders: list[Path]
    ) -> None:
        self.path = path
        self.conf = conf
        self.dir = run_dir
        self.extras = extras
        self.folders = folders
        self.actors: dict[str, ActorConf] = conf.actors | extras
        self.clock = conf.clock
        self.venue = conf.venue
        self.bus = conf.bus

    @property
    def order(self) -> list[list[str]]:
        """The tick order as waves; actors that joined later come after all that they follow."""
        return tick_order(self.clock.order, _follows(self.conf.actors))

    def actor(self, name: str) -> ActorConf:
        """Raises BadRunFile for a name that is not in the run."""
        found = self.actors.get(name)
        if found is None:
            raise BadRunFile(f"{self.path}: unknown actor `{name}`{did_you_mean(name, self.actors)}")
        return found

    def actor_class(self, name: str) -> type[Actor]:
        """The class that `use` names, imported. Raises BadRunFile."""
        add_path(self.folders)
        try:
            return load_class(self.actor(name).use)
        except BadRunFile as error:
            raise BadRunFile(f"{self.path}: {error} - at `$.actors.{name}.use`") from error.__cause__

    def actor_settings(self, name: str) -> Settings:
        """The actor's settings, as an instance of its class's Settings. Raises BadRunFile."""
        kind = self.actor_class(name).Settings
        table = current(self.actor(name).settings, kind)
        _refuse(self.path, mistakes(table, kind, f"$.actors.{name}.settings"))
        return msgspec.convert(table, kind)


def load(path: str | Path, run_dir: str | Path | None = None) -> Run:
    """The run that a file describes, its classes not yet imported. `run_dir` overrules the file's `dir`.

    Raises BadRunFile with the first mistake in it (`problems` finds them all).
    """
    path = Path(path).absolute()
    table = _toml(path)
    _refuse(path, mistakes(table, RunFile, "$"))
    conf = msgspec.convert(table, RunFile)
    if run_dir:
        folder = Path(run_dir).absolute()
    else:
        folder = path.parent / conf.dir if conf.dir else default_dir(path)
    extras: dict[str, ActorConf] = {}
    folders = [(path.parent / one).resolve() for one in conf.path]
    for file, extra in _extra_files(folder):
        if clash := sorted((conf.actors.keys() | extras.keys()) & extra.actors.keys()):
            raise BadRunFile(f"{file}: actor `{clash[0]}` is there already: rename it, or take the file away")
        extras |= extra.actors
        folders += [(file.parent / extra.folder / one).resolve() for one in extra.path]
    run = Run(path, conf, folder, extras, folders)
    _refuse(path, order_mistakes(run.clock.order, _follows(run.actors)))
    return run


def problems(
    path: str | Path,
    run_dir: str | Path | None = None,
    venue_settings: type[msgspec.Struct] | None = None,
    key_names: Collection[str] | None = None,
) -> list[str]:
    """Every mistake of a run file, those of its classes and settings included. Imports the classes.

    `venue_settings`: what the `[venue]` table must be; `key_names`: the entries of the key file, if known.
    """
    path = Path(path).absolute()
    try:
        table = _toml(path)
    except BadRunFile as error:
        return [str(error)]
    found = mistakes(table, RunFile, "$")
    tables = {name: one for name, one in _table(table, "actors").items() if isinstance(one, dict)}
    add_path([(path.parent / one).resolve() for one in table.get("path", []) if isinstance(one, str)])
    found += order_mistakes(
        _table(table, "clock").get("order", []),
        {name: one.get("follows", []) for name, one in tables.items()},
    )
    for name, one in tables.items():
        found += _actor_mistakes(one, f"$.actors.{name}", key_names, "venue" in table)
    if venue_settings is not None and isinstance(table.get("venue"), dict):
        found += mistakes(current(table["venue"], venue_settings), venue_settings, "$.venue")
    if not found:
        try:
            load(path, run_dir)
        except BadRunFile as error:
            found = [str(error)]
    return found


def _actor_mistakes(table: dict[str, Any], at: str, key_names: Collection[str] | None, has_venue: bool) -> list[str]:
    """Mistakes of one actor that need its class or the key file."""
    found = []
    use, settings, keys = table.get("use"), table.get("settings", {}), table.get("keys", "")
    if isinstance(use, str):
        try:
            kind = load_class(use).Settings
            found += mistakes(current(settings, kind), kind, f"{at}.settings")
        except BadRunFile as error:
            found.append(f"{error} - at `{at}.use`")
    if isinstance(keys, str) and keys.startswith("venue/"):
        if not has_venue:
            found.append(f"keys `{keys}` are of the local exchange, and there is no [venue] table - at `{at}.keys`")
    elif isinstance(keys, str) and keys and key_names is not None and keys not in key_names:
        hint = did_you_mean(keys, key_names)
        found.append(f"the key file has no `{keys}`{hint} (add it: tickbus keys add {keys}) - at `{at}.keys`")
    return found


def _table(table: dict[str, Any], key: str) -> dict[str, Any]:
    found = table.get(key, {})
    return found if isinstance(found, dict) else {}


def _follows(actors: dict[str, ActorConf]) -> dict[str, list[str]]:
    return {name: one.follows for name, one in actors.items()}


def _extra_files(folder: Path) -> Iterator[tuple[Path, ExtraFile]]:
    for file in sorted((folder / EXTRAS).glob("*.toml")):
        table = _toml(file)
        _refuse(file, mistakes(table, ExtraFile, "$"))
        yield file, msgspec.convert(table, ExtraFile)


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except FileNotFoundError:
        raise BadRunFile(f"{path}: no such run file (`tickbus run` without one starts the default bot)") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BadRunFile(f"{path}: cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise BadRunFile(f"{path}: no TOML: {error}") from None


def _refuse(path: Path, found: list[str]) -> None:
    if found:
        more = f" (and {len(found) - 1} more: tickbus check {path})" if len(found) > 1 else ""
        raise BadRunFile(f"{path}: {found[0]}{more}")
