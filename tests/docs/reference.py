"""docs/reference.md, made of what the public packages export: signatures and the first paragraphs of docstrings.

    python tests/docs/reference.py

writes the page anew. Everything is read from the sources, since compiled classes have no signatures; a Cython module
has a .pyi beside it.
"""

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "reference.md"
PACKAGES = (
    "strategies",
    "actors",
    "actors.effects",
    "actors.net",
    "actors.tap",
    "actors.sim.driver",
    "actors.log.secret",
    "clockd.clock",
    "connectors",
    "connectors.binance",
    "connectors.connector",
    "connectors.settings",
    "connectors.core.market_api",
    "connectors.core.order_api",
    "connectors.core.reports",
    "connectors.core.throttle",
    "market",
    "protocol",
    "protocol.errors",
    "venue.base.settings",
    "venue.sim_service",
)
# Modules of which only these names are for users.
PARTS = {
    "actors.sim.driver": ["Sim"],
    "clockd.clock": ["Clock"],
    "connectors.binance": ["BinanceSpot"],
    "venue.base.settings": ["AccountSettings", "KeySettings", "MarketSettings", "VenueSettings"],
    "venue.sim_service": ["SimVenue"],
}
# Public names of a class that its user must not call or override: other parts of tickbus do.
INTERNAL = {
    "Actor": {"on_short_done"},
    "Clock": {"on_short_done"},
    "Market": {
        "apply_delta", "apply_rules", "apply_snapshot", "apply_status", "missing_kinds", "set_stale", "update_status",
    },
    "Order": {"end", "visible_state"},
    "Position": {"add", "apply", "clear", "replace", "row", "set_rules"},
    "Strategy": {"cursor", "may_stop", "new_fill", "on_control", "replicas", "stages"},
}  # fmt: skip
HEAD = """# Reference: the Python API

This page lists the names of the public packages and modules: those that a strategy, an actor, a connector or a tap
imports. Names that are not listed here are internal and may change. The page is made from the sources
(`python tests/docs/reference.py`), and a test compares the two.
"""

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def page() -> str:
    """The whole page."""
    return HEAD + "".join(_package(name) for name in PACKAGES)


def exported(package: str) -> list[str]:
    """The names in `__all__`; of a module without it the public classes and functions that it defines."""
    if package in PARTS:
        return PARTS[package]
    module = importlib.import_module(package)
    kinds = (ast.ClassDef, ast.FunctionDef)
    defined = [node.name for node in _tree(package).body if isinstance(node, kinds) and not node.name.startswith("_")]
    return list(getattr(module, "__all__", defined))


def _package(name: str) -> str:
    module = importlib.import_module(name)
    parts = [f"\n## `{name}`\n\n{_paragraph(module.__doc__)}\n"]
    parts += [_entry(one, getattr(module, one)) for one in sorted(exported(name), key=str.lower)]
    return "".join(parts) if len(parts) > 1 else ""


def _documented(value: Any) -> Any:
    """The Python implementation of a compiled class or function: it has the docstrings."""
    name = getattr(value, "__name__", "")
    for compiled, plain in (("Fast", "Plain"), ("fast_", "plain_")):
        if name.startswith(compiled):
            module = importlib.import_module(value.__module__.replace("._", "."))
            return getattr(module, plain + name.removeprefix(compiled))
    return value


def _entry(name: str, value: Any) -> str:
    value = _documented(value)
    if isinstance(value, ModuleType):
        functions = [node for node in _tree(value.__name__).body if isinstance(node, ast.FunctionDef)]
        rows = [_function_row(node) for node in functions if not node.name.startswith("_")]
        return f"\n### `{name}`\n\n{_paragraph(value.__doc__)}\n\n" + "".join(rows)
    node = _definition(value)
    if isinstance(node, ast.ClassDef):
        return _class(name, node, value.__module__)
    if node is not None:
        return f"\n### `{name}({_arguments(node)}){_returns(node)}`\n\n{_paragraph(ast.get_docstring(node))}\n"
    return f"\n### `{name}`\n\n{_paragraph(value.__doc__)}\n"


def _class(name: str, node: ast.ClassDef, module: str) -> str:
    bases = ", ".join(ast.unparse(base) for base in node.bases)
    text = f"\n### `{name}{f'({bases})' if bases else ''}`\n\n{_paragraph(ast.get_docstring(node))}\n"
    rows = "".join(_rows(node, _source(module).splitlines()))
    return text + (f"\n{rows}" if rows else "") + "".join(_inherited(node, module))


