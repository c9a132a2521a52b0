"""Import the Python source of a module also where it has been compiled; with TICKBUS_PLAIN=1 of all modules."""

import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

PACKAGES = ("actors", "clockd")


class SourceFirst:
    """A finder for `sys.meta_path`."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        package, _, rest = name.partition(".")
        if package in PACKAGES and rest and path:
            for folder in path:
                source = Path(folder) / f"{name.rpartition('.')[2]}.py"
                if source.exists():
                    return importlib.util.spec_from_file_location(name, source)
        return None


def force(name: str) -> None:
    """Import a module of these packages from its Python source, if it has not been imported before."""
    if name in sys.modules:
        return
    package = sys.modules[name.rpartition(".")[0]]
    spec = SourceFirst.find_spec(name, package.__path__, None)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


if os.environ.get("TICKBUS_PLAIN") == "1":
    sys.meta_path.insert(0, SourceFirst)
