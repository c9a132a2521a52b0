"""`tickbus venue`: the local exchange of a run, in this process."""

import time
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec

from actors.config import Run
from protocol.errors import BadRunFile
from tickbus.actor_process import run_process
from tickbus.options import run_options


@click.command("venue")
@run_options()
@click.option("--tls", is_flag=True, help="Serve https and wss; without tls_cert, by a certificate made for this run.")
@click.option("--pretty", is_flag=True, help="Log lines for people instead of JSON.")
def command(run_file: Path, run_dir: Path | None, tls: bool, pretty: bool) -> int:
    """Run the local exchange of a run file's [venue] table until it is asked to stop."""
    return run_process("venue", run_file, run_dir, partial(_serve, with_tls=tls), pretty)


def _serve(run: Run, epoch: int, log: Any, with_tls: bool = False) -> int:
    from tickbus.key_source import venue_settings
    from venue.main import run as serve
    from venue.tls import own_certificate

    if run.venue is None:
        raise BadRunFile(f"{run.path}: there is no [venue] table: add one (an empty one will do)")
    log.info("up", epoch=epoch)
    settings = venue_settings(run)
    if with_tls and settings.tls_cert is None:
        cert, key = own_certificate(run.dir, settings.host, time.time_ns())
        settings = msgspec.structs.replace(settings, tls_cert=str(cert), tls_key=str(key))
    return serve(settings, run.dir)
