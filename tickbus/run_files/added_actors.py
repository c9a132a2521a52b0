"""Actors that are added to a running bot: one TOML table each, in `actors.d` of the run folder."""

import tomllib
from collections.abc import Iterable
from pathlib import Path

from actors.run.run_dir import open_dir
from actors.run.run_file import EXTRAS, ExtraFile, Run, load
from actors.run.toml_check import did_you_mean, mistakes
from protocol.errors import BadRunFile
from tickbus.bot.supervisor_config import PROGRAMS
from tickbus.private_file import write_private


def table_of_file(path: Path) -> str:
    """Returns the text of a user's table file with its folder, to which `path` is relative. Raises BadRunFile."""
    try:
        text = path.read_text(encoding="utf-8")
        tables = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise BadRunFile(f"{path}: cannot be read: {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise BadRunFile(f"{path}: not TOML: {error}") from None
    if found := mistakes(tables, ExtraFile, "$"):
        raise BadRunFile(f"{path}: {found[0]}")
    return f"folder = {_quoted(str(path.absolute().parent))}\n{text}"


def table_of_options(name: str, use: str, follows: Iterable[str], settings: Iterable[str], folder: Path) -> str:
    """Returns the table for the options of `tickbus add`. Raises BadRunFile for a setting that is not KEY=VALUE."""
    rows = [f"folder = {_quoted(str(folder))}", f"[actors.{name}]", f"use = {_quoted(use)}"]
    rows.append(f"follows = [{', '.join(_quoted(one) for one in follows)}]")
    for one in settings:
        key, equals, value = one.partition("=")
        if not equals:
            raise BadRunFile(f"--set {one}: it must be KEY=VALUE")
        rows.append(f"settings.{key.strip()} = {_value(value.strip())}")
    text = "\n".join(rows) + "\n"
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadRunFile(
            f"{name}: {error}: write settings as --set size_lots=2 --set market=binance:BTC-USDT"
        ) from None
    return text


def add_table(run: Run, text: str) -> str:
    """Writes the table to the run folder, if the run has no mistake with it; returns the actor's name.

    Raises BadRunFile, and changes nothing then.
    """
    names = list(tomllib.loads(text).get("actors", {}))
    if len(names) != 1:
        raise BadRunFile(f"expected one [actors.NAME] table, not {len(names)}: add actors one by one")
    name = str(names[0])
    if name in run.actors:
        raise BadRunFile(f"actor `{name}` exists already: choose another name, or `tickbus remove {name}` first")
    open_dir(run.dir)
    path = run.dir / EXTRAS / f"{name}.toml"
    try:
        write_private(path.parent, path.name, text)  # whole: an actor that starts now reads this folder too
    except OSError as error:
        raise BadRunFile(f"{path} cannot be written: {error.strerror}") from None
    try:
        load(run.path, run.dir).actor_settings(name)
    except BadRunFile:
        path.unlink()
        raise
    return name


def remove_table(run: Run, name: str) -> None:
    """Deletes the table of an added actor. Raises BadRunFile if the actor was not added, or if others follow it."""
    if name not in run.actors:
        raise BadRunFile(f"unknown actor `{name}`{did_you_mean(name, run.extras)}")
    if name not in run.extras:
        raise BadRunFile(
            f"`{name}` is in the run file: delete its table in {run.path}, then run `tickbus up {run.path}`"
        )
    followers = [other for other, conf in run.actors.items() if name in conf.follows]
    if followers:
        raise BadRunFile(f"`{name}` is followed by {', '.join(followers)}: remove that first")
    (run.dir / EXTRAS / f"{name}.toml").unlink()
    (run.dir / PROGRAMS / f"{name}.conf").unlink(missing_ok=True)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _value(text: str) -> str:
    """Returns a value as TOML; text that is not valid TOML becomes a string."""
    try:
        tomllib.loads(f"v = {text}")
    except tomllib.TOMLDecodeError:
        return _quoted(text)
    return text
