"""Keep the packages of tickbus and a user's own files of the same names apart.

Python looks for `market` first beside the script that runs, and finds the user's `market.py` there. Each package of
tickbus imports this module before anything else; from then on:

- the packages of tickbus are always found where tickbus is installed;
- a module that tickbus does not have (`strategies.mine`) is searched for in the user's folders of that name;
- a name that tickbus' package does not have, while the user has a file of the package's name, is an ImportError that
  names the file to rename.
"""

import os
import sys
import sysconfig
from collections.abc import Sequence
from functools import partial
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec, spec_from_file_location
from types import ModuleType
from typing import NoReturn

ROOT = os.path.dirname(os.path.realpath(__file__))
STDLIB = {os.path.realpath(sysconfig.get_path(kind)) for kind in ("stdlib", "platstdlib")}
MIDDLE = ("clockd", "connectors", "monitor", "strategies", "venue")
# Package -> the other packages of tickbus that it imports.
NEEDS: dict[str, tuple[str, ...]] = {
    "protocol": (),
    "actors": ("protocol",),
    "market": ("protocol",),
    **dict.fromkeys(MIDDLE, ("protocol", "actors", "market")),
    "tickbus": ("protocol", "actors", "market", *MIDDLE),
    "runs": (),
}


class PackageFinder:
    """A finder for `sys.meta_path` that resolves the packages of tickbus."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        package, _, rest = name.partition(".")
        if package not in NEEDS:
            return None
        if rest:
            return PathFinder.find_spec(name, path) or _users_module(name)
        refuse_foreign_modules(name)
        return _package_spec(name)


class PackageLoader(SourceFileLoader):
    """Loads a package of tickbus, and gives it an error text for names that it does not have."""

    def exec_module(self, module: ModuleType) -> None:
        explain_missing_names(module)
        super().exec_module(module)


def is_ours(name: str) -> bool:
    """Whether a module name starts with the name of a package of tickbus."""
    return name.partition(".")[0] in NEEDS


def users_file(name: str, besides: str | None = None) -> str | None:
    """The path of a module of this name in the user's folders, other than the file `besides`."""
    for folder in _users_folders(name):
        spec = PathFinder.find_spec(name, [folder])
        file = spec.origin if spec is not None and spec.has_location else None
        if file is not None and (besides is None or os.path.realpath(file) != os.path.realpath(besides)):
            return file
    return None


def refuse_foreign_modules(package: str) -> None:
    """Raises ImportError if a module that `package` needs has been imported from a file that is not tickbus'."""
    for name in NEEDS[package]:
        module = sys.modules.get(name)
        if module is None:
            continue
        place = os.path.realpath(module.__file__ or next(iter(module.__path__)))
        if not place.startswith(os.path.join(ROOT, name)):
            raise ImportError(f"tickbus has a package `{name}`, but {place} was imported under this name: rename it")


def explain_missing_names(package: ModuleType) -> None:
    """Give the error for a missing name the path of the file of the user that the package hides."""
    package.__dict__["__getattr__"] = partial(_missing, package.__name__)


def _missing(package: str, name: str) -> NoReturn:
    if not name.startswith("__") and find_spec(f"{package}.{name}") is None and (file := users_file(package)):
        raise ImportError(f"tickbus' package `{package}` has no `{name}`; if {file} has it, rename that file")
    raise AttributeError(f"module `{package}` has no attribute `{name}`")


def _package_spec(name: str) -> ModuleSpec | None:
    folder = os.path.join(ROOT, name)
    file = os.path.join(folder, "__init__.py")
    return spec_from_file_location(name, file, loader=PackageLoader(name, file), submodule_search_locations=[folder])


def _users_module(name: str) -> ModuleSpec | None:
    """A user's `strategies/mine.py` is `strategies.mine`. Names with an underscore are tickbus' compiled modules."""
    return None if "._" in name else PathFinder.find_spec(name, _users_folders(name))


def _users_folders(name: str) -> list[str]:
    """Where a module of this name is searched for, tickbus' own folder and the standard library left out."""
    parents = name.split(".")[:-1]
    roots = [os.path.realpath(entry or os.getcwd()) for entry in sys.path]
    return [os.path.join(root, *parents) for root in roots if root != ROOT and root not in STDLIB]


sys.meta_path.insert(0, PackageFinder)
for _name in NEEDS.keys() & sys.modules.keys():  # the package that imports this module, found the usual way
    if str(sys.modules[_name].__file__).startswith(os.path.join(ROOT, _name)):
        refuse_foreign_modules(_name)
        explain_missing_names(sys.modules[_name])
