"""Imports point down: tickbus over the packages, they over actors and market, all over protocol. No circles."""

import ast
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MIDDLE = {"clockd", "monitor", "connectors", "strategies", "backtest", "venue", "gateway"}
MAY_IMPORT = {
    "protocol": set(),
    "actors": {"protocol"},
    "market": {"protocol"},
    **{name: {"protocol", "actors", "market"} for name in sorted(MIDDLE)},
    "tickbus": {"protocol", "actors", "market", *MIDDLE},
}
PACKAGES = [name for name in MAY_IMPORT if (ROOT / name / "__init__.py").exists()]
# What a module may take from outside the house and the standard library: the rest of a package does without.
OUTSIDE = {"protocol": {"msgspec"}, "market": {"msgspec"}, "strategies": {"msgspec"}, "clockd": {"msgspec"}}


def modules(package):
    """(dotted name, path) of every module of a package, the Cython ones included."""
    for path in sorted((ROOT / package).rglob("*.py*")):
        if path.suffix in (".py", ".pyx"):
            parts = path.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def lines_of(path):
    """What `import` lines a Cython module has, as Python."""
    lines = [line.strip() for line in path.read_text().splitlines()]
    return "\n".join(line for line in lines if line.startswith(("import ", "from ")) and " cimport " not in line)


@cache
def imports(path):
    """The dotted name of everything that a module imports, wherever in it; type-checking blocks left out."""
    found = []

    def look(node):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node = ast.Module(node.orelse, [])
        if isinstance(node, ast.Import):
            found.extend(one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.extend(f"{node.module}.{one.name}" for one in node.names)
        for child in ast.iter_child_nodes(node):
            look(child)

    look(ast.parse(path.read_text() if path.suffix == ".py" else lines_of(path)))
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_down(package):
    up = {
        f"{module} imports {name}"
        for module, path in modules(package)
        for name in imports(path)
        if name.split(".")[0] in MAY_IMPORT.keys() - MAY_IMPORT[package] - {package}
    }
    assert not up


@pytest.mark.parametrize("package", [name for name in PACKAGES if name in OUTSIDE])
def test_what_is_pure_imports_little_from_outside(package):
    ours = set(MAY_IMPORT) | set(sys.stdlib_module_names)
    found = {name.split(".")[0] for _, path in modules(package) for name in imports(path)} - ours
    assert found <= OUTSIDE[package]


def circles(edges):
    """The first circle on each path, as text."""
    done, doing, found = set(), [], []

    def walk(module):
        if module in doing:
            found.append(" -> ".join([*doing[doing.index(module) :], module]))
        elif module not in done:
            doing.append(module)
            for one in sorted(edges.get(module, ())):
                walk(one)
            done.add(doing.pop())

    for module in edges:
        walk(module)
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_there_are_no_circles_not_even_hidden_in_functions(package):
    known = dict(modules(package))
    assert not circles({
        module: {one for name in imports(path) for one in resolved(name, known)} - {module}
        for module, path in known.items()
    })  # fmt: skip


def test_a_circle_would_be_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == ["b -> c -> b"]


def resolved(name, known):
    """The module that an imported name is in, if it is one of `known`."""
    return [one for one in (name, name.rpartition(".")[0]) if one in known][:1]


def test_nothing_is_imported_by_name_but_what_a_run_file_or_the_command_line_names():
    by_name = {
        module
        for package in PACKAGES
        for module, path in modules(package)
        if any(name.split(".")[0] == "importlib" for name in imports(path))
    }
    assert by_name == {"actors.run.class_loader", "actors.source_first", "tickbus.main", "tickbus.health"}
