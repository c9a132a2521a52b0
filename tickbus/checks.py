"""All that can be wrong with a run file, told at once."""

from actors.config import Run, problems
from connectors.keyfile import KeyFile
from protocol.errors import BadKeyFile, BadRunFile
from tickbus.key_source import key_file
from venue.settings import VenueSettings


def all_problems(run: Run) -> list[str]:
    """Every mistake of the run's file, its classes, settings and key names."""
    return problems(run.path, run.dir, VenueSettings, key_names(key_file(run)))


def key_names(file: KeyFile) -> list[str] | None:
    """None if the key file cannot be read: that is told when a key of it is needed."""
    try:
        return list(file.names())
    except BadKeyFile:
        return None


def refuse_mistakes(run: Run) -> None:
    """Raises BadRunFile with every mistake, one a line."""
    found = all_problems(run)
    if found:
        raise BadRunFile("\n".join(f"{run.path}: {text}" if str(run.path) not in text else text for text in found))
