"""Imports point down: tickbus over the packages, they over actors and market, all over protocol. No circles."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import tickbus_imports

ROOT = Path(__file__).resolve().parents[1]
MIDDLE = {"clockd", "monitor", "connectors", "strategies", "venue"}
MAY_IMPORT: dict[str, set[str]] = {
    "protocol": set(),
    "actors": {"protocol"},
    "market": {"protocol"},
    **{name: {"protocol", "actors", "market"} for name in sorted(MIDDLE)},
    "tickbus": {"protocol", "actors", "market", *MIDDLE},
}
PACKAGES = list(MAY_IMPORT)
# What a module may import from outside these packages and the standard library. A package without a row is free.
OUTSIDE = {"protocol": {"msgspec"}, "market": {"msgspec"}, "strategies": {"msgspec"}, "clockd": {"msgspec"}}
IMPORT_LINE = re.compile(r"^\s*(?:from\s+([\w.]+)\s+c?import\s+(.+)|c?import\s+(.+))$")
SUFFIXES = (".py", ".pyx", ".pxd")

Edges = dict[str, set[str]]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources(package: str) -> Iterator[tuple[str, Path]]:
    """(dotted name, path) of every source of a package, the Cython ones included; a .pxd is part of its module."""
    for path in sorted((ROOT / package).rglob("*.p[xy]*")):
        if path.suffix in SUFFIXES:
            yield module_name(path), path


def python_imports(path: Path) -> Iterator[str]:
    """The dotted name of everything that a module imports: TYPE_CHECKING blocks and functions are read too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{one.name}" for one in node.names)


def cython_imports(path: Path) -> Iterator[str]:
    """The same for a Cython source: its `import` and `cimport` lines, over several lines in brackets too."""
    for line in re.sub(r"\(\s*([^()]*?)\s*\)", lambda found: " ".join(found[1].split()), path.read_text()).splitlines():
        if found := IMPORT_LINE.match(line.partition("#")[0]):
            names = [one.split()[0] for one in (found[2] or found[3]).split(",") if one.strip()]
            yield from (f"{found[1]}.{one}" if found[1] else one for one in names)


@cache
def imports(path: Path) -> list[str]:
    return list(python_imports(path) if path.suffix == ".py" else cython_imports(path))


def test_every_package_has_a_row() -> None:
    found = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"benchmarks", "examples", "runs"}
    assert found == set(MAY_IMPORT)


def test_the_rules_for_a_users_own_files_know_what_each_package_imports() -> None:
    assert {name: set(needs) for name, needs in tickbus_imports.NEEDS.items() if name != "runs"} == MAY_IMPORT
    assert all("tickbus_imports" in imports(ROOT / name / "__init__.py") for name in MAY_IMPORT if name != "protocol")


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_down(package: str) -> None:
    up = {
        f"{module} imports {name}"
        for module, path in sources(package)
        for name in imports(path)
        if name.split(".")[0] in MAY_IMPORT.keys() - MAY_IMPORT[package] - {package}
    }
    assert not up


@pytest.mark.parametrize("package", OUTSIDE)
def test_a_package_without_io_imports_little_from_outside(package: str) -> None:
    known = set(MAY_IMPORT) | set(sys.stdlib_module_names) | {"libc", "cpython", "cython", "tickbus_imports"}
    found = {name.split(".")[0] for _, path in sources(package) for name in imports(path)} - known
    assert found <= OUTSIDE[package]


def file_edges() -> Edges:
    """Module -> the modules that it imports, over all packages."""
    known = {module for package in PACKAGES for module, _ in sources(package)}
    edges: Edges = {module: set() for module in known}
    for package in PACKAGES:
        for module, path in sources(package):
            edges[module].update(one for name in imports(path) for one in resolved(name, known) if one != module)
    return edges


def folder_edges() -> Edges:
    """Folder -> the folders that its modules import from. An `__init__.py` may re-export its own children."""
    edges: Edges = {}
    for module, names in file_edges().items():
        folder = folder_of(module)
        is_init = (ROOT / module.replace(".", "/")).is_dir()
        for name in names:
            if folder_of(name) != folder and not (is_init and name.startswith(module + ".")):
                edges.setdefault(folder, set()).add(folder_of(name))
    return edges


def folder_of(module: str) -> str:
    return module if (ROOT / module.replace(".", "/")).is_dir() else module.rpartition(".")[0]


def resolved(name: str, known: set[str]) -> list[str]:
    """The module that an imported name is in, if it is one of `known`."""
    return [one for one in (name, name.rpartition(".")[0]) if one in known][:1]


def circles(edges: Edges) -> list[str]:
    """Every set of names that reach each other, as text."""
    reach = {name: reachable(name, edges) for name in edges}
    found: list[str] = []
    seen: set[str] = set()
    for name in sorted(edges):
        ring = {one for one in reach[name] if name in reach.get(one, ())}
        if ring and name not in seen:
            seen |= ring
            others = ", ".join(sorted(ring - {name}))
            found.append(f"{name} <-> {others}")
    return found


def reachable(start: str, edges: Edges) -> set[str]:
    """All that `start` imports, directly or not; itself only if it is on a circle."""
    found: set[str] = set()
    todo = [start]
    while todo:
        new = edges.get(todo.pop(), set()) - found
        found |= new
        todo += new
    return found


def test_there_are_no_circles_of_files() -> None:
    assert not circles(file_edges())


def test_there_are_no_circles_of_folders() -> None:
    assert not circles(folder_edges())


def test_a_circle_would_be_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"d"}, "d": {"b"}}) == ["b <-> c, d"]


def test_imports_are_found_wherever_they_are(tmp_path: Path) -> None:
    python = tmp_path / "one.py"
    python.write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from a.b import C\n\n\ndef f():\n    import d\n"
    )
    assert imports(python) == ["typing.TYPE_CHECKING", "a.b.C", "d"]
    cython = tmp_path / "two.pyx"
    cython.write_text(
        "from a._b cimport C, D as E  # why\nfrom f import (\n    g,\n    h,\n)\ncimport i\nimport j as k\n"
    )
    assert imports(cython) == ["a._b.C", "a._b.D", "f.g", "f.h", "i", "j"]


def test_modules_are_imported_by_name_only_where_a_run_file_or_the_command_line_names_them() -> None:
    by_name = {
        module
        for package in PACKAGES
        for module, path in sources(package)
        if any(name.split(".")[0] == "importlib" for name in imports(path))
    }
    assert by_name == {
        "actors.run.class_loader",
        "actors.sim.run_parts",  # the classes of the tables [clock] and [venue] of a run file
        "actors.source_first",
        "tickbus.main",
        "tickbus.doctor.implementations",
        "tickbus.doctor.installation",
    }
