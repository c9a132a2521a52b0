"""`tickbus venue`: the local exchange of a run, or of a recording alone, in this process."""

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import click
import msgspec

from actors.run.run_file import Run
from protocol.errors import BadRunFile
from tickbus.cli.options import run_options
from tickbus.process.bot_process import run_process
from tickbus.process.last_clients import LastClients

if TYPE_CHECKING:
    from venue.base.settings import VenueSettings

AtEnd = Literal["still", "stop", "loop"]
AT_END = "At the end of the recording: still: the book stays and can be traded; stop: exit; loop: start again."


class Overrides(NamedTuple):
    """Options of the command line; they replace the settings of the run file."""

    replay: dict[str, Any]
    faults: dict[str, Any]
    tls: bool

    def applied_to(self, settings: "VenueSettings") -> "VenueSettings":
        """Returns the settings to serve with. Raises BadRunFile."""
        try:
            settings = msgspec.structs.replace(settings, **self.faults)
        except ValueError as error:
            raise BadRunFile(f"--faults: {error}") from None
        return _with_replay(settings, self.replay)


@click.command("venue")
@run_options(required=False)
@click.option("--tls", is_flag=True, help="Serve https and wss; without `tls_cert`, with a certificate made now.")
@click.option("--faults", metavar="PROFILE", help="Inject faults: none, drizzle or storm (docs/venue.md).")
@click.option("--faults-file", type=click.Path(path_type=Path), help="Inject the list `faults` of a TOML or JSON file.")
@click.option("--replay", type=click.Path(path_type=Path), help="Replay this recording instead of simulated orders.")
@click.option("--speed", type=click.FloatRange(min=0, min_open=True), help="Speed of the replay; 2 is twice as fast.")
@click.option("--at-end", type=click.Choice(["still", "stop", "loop"]), help=AT_END)
@click.option("--pretty", is_flag=True, help="Print readable log lines instead of JSON.")
def command(
    run_file: Path | None, run_dir: Path | None, tls: bool, faults: str | None, faults_file: Path | None,
    replay: Path | None, speed: float | None, at_end: AtEnd | None, pretty: bool,
) -> int:  # fmt: skip
    """Run the local exchange of a run file's [venue] table until SIGTERM or Ctrl-C.

    Without --run it needs --replay, and serves the recording with the demo accounts; it prints its address.
    """
    file = str(replay.absolute()) if replay else None
    overrides = Overrides(
        _given(file=file, speed=speed, at_end=at_end), _given(faults=faults, faults_file=faults_file), tls
    )
    if run_file is not None:
        return run_process("venue", run_file, run_dir, partial(_serve, overrides), pretty)
    if replay is None:
        raise BadRunFile("name a run file (--run), or a recording to replay (--replay)")
    if tls:
        raise BadRunFile("--tls keeps its certificate in a run folder: name a run file too (--run)")
    from venue.base.settings import VenueSettings
    from venue.server.main import run as serve

    return serve(overrides.applied_to(VenueSettings()))


def _serve(overrides: Overrides, run: Run, epoch: int, log: Any) -> int:
    from venue.run_table import venue_settings
    from venue.server.main import run as serve
    from venue.server.tls import own_certificate

    if run.venue is None:
        raise BadRunFile(f"{run.path}: there is no [venue] table: add one (it may be empty)")
    log.info("local exchange started", epoch=epoch)
    settings = overrides.applied_to(venue_settings(run))
    if overrides.tls and settings.tls_cert is None:
        cert, key = own_certificate(run.dir, settings.host, time.time_ns())
        settings = msgspec.structs.replace(settings, tls_cert=str(cert), tls_key=str(key))
    return serve(settings, run.dir, LastClients(run).are_stopping)


def _with_replay(settings: "VenueSettings", changes: dict[str, Any]) -> "VenueSettings":
    """Returns the settings with the replay options applied. Raises BadRunFile if there is no recording."""
    from venue.base.settings import ReplaySettings

    if not changes:
        return settings
    if settings.replay is None and "file" not in changes:
        raise BadRunFile("--speed and --at-end need a recording: give --replay, or [venue] replay in the run file")
    known = msgspec.structs.asdict(settings.replay) if settings.replay is not None else {}
    return msgspec.structs.replace(settings, replay=ReplaySettings(**known | changes), paper=None)


def _given(**options: Any) -> dict[str, Any]:
    """Returns the options that are not None; paths as text."""
    given = {name: value for name, value in options.items() if value is not None}
    return {name: str(value) if isinstance(value, Path) else value for name, value in given.items()}
