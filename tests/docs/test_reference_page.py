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


@pytest.mark.parametrize("package", reference.PACKAGES)
def test_every_exported_name_is_listed(package):
    part = reference.page().partition(f"## `{package}`\n")[2].partition("\n## ")[0]
    listed = re.findall(r"^### `(\w+)", part, re.MULTILINE)
    assert sorted(listed, key=str.lower) == sorted(reference.exported(package), key=str.lower)
