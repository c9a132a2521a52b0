"""Rules of the code: drivers read the clocks, no error is swallowed, each file has a docstring."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("protocol", "market", "actors", "clockd", "connectors", "strategies", "venue", "monitor", "tickbus")
FILES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
TESTS = sorted((ROOT / "tests").rglob("*.py"))

# Drivers, and what runs beside an actor. All other code receives the time.
MAY_READ_CLOCKS = {
    "actors/live/driver.py",
    "actors/live/async_loop.py",
    "actors/live/run_time.py",
    "actors/live/suspend_clock.py",
    "actors/tap/tap.py",
    "actors/live/journal_sync.py",
    "actors/live/lock.py",
    "actors/log/log.py",
    "actors/stages.py",
    "actors/live/transport_zmq.py",
    "venue/server/server.py",
    "venue/server/main.py",
}
MAY_READ_CLOCKS_IN = ("tickbus/",)
# A user's module may raise anything; a bug ends a process, with a word on it first.
MAY_CATCH_ALL = {"actors/run/class_loader.py", "venue/server/server.py", "tickbus/process/bot_process.py"}
PURE = ("protocol", "market", "strategies", "clockd", "connectors")
IO_MODULES = {"socket", "asyncio", "threading", "subprocess", "select", "zmq", "aiohttp", "websockets", "requests"}
LOG_METHODS = ("debug", "info", "warning", "error", "exception", "critical")
LONGEST_FILE = 400
SIZED = [path for package in PACKAGES for path in (ROOT / package).rglob("*.p[xy]*") if path.suffix in (".py", ".pyx")]
LONGEST_FUNCTION = 60


@cache
def tree(path):
    return ast.parse(path.read_text())


def relative(path):
    return str(path.relative_to(ROOT))


def nodes(kind, paths=FILES):
    return [(relative(path), node) for path in paths for node in ast.walk(tree(path)) if isinstance(node, kind)]


def where(name, node):
    return f"{name}:{node.lineno}"


def imported(paths):
    """(file, line, module) of every import."""
    for name, node in nodes(ast.Import | ast.ImportFrom, paths):
        for one in [node.module] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]:
            yield name, where(name, node), one


def test_clocks_are_read_by_drivers_alone():
    read = {
        at
        for name, at, module in imported(FILES)
        if module == "time" and name not in MAY_READ_CLOCKS and not name.startswith(MAY_READ_CLOCKS_IN)
    }
    assert not read
    wall = {
        where(name, node) for name, node in nodes(ast.Attribute) if node.attr in ("utcnow", "today", "now")
        and ast.unparse(node.value).split(".")[-1] in ("datetime", "date")
    }  # fmt: skip
    assert not wall


def test_chance_comes_from_a_seed():
    bare = {at for _, at, module in imported(FILES) if module == "random"} - {
        where(name, node) for name, node in nodes(ast.ImportFrom) if [one.name for one in node.names] == ["Random"]
    }
    assert not bare
    unseeded = {
        where(name, node) for name, node in nodes(ast.Call) if ast.unparse(node.func) == "Random" and not node.args
    }
    assert not unseeded


def test_what_is_pure_opens_no_sockets_and_starts_no_threads():
    pure = [path for path in FILES if relative(path).startswith(PURE)]
    assert not {at for _, at, module in imported(pure) if module.split(".")[0] in IO_MODULES}


def test_nothing_catches_everything_and_goes_on():
    caught = set()
    for name, node in nodes(ast.ExceptHandler):
        kinds = {one.id for one in ast.walk(node.type) if isinstance(one, ast.Name)} if node.type else {"Exception"}
        goes_on = not (node.body and isinstance(node.body[-1], ast.Raise))
        if kinds & {"Exception", "BaseException"} and goes_on and name not in MAY_CATCH_ALL:
            caught.add(where(name, node))
    for name, node in nodes(ast.Call):
        if ast.unparse(node.func).endswith("suppress") and {"Exception", "BaseException"} & {
            ast.unparse(one) for one in node.args
        }:
            caught.add(where(name, node))
    assert not caught


def test_a_file_begins_with_a_docstring():
    silent = {relative(path) for path in FILES if path.read_text().strip() and not ast.get_docstring(tree(path))}
    assert not silent


def test_public_classes_of_the_bus_have_docstrings():
    silent = {
        where(name, node) for name, node in nodes(ast.ClassDef)
        if name.startswith(("protocol/", "actors/")) and not node.name.startswith("_") and not ast.get_docstring(node)
    }  # fmt: skip
    assert not silent


def test_files_and_functions_can_be_read_whole():
    reasons = (ROOT / "docs" / "decisions" / "file-size.md").read_text()
    long_files = {
        relative(path): n
        for path in SIZED
        if (n := len(path.read_text().splitlines())) > LONGEST_FILE and f"`{relative(path)}`" not in reasons
    }
    assert not long_files
    long_functions = {
        where(name, node): n
        for name, node in nodes(ast.FunctionDef | ast.AsyncFunctionDef)
        if (n := node.end_lineno - node.lineno + 1) > LONGEST_FUNCTION
    }
    assert not long_functions


EXTERNAL = {"http.client.HTTPConnection": {"sock"}}
"""Attributes that a constructor of a class outside this repository sets."""


def test_every_attribute_exists_when_the_constructor_is_done():
    """A strategy's `on_start` counts as a part of its constructor, as the tutorial describes it."""
    classes = {node.name: node for _, node in nodes(ast.ClassDef)}
    late = {
        f"{name}: {node.name}.{attribute}"
        for name, node in nodes(ast.ClassDef)
        for attribute in _stored(node, _methods(node).keys()) - _made(node, classes, name.startswith("strategies/"))
    }
    assert not late


