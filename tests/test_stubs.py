"""Every Cython module has a .pyi, and each of the two lists exactly the public names of the other."""

import ast
import importlib
import inspect
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("protocol", "market", "actors", "clockd", "connectors")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.pyx"))


def public(names: list[str]) -> set[str]:
    return {name for name in names if not name.startswith("_")}


def signature(function: ast.FunctionDef) -> list[tuple[str, bool]]:
    """(name, has a default) of each argument but self."""
    arguments = function.args.posonlyargs + function.args.args
    without = len(arguments) - len(function.args.defaults)
    found = [(one.arg, number >= without) for number, one in enumerate(arguments)]
    return [one for one in found if one[0] != "self"]


def described(path: Path) -> dict[str, list[tuple[str, bool]] | None]:
    """Name or Class.name -> its arguments, or None for a class or a property."""
    found: dict[str, list[tuple[str, bool]] | None] = {}
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef):
            found[node.name] = signature(node)
        elif isinstance(node, ast.ClassDef):
            found[node.name] = None
            for one in node.body:
                if isinstance(one, ast.FunctionDef) and not one.name.startswith("_"):
                    is_property = any(
                        isinstance(mark, ast.Name) and mark.id == "property" for mark in one.decorator_list
                    )
                    found[f"{node.name}.{one.name}"] = None if is_property else signature(one)
                elif isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name):
                    found[f"{node.name}.{one.target.id}"] = None
    return found


def arguments_of(function: object) -> list[tuple[str, bool]]:
    parameters = inspect.signature(function).parameters.values()  # type: ignore[arg-type]
    found = [(one.name, one.default is not inspect.Parameter.empty) for one in parameters]
    return [one for one in found if one[0] != "self"]


def compiled(module: ModuleType) -> dict[str, list[tuple[str, bool]] | None]:
    """What the module itself defines, as `described`."""
    found: dict[str, list[tuple[str, bool]] | None] = {}
    for name in public(list(vars(module))):
        value = getattr(module, name)
        if getattr(value, "__module__", None) != module.__name__:
            continue  # imported
        if not inspect.isclass(value):
            found[name] = arguments_of(value)
            continue
        found[name] = None
        for attribute in public(list(vars(value))):
            one = getattr(value, attribute)
            found[f"{name}.{attribute}"] = arguments_of(one) if callable(one) else None
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_stub_of_a_cython_module_lists_its_public_names(path: Path) -> None:
    stub = path.with_suffix(".pyi")
    assert stub.exists(), f"{path.relative_to(ROOT)} has no .pyi beside it"
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    try:
        module = importlib.import_module(name)
    except ImportError:
        pytest.skip(f"{name} is not compiled")
    assert described(stub) == compiled(module)
