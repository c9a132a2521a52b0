"""docs/reference.md lists what the public packages export, with the signatures of today."""

import importlib.util
import re
import sys
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("docs_reference", Path(__file__).with_name("reference.py"))
assert _spec is not None
assert _spec.loader is not None
reference = importlib.util.module_from_spec(_spec)
sys.modules["docs_reference"] = reference
_spec.loader.exec_module(reference)


def test_the_page_is_what_the_sources_give():
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page(), "run: python tests/docs/reference.py"


def members(name):
    """The public names of a class on the page."""
    part = re.search(rf"^### `{name}\b.*?(?=^##|\Z)", reference.page(), re.MULTILINE | re.DOTALL)
    assert part, name
    return set(re.findall(r"^- `(\w+)", part[0], re.MULTILINE))


def test_what_a_user_must_not_call_is_not_listed():
    assert "apply_snapshot" in reference.INTERNAL["Market"]
    for name, internal in reference.INTERNAL.items():
        assert not members(name) & internal, name


@pytest.mark.parametrize("name", reference.INTERNAL)
def test_each_internal_name_is_one_of_its_class(name, monkeypatch):
    internal = reference.INTERNAL[name]
    monkeypatch.setattr(reference, "INTERNAL", {})
    assert internal <= members(name)


def test_a_strategy_is_listed_with_the_handlers_that_it_inherits():
    assert {"buy", "on_fill", "on_order_update", "order_changed", "on_trade"} <= members("Strategy")
    inherited = re.search(
        r"^Inherited from `Actor`: (.*)$", reference.page().partition("### `Strategy")[2], re.MULTILINE
    )
    assert {"`on_tick`", "`on_start`", "`after`", "`publish`"} <= set(inherited[1].rstrip(".").split(", "))


def test_the_options_of_an_order_are_listed():
    assert members("OrderOptions") == {"ord_type", "post_only", "time_in_force", "stp", "allow_stale", "tag"}


@pytest.mark.parametrize("package", reference.PACKAGES)
def test_every_exported_name_is_listed(package):
    part = reference.page().partition(f"## `{package}`\n")[2].partition("\n## ")[0]
    listed = re.findall(r"^### `(\w+)", part, re.MULTILINE)
    assert sorted(listed, key=str.lower) == sorted(reference.exported(package), key=str.lower)
