"""All mistakes of a run file at once."""

from actors.run.run_file import Run, problems
from actors.run.toml_check import did_you_mean
from protocol.errors import BadKeyFile, BadRunFile
from tickbus.keys.actor_keys import key_file
from tickbus.keys.keyfile import KeyFile
from tickbus.run_files.cross_check import cross_problems
from venue.base.settings import VenueSettings
from venue.run_table import VENUE


def all_problems(run: Run) -> list[str]:
    """Returns every mistake of the run file, its classes, settings and key names; one text each."""
    in_tables = problems(run.path, run.dir, VenueSettings, key_names(key_file(run)))
    return in_tables + paper_problems(run) + cross_problems(run)


def paper_problems(run: Run) -> list[str]:
    """Returns what is missing for paper trading.

    It needs two halves: a connector that sends its orders to the local exchange, and a [venue.paper] table by which
    the local exchange follows the data of that connector.
    """
    on_paper = {name: one for name, one in run.actors.items() if one.settings.get("venue") == "paper"}
    table = (run.venue or {}).get("paper")
    followed = table.get("connector") if isinstance(table, dict) else None
    found = []
    if isinstance(followed, str) and followed not in run.actors:
        found.append(f"unknown actor `{followed}`{did_you_mean(followed, run.actors)} - at `$.venue.paper.connector`")
    elif isinstance(followed, str) and followed not in on_paper:
        found.append(f'`{followed}` trades live: set venue = "paper" - at `$.actors.{followed}.settings.venue`')
    for name, one in on_paper.items():
        if name != followed:
            hint = f'add [venue.paper] with connector = "{name}"' if followed is None else f"it follows `{followed}`"
            found.append(f"no paper exchange follows `{name}`: {hint} - at `$.actors.{name}.settings.venue`")
        if one.keys and not one.keys.startswith(VENUE):
            text = f"keys `{one.keys}` are of a live account; paper trading needs `venue/ACCOUNT`"
            found.append(f"{text} - at `$.actors.{name}.keys`")
    return found


def key_names(file: KeyFile) -> list[str] | None:
    """Returns the names in the key file; None if it cannot be read, which is reported when a key of it is needed."""
    try:
        return list(file.names())
    except BadKeyFile:
        return None


def require_no_problems(run: Run) -> None:
    """Raises BadRunFile with every mistake, one in each line."""
    found = all_problems(run)
    if found:
        raise BadRunFile("\n".join(f"{run.path}: {text}" if str(run.path) not in text else text for text in found))
