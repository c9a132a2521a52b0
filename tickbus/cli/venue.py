"""`tickbus venue`: the local exchange of a run, or of a recording alone, in this process."""

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import click
import msgspec

from actors.run.run_file import Run
from protocol.errors import BadRunFile
from tickbus.actor_process import run_process
from tickbus.options import run_options

if TYPE_CHECKING:
    from venue.base.settings import VenueSettings

AtEnd = Literal["still", "stop", "loop"]


class Given(NamedTuple):
    """What the command line says; it goes before the run file."""

    replay: dict[str, Any]
    faults: dict[str, Any]
    tls: bool

    def over(self, settings: "VenueSettings") -> "VenueSettings":
        """The settings to serve by. Raises BadRunFile."""
        try:
            settings = msgspec.structs.replace(settings, **self.faults)
        except ValueError as error:
            raise BadRunFile(f"--faults: {error}") from None
        return _with_replay(settings, self.replay)


@click.command("venue")
@run_options(required=False)
@click.option("--tls", is_flag=True, help="Serve https and wss; without tls_cert, by a certificate made for this run.")
@click.option("--faults", metavar="PROFILE", help="Faults on demand: none, drizzle or storm (docs/venue.md).")
@click.option("--faults-file", type=click.Path(path_type=Path), help="TOML or JSON with a list `faults`.")
@click.option("--replay", type=click.Path(path_type=Path), help="Play this recording in the place of order flow.")
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), help="Play it so many times faster.")
@click.option("--at-end", type=click.Choice(["still", "stop", "loop"]), help="What becomes of the exchange then.")
@click.option("--pretty", is_flag=True, help="Log lines for people instead of JSON.")
def command(
    run_file: Path | None, run_dir: Path | None, tls: bool, faults: str | None, faults_file: Path | None,
    replay: Path | None, speed: float | None, at_end: AtEnd | None, pretty: bool,
) -> int:  # fmt: skip
    """Run the local exchange of a run file's [venue] table until it is asked to stop; or, without --run, a recording.

    A recording's own exchange has the accounts for demos, and prints its address.
    """
    file = str(replay.absolute()) if replay else None
    given = Given(_named(file=file, speed=speed, at_end=at_end), _named(faults=faults, faults_file=faults_file), tls)
    if run_file is not None:
        return run_process("venue", run_file, run_dir, partial(_serve, given), pretty)
    if replay is None:
        raise BadRunFile("name a run file (--run), or a recording to play (--replay)")
    if tls:
        raise BadRunFile("--tls keeps its certificate in a run folder: name a run file too (--run)")
    from venue.base.settings import VenueSettings
    from venue.server.main import run as serve

    return serve(given.over(VenueSettings()))


def _serve(given: Given, run: Run, epoch: int, log: Any) -> int:
    from tickbus.keys.source import venue_settings
    from venue.server.main import run as serve
    from venue.server.tls import own_certificate

    if run.venue is None:
        raise BadRunFile(f"{run.path}: there is no [venue] table: add one (an empty one will do)")
    log.info("up", epoch=epoch)
    settings = given.over(venue_settings(run))
    if given.tls and settings.tls_cert is None:
        cert, key = own_certificate(run.dir, settings.host, time.time_ns())
        settings = msgspec.structs.replace(settings, tls_cert=str(cert), tls_key=str(key))
    return serve(settings, run.dir)


def _with_replay(settings: "VenueSettings", changes: dict[str, Any]) -> "VenueSettings":
    """What the command line says of a replay goes before the run file. Raises BadRunFile where there is none."""
    from venue.base.settings import ReplaySettings

    if not changes:
        return settings
    if settings.replay is None and "file" not in changes:
        raise BadRunFile("--speed and --at-end are of a replay: give --replay too, or [venue] replay in the run file")
    known = msgspec.structs.asdict(settings.replay) if settings.replay is not None else {}
    return msgspec.structs.replace(settings, replay=ReplaySettings(**known | changes), paper=None)


def _named(**options: Any) -> dict[str, Any]:
    """Those that were given."""
    given = {name: value for name, value in options.items() if value is not None}
    return {name: str(value) if isinstance(value, Path) else value for name, value in given.items()}
