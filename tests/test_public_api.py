"""The public API: each exported name has a docstring, and each public function, method and property has types."""

import importlib
import importlib.util
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

OURS = ("strategies", "connectors", "actors", "protocol", "market")

_spec = importlib.util.spec_from_file_location("docs_reference", Path(__file__).parent / "docs" / "reference.py")
assert _spec is not None
assert _spec.loader is not None
reference = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(reference)

PACKAGES = reference.PACKAGES  # those of docs/reference.md


def exported(package: str) -> Iterator[tuple[str, Any]]:
    """(name, value) of each exported name; of a compiled class or function its Python implementation."""
    module = importlib.import_module(package)
    for name in reference.exported(package):
        yield f"{package}.{name}", python_implementation(getattr(module, name))


def python_implementation(value: Any) -> Any:
    name = getattr(value, "__name__", "")
    for compiled, plain in (("Fast", "Plain"), ("fast_", "plain_")):
        if name.startswith(compiled):
            return getattr(importlib.import_module(value.__module__.replace("._", ".")), plain + name[len(compiled) :])
    return value


def documentation(owner: Any, name: str, function: Any) -> str | None:
    """The docstring; an overriding method has that of its base."""
    return inspect.getdoc(getattr(owner, name)) if inspect.isclass(owner) else inspect.getdoc(function)


def members(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Public functions, methods and properties of a class or module, also those of base classes of ours."""
    if isinstance(value, ModuleType):
        found = [(one, item) for one, item in vars(value).items() if getattr(item, "__module__", "") == value.__name__]
    elif inspect.isclass(value):
        bases = [base for base in value.__mro__ if base.__module__.partition(".")[0] in OURS]
        found = [(one, item) for base in reversed(bases) for one, item in vars(base).items()]
    else:
        return
    for one, item in found:
        if not one.startswith("_"):
            yield f"{name}.{one}", item


def function_of(value: Any) -> Any:
    """The function of a method or property; None for anything else."""
    if isinstance(value, property):
        return value.fget
    value = getattr(value, "__wrapped__", value)
    value = getattr(value, "__func__", value)
    return value if inspect.isfunction(value) and value.__name__ != "<lambda>" else None


ALL = [one for package in PACKAGES for one in exported(package)]
FUNCTIONS = {
    name: (item, function_of(value))
    for top, item in ALL
    for name, value in [*members(top, item), (top, item)]
    if function_of(value) is not None
}


@pytest.mark.parametrize(("name", "value"), ALL, ids=[name for name, _ in ALL])
def test_each_exported_name_has_a_docstring(name: str, value: Any) -> None:
    assert inspect.getdoc(value)
    if inspect.isclass(value):
        assert "__doc__" in vars(value), f"{name} has only the docstring of its base"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_public_function_has_a_docstring_and_types(name: str) -> None:
    owner, function = FUNCTIONS[name]
    assert documentation(owner, name.rsplit(".", 1)[-1], function), f"{name} has no docstring"
    signature = inspect.signature(function)
    assert signature.return_annotation is not inspect.Signature.empty, f"{name} has no type of its result"
    untyped = [
        one.name
        for one in list(signature.parameters.values())
        if one.annotation is inspect.Parameter.empty and one.name not in ("self", "cls")
    ]
    assert untyped == [], f"{name}: arguments without a type"


WITH_EXPORTS = [package for package in PACKAGES if hasattr(importlib.import_module(package), "__all__")]


@pytest.mark.parametrize("package", WITH_EXPORTS)
def test_a_package_exports_each_name_once_and_imports_no_other(package: str) -> None:
    module = importlib.import_module(package)
    assert len(set(module.__all__)) == len(module.__all__)
    public = {name for name, value in vars(module).items() if not name.startswith("_") and inspect.isclass(value)}
    assert public <= set(module.__all__), "a class can be imported that is not exported"