def _methods(node):
    return {one.name: one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}


def _stored(node, names):
    """The attributes of self that these methods store, except by a property's setter."""
    methods = _methods(node)
    return {
        one.attr
        for name in names & methods.keys()
        for one in ast.walk(methods[name])
        if isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store) and ast.unparse(one.value) == "self"
    } - methods.keys()


def _made(node, classes, by_on_start):
    """The attributes that the constructor, the methods that it calls, the class itself and its bases define."""
    methods = _methods(node)
    called = ["__init__"] + ["on_start"] * by_on_start
    for name in called:  # grows while it is read
        for one in ast.walk(methods[name]) if name in methods else []:
            if isinstance(one, ast.Call) and ast.unparse(one.func).startswith("self."):
                called += {ast.unparse(one.func)[5:]} - set(called)
    has_init = "__init__" in methods
    made = _stored(node, set(called))
    for one in node.body:
        if isinstance(one, ast.AnnAssign) and (one.value is not None or not has_init):  # else a Struct's field
            made.add(one.target.id)
        elif isinstance(one, ast.Assign):
            made |= {target.id for target in one.targets if isinstance(target, ast.Name)}
    for base in node.bases:
        name = ast.unparse(base)
        made |= EXTERNAL.get(name, set())
        if name in classes and classes[name] is not node:
            made |= _made(classes[name], classes, by_on_start)
    return made


def test_every_example_is_type_checked():
    checked = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]["modules"]
    assert {path.stem for path in (ROOT / "examples").glob("*.py")} <= set(checked)


def test_nothing_is_left_to_do_and_no_machine_is_named():
    word = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|/home/\w|/root/|/work/")
    left = {
        f"{relative(path)}:{n}: {line.strip()}"
        for path in FILES
        for n, line in enumerate(path.read_text().splitlines(), 1)
        if word.search(line)
    }
    assert not left


def test_only_programs_print():
    printed = {
        where(name, node) for name, node in nodes(ast.Call)
        if ast.unparse(node.func) == "print" and not name.startswith(("tickbus/", "venue/server/main.py"))
    }  # fmt: skip
    assert not printed


def test_tests_have_names_of_their_own_and_no_packages():
    names = [path.name for path in TESTS if path.name.startswith("test_")]
    assert sorted(names) == sorted(set(names))
    assert not [relative(path) for path in TESTS if path.name == "__init__.py"]


def test_tests_read_no_figures_off_the_clock():
    """What is measured is measured in benchmarks, side by side; a test that times is a test that fails at night."""
    timed = {
        where(name, node)
        for name, node in nodes(ast.Assert, TESTS)
        if re.search(r"\b(perf_counter|process_time)\b", ast.unparse(node))
    }
    assert not timed


def test_no_two_public_classes_have_one_name():
    """In a stack trace and in a search a name means one thing. The `Settings` inside a class belongs to that class."""
    places: dict[str, list[str]] = {}
    for path in FILES:
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(where(relative(path), node))
    assert not {name: found for name, found in places.items() if len(found) > 1}


def test_a_log_event_is_a_phrase():
    """One word, as "late", does not state what happened to whom."""
    events = {
        (where(name, node), node.args[0].value) for name, node in nodes(ast.Call)
        if isinstance(node.func, ast.Attribute) and node.func.attr in LOG_METHODS
        and ast.unparse(node.func.value).split(".")[-1] in ("log", "_log")
        and node.args and isinstance(node.args[0], ast.Constant)
    }  # fmt: skip
    assert len(events) > 30
    assert not {(at, event) for at, event in events if len(event.split()) < 2}
