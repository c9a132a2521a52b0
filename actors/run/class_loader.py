"""Load the class that a run file names, "module:Class". Every error is one line that names what to change."""

import importlib
import importlib.util
import pkgutil
import sys
from pathlib import Path
from types import ModuleType

import tickbus_imports
from actors.actor import Actor
from actors.run.toml_check import did_you_mean
from protocol.errors import BadRunFile, TickbusError


def load_class(use: str) -> type[Actor]:
    """Returns the actor class that `use` names. Raises BadRunFile, with file and line of what breaks.

    A user's file may have the name of a module of tickbus (`market.py`): the class decides which of the two is meant.
    """
    module_name, colon, class_name = use.partition(":")
    if not colon or not module_name or not class_name:
        raise BadRunFile(f"`{use}` is no class: want `module:Class`, as in `strategies.ping_pong:PingPong`")
    module = _import(module_name, module_name)
    if other := _users_file_behind(module, module_name):
        if class_name not in vars(module):
            module = _import(module_name, _private_name(module_name), other)
        elif tickbus_imports.is_ours(module_name):
            raise BadRunFile(f"`{module_name}` is a module of tickbus, and also {other}: rename that file")
    _refuse_ambiguous_imports(module)
    return _actor_class(module, module_name, class_name)


def add_path(folders: list[Path]) -> None:
    """Put a user's folders at the end of the import path. See `tickbus_imports` for files of the same name."""
    for folder in folders:
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    importlib.invalidate_caches()


def _import(module_name: str, loaded_as: str, file: str | None = None) -> ModuleType:
    """Import a module by its name, or its `file` under the name `loaded_as`."""
    try:
        return _load_file(loaded_as, file) if file else importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not (module_name + ".").startswith(error.name + "."):
            raise BadRunFile(f"module `{module_name}` needs `{error.name}`, which is not installed") from None
        raise BadRunFile(f"no module `{module_name}`{_near_modules(module_name)}") from None
    except TickbusError as error:
        raise BadRunFile(f"module `{module_name}`: {error}") from None
    except Exception as error:  # a user's file may raise anything at import
        what = f"{type(error).__name__}: {error}"
        raise BadRunFile(f"module `{module_name}` breaks at {_origin(error)}: {what}") from error


def _users_file_behind(module: ModuleType, module_name: str) -> str | None:
    """A user's file that a module of tickbus or of the standard library (`signal`) of the same name hides."""
    if tickbus_imports.is_ours(module_name) or module_name in sys.stdlib_module_names:
        return tickbus_imports.users_file(module_name, besides=getattr(module, "__file__", None))
    return None


def _load_file(name: str, file: str) -> ModuleType:
    """Import a file under a name of its own, once."""
    if name in sys.modules:
        return sys.modules[name]
    folders = [str(Path(file).parent)] if Path(file).name == "__init__.py" else None
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=folders)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _private_name(module_name: str) -> str:
    """A name that is free, in the same package, so that relative imports of the file work."""
    package, dot, last = module_name.rpartition(".")
    return f"{package}{dot}users_{last}"


def _refuse_ambiguous_imports(module: ModuleType) -> None:
    """Raises BadRunFile for a user's module that does `import market` while his folders have a `market.py`."""
    file = getattr(module, "__file__", None)
    if file is None or file.startswith(tickbus_imports.ROOT):
        return
    for found in vars(module).values():
        name = getattr(found, "__name__", "")
        is_package = isinstance(found, ModuleType) and name in tickbus_imports.NEEDS
        if is_package and (hidden := tickbus_imports.users_file(name, besides=file)):
            raise BadRunFile(f"{file} imports `{name}`, a package of tickbus; {hidden} has that name too: rename it")


def _actor_class(module: ModuleType, module_name: str, class_name: str) -> type[Actor]:
    found = vars(module).get(class_name)
    if found is None:
        actors = [name for name, one in vars(module).items() if _is_actor(one)]
        raise BadRunFile(f"module `{module_name}` has no `{class_name}`{did_you_mean(class_name, actors)}")
    if not _is_actor(found):
        use = f"{module_name}:{class_name}"
        raise BadRunFile(f"`{use}` is no Actor: derive it from strategies.Strategy or another actor class")
    assert isinstance(found, type)
    return found


def _is_actor(thing: object) -> bool:
    return isinstance(thing, type) and issubclass(thing, Actor) and thing is not Actor


def _near_modules(name: str) -> str:
    """Suggests a module of the package in which the missing one was searched for."""
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
