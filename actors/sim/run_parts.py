"""The parts of a simulated run: its clock, its local exchange and its actors, from a run file.

Clock and local exchange stand above this package, so they are loaded by name, as a run file's `use` is.
"""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from actors.actor import Actor
from actors.log.secret import ApiKey, Secret
from actors.run.class_loader import load_class
from actors.run.run_file import CLOCK, Run, load
from protocol.errors import BadRunFile
from protocol.message import Settings

CLOCK_CLASS = "clockd.clock:Clock"
VENUE_MODULE = "venue.run_table"
VENUE_KEYS = "venue/"
LOCAL = "local://"
SIMULATED_KEY = ApiKey("simulated", Secret("simulated"))  # instead of a key of the key file, which is not read


class ActorPart(NamedTuple):
    """What `Sim.add` needs of one actor."""

    name: str
    kind: type[Actor]
    settings: Settings
    follows: list[str]
    keys: ApiKey | None


def load_run(path: str | Path) -> Run:
    """Returns the run of a run file. Raises BadRunFile for a mistake, or for an actor that a simulation cannot have."""
    run = load(path)
    for name in run.actors:
        _refuse_network(run, name)
    return run


def clock_part(run: Run, start_ns: int) -> ActorPart:
    """Returns the run's clock, whose tick 0 is at `start_ns`. A lockstep clock ticks each period of virtual time."""
    kind = load_class(CLOCK_CLASS)
    fields = {"tick_ms": run.clock.tick_ms, "order": run.order, "start_ns": start_ns}
    return ActorPart(CLOCK, kind, kind.Settings(**fields), [], None)


def actor_parts(run: Run) -> Iterator[ActorPart]:
    """Yields the run's actors, in the order of the file."""
    for name, conf in run.actors.items():
        yield ActorPart(name, run.actor_class(name), run.actor_settings(name), conf.follows, _keys(run, conf.keys))


def local_exchange(run: Run, now_ns: int) -> Any:
    """Returns the run's own exchange as a service of the simulation; None if the run file has no [venue] table."""
    return None if run.venue is None else _venue().simulated_venue(run, now_ns)


def _keys(run: Run, name: str) -> ApiKey | None:
    if name.startswith(VENUE_KEYS):
        key = _venue().key_of_account(run, name.removeprefix(VENUE_KEYS))
        assert isinstance(key, ApiKey)
        return key
    return SIMULATED_KEY if name else None


def _venue() -> Any:
    return importlib.import_module(VENUE_MODULE)


def _refuse_network(run: Run, name: str) -> None:
    if not run.actor_class(name).network:
        return
    for key, value in msgspec.structs.asdict(run.actor_settings(name)).items():
        if isinstance(value, str) and "://" in value and not value.startswith(LOCAL):
            text = f"{key} = {value!r}: a simulation has no network; use local://venue and a [venue] table"
            raise BadRunFile(f"{run.path}: {text} - at `$.actors.{name}.settings.{key}`")