def _inherited(node: ast.ClassDef, module: str) -> Iterator[str]:
    """What a class has of its bases: the names of a base that the page lists, and all of one that it does not."""
    for base in node.bases:
        value = getattr(importlib.import_module(module), ast.unparse(base), None)
        whole = _definition(_documented(value)) if isinstance(value, type) else None
        if not isinstance(value, type) or not isinstance(whole, ast.ClassDef):
            continue
        rows = list(_rows(whole, _source(value.__module__).splitlines()))
        own = {one.name for one in node.body if isinstance(one, ast.FunctionDef) and ast.get_docstring(one)}
        names = [found for row in rows if (found := row.split("`")[1].partition("(")[0].partition(":")[0]) not in own]
        if value.__name__ in _listed() and names:
            yield f"\nInherited from `{value.__name__}`: {', '.join(f'`{one}`' for one in names)}.\n"
        elif names:
            yield f"\nOf its base `{value.__name__}`: {_paragraph(ast.get_docstring(whole))}\n\n{''.join(rows)}"
        yield from _inherited(whole, value.__module__)


@cache
def _listed() -> set[str]:
    return {name for package in PACKAGES for name in exported(package)}


def _rows(node: ast.ClassDef, lines: list[str]) -> Iterator[str]:
    """Fields, enum members, properties and public methods, in the order of the source, except INTERNAL ones.

    A method without a docstring overrides one of a base, and is listed there.
    """
    internal = INTERNAL.get(node.name, set())
    for row in _all_rows(node, lines):
        if re.split(r"\W", row.partition("`")[2], maxsplit=1)[0] not in internal:
            yield row


def _all_rows(node: ast.ClassDef, lines: list[str]) -> Iterator[str]:
    for one in node.body:
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and not one.target.id.startswith("_"):
            value = "" if one.value is None else f" = {ast.unparse(one.value)}"
            yield f"- `{one.target.id}: {ast.unparse(one.annotation)}{value}`{_comment(one, lines)}\n"
        elif isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name) and one.targets[0].id.isupper():
            yield f"- `{one.targets[0].id} = {ast.unparse(one.value)}`{_comment(one, lines)}\n"
        elif isinstance(one, ast.FunctionDef) and one.name == "__init__":
            yield from _attribute_rows(one, lines)
        elif isinstance(one, ast.FunctionDef) and not one.name.startswith("_") and ast.get_docstring(one):
            yield _function_row(one)


def _attribute_rows(init: ast.FunctionDef, lines: list[str]) -> Iterator[str]:
    """The public attributes that a constructor sets."""
    for one in init.body:
        targets = [one.target] if isinstance(one, ast.AnnAssign) else one.targets if isinstance(one, ast.Assign) else []
        for target in (part for whole in targets for part in getattr(whole, "elts", [whole])):
            if isinstance(target, ast.Attribute) and not target.attr.startswith("_"):
                kind = f": {ast.unparse(one.annotation)}" if isinstance(one, ast.AnnAssign) else ""
                yield f"- `{target.attr}{kind}`{_comment(one, lines)}\n"


def _comment(node: ast.stmt, lines: list[str]) -> str:
    """The comment at the end of a statement."""
    _, mark, text = lines[(node.end_lineno or node.lineno) - 1][node.end_col_offset or 0 :].partition("# ")
    return f": {text}" if mark and not text.startswith(("type:", "noqa")) else ""


def _function_row(node: ast.FunctionDef) -> str:
    decorators = {ast.unparse(one) for one in node.decorator_list}
    text = _paragraph(ast.get_docstring(node))
    if any("property" in one for one in decorators):
        head = f"- `{node.name}{_returns(node).replace(' -> ', ': ')}`"
    else:
        head = f"- `{node.name}({_arguments(node)}){_returns(node)}`"
    return f"{head}: {text}\n" if text else f"{head}\n"


def _arguments(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    text = ast.unparse(node.args)
    return text.removeprefix("self").removeprefix("cls").removeprefix(", ")


def _returns(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    return "" if node.returns is None else f" -> {ast.unparse(node.returns)}"


def _paragraph(docstring: str | None) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((docstring or "").strip().partition("\n\n")[0].split())


def _definition(value: Any) -> Definition | None:
    """The source of a class or function; of a compiled one that in its stub."""
    if inspect.ismethod(value):
        whole = _definition(type(value.__self__))
        return next((one for one in whole.body if getattr(one, "name", "") == value.__name__), None)  # type: ignore
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", "")
    if module is None or not (ROOT / module.partition(".")[0]).is_dir():
        return None
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return next((node for node in _tree(module).body if isinstance(node, kinds) and node.name == name), None)


def _tree(module: str) -> ast.Module:
    return ast.parse(_source(module))


def _source(module: str) -> str:
    base = ROOT / module.replace(".", "/")
    for path in (base / "__init__.py", base.with_suffix(".py"), base.with_suffix(".pyi")):
        if path.exists():
            return path.read_text(encoding="utf-8")
    raise FileNotFoundError(f"{module} has neither a .py nor a .pyi")


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    PAGE.write_text(page(), encoding="utf-8")
