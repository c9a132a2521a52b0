"""All that can be wrong with a run file, told at once."""

from actors.run.run_file import Run, problems
from actors.run.toml_check import did_you_mean
from protocol.errors import BadKeyFile, BadRunFile
from tickbus.keys.keyfile import KeyFile
from tickbus.keys.source import VENUE, key_file
from venue.base.settings import VenueSettings


def all_problems(run: Run) -> list[str]:
    """Every mistake of the run's file, its classes, settings and key names."""
    return problems(run.path, run.dir, VenueSettings, key_names(key_file(run))) + paper_problems(run)


def paper_problems(run: Run) -> list[str]:
    """Paper trading needs both: a connector that sends its orders there, and an exchange that follows it."""
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
            text = f"keys `{one.keys}` are of a live account; paper takes `venue/ACCOUNT`"
            found.append(f"{text} - at `$.actors.{name}.keys`")
    return found


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
