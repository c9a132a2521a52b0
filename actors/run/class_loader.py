"""A class by its name in a run file, "module:Class", with an error that says what is wrong with the name."""

import importlib
import importlib.util
import pkgutil
import sys
from pathlib import Path

from actors.actor import Actor
from actors.run.toml_check import did_you_mean
from protocol.errors import BadRunFile, TickbusError


def load_class(use: str) -> type[Actor]:
    """The actor class that `use` names. Raises BadRunFile, with file and line of what breaks."""
    module_name, colon, class_name = use.partition(":")
    if not colon or not module_name or not class_name:
        raise BadRunFile(f"`{use}` is no class: want `module:Class`, as in `strategies.ping_pong:PingPong`")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not (module_name + ".").startswith(error.name + "."):
            raise BadRunFile(f"module `{module_name}` needs `{error.name}`, which is not installed") from None
        raise BadRunFile(f"no module `{module_name}`{_near_modules(module_name)}") from None
    except TickbusError as error:
        raise BadRunFile(f"module `{module_name}`: {error}") from None
    except Exception as error:  # whatever a user's file raises at import is the user's to mend
        what = f"{type(error).__name__}: {error}"
        raise BadRunFile(f"module `{module_name}` breaks at {_origin(error)}: {what}") from error
    found = getattr(module, class_name, None)
    if found is None:
        actors = [name for name, one in vars(module).items() if _is_actor(one)]
        raise BadRunFile(f"module `{module_name}` has no `{class_name}`{did_you_mean(class_name, actors)}")
    if not _is_actor(found):
        raise BadRunFile(f"`{use}` is no Actor: derive it from strategies.Strategy or another actor class")
    return found


def add_path(folders: list[Path]) -> None:
    """Put folders at the end of the import path, where a user's own files are found and hide nothing of ours."""
    for folder in folders:
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    importlib.invalidate_caches()


def _is_actor(thing: object) -> bool:
    return isinstance(thing, type) and issubclass(thing, Actor) and thing is not Actor


def _near_modules(name: str) -> str:
    """Names of the modules beside the one that is missing."""
    package, dot, last = name.rpartition(".")
    if not dot:
        return did_you_mean(last, {one.name for one in pkgutil.iter_modules()} - set(sys.stdlib_module_names))
    try:
        parent = importlib.import_module(package)
    except ModuleNotFoundError:
        return _near_modules(package)
    beside = pkgutil.iter_modules(getattr(parent, "__path__", []))
    return did_you_mean(name, [f"{package}.{one.name}" for one in beside])


def _origin(error: BaseException) -> str:
    """file:line where it was raised; for a syntax error, where the error is."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}"
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "its import"
