"""Calls in a connector go down only: no file and no folder imports another one in a circle, not even for types."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "connectors").rglob("*.py"))


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path) for path in FILES}


def imports(path: Path) -> set[str]:
    """Modules of connectors/ that a file imports, in functions and TYPE_CHECKING blocks too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            for one in node.names:
                full = f"{node.module}.{one.name}"
                found.add(full if full in MODULES else node.module)
        elif isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
    return (found & MODULES) - {module_of(path)}


def circle(edges: dict[str, set[str]]) -> list[str]:
    """What is left after everything that imports nothing (left) is taken away: the circles, and what leads to them."""
    left = {name: set(targets) for name, targets in edges.items()}
    while leaves := {name for name, targets in left.items() if not targets & left.keys()}:
        left = {name: targets for name, targets in left.items() if name not in leaves}
    return sorted(left)


def test_no_circle_of_files():
    assert not circle({module_of(path): imports(path) for path in FILES})


def test_no_circle_of_folders():
    """A package's `__init__` may re-export its own modules."""
    edges: dict[str, set[str]] = {}
    for path in FILES:
        if path.name != "__init__.py":
            folder = ".".join(path.relative_to(ROOT).parent.parts)
            targets = {
                one if (ROOT / one.replace(".", "/")).is_dir() else one.rpartition(".")[0] for one in imports(path)
            }
            edges.setdefault(folder, set()).update(targets - {folder})
    assert not circle(edges)


def test_no_part_holds_the_whole_connector():
    """Only an exchange's own folder imports connectors.connector; no part has a `host` or reaches the runtime."""
    for path in FILES:
        text = path.read_text()
        if path.name != "connector.py" and "connectors/binance" not in str(path):
            assert "connectors.connector" not in text, path
        assert "host." not in text, path
        assert "TYPE_CHECKING" not in text, path
