"""Pages and sources use the terms of docs/style.md. `python tests/docs/words.py FOLDER` prints what is left to do."""

import importlib.util
import sys
from pathlib import Path

import pytest

_spec = importlib.util.spec_from_file_location("docs_words", Path(__file__).with_name("words.py"))
assert _spec is not None
assert _spec.loader is not None
words = importlib.util.module_from_spec(_spec)
sys.modules["docs_words"] = words
_spec.loader.exec_module(words)

ROOT = words.ROOT

# Packages and pages that are not rewritten yet. This list only shrinks.
UNFINISHED: set[str] = set()
UNFINISHED_PAGES: set[str] = set()


def test_the_word_list_is_read_from_the_page():
    refused = words.banned_words()
    assert {"tell", "told", "asked", "wish", "that is none", "for so long"} <= set(refused)
    assert len(refused) == len(set(refused))


def test_words_are_found_whole_and_with_a_final_s_but_not_in_code():
    refused = words.pattern(["tell", "to ask"])
    text = words.Text(Path("a.md"), 10, "A retelling.\n`tell` tells,\nto\nask `x\ny` Tell")
    assert [(found.line, found.word) for found in words.findings(text, refused)] == [
        (11, "tells"), (12, "to\nask"), (14, "Tell")]  # fmt: skip


def test_docstrings_comments_log_events_errors_and_test_names_are_read(tmp_path):
    source = tmp_path / "one.py"
    source.write_text(
        '"""A docstring."""\n# a comment\nx = "data"\nself.log.info("an event", a="field")\n'
        'raise ValueError(f"an error {x}")\ndef test_a_name(): ...\n'
    )
    found = {text.text for text in words.source_texts(source)}
    assert found == {"A docstring.", "# a comment", "an event", "an error ", "test a name"}  # and not "data", "field"


def test_no_finished_package_is_on_the_list():
    finished = [one for one in UNFINISHED if not words.check(words.sources(ROOT / one))]
    assert finished == [], "remove them from the list"


@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in words.PAGES])
def test_a_page_uses_the_words_of_the_style_page(page):
    if str(page.relative_to(ROOT)) not in UNFINISHED_PAGES:
        assert [str(found) for found in words.check([page])] == []


@pytest.mark.parametrize("picture", [pytest.param(one, id=one.name) for one in words.PICTURES])
def test_a_picture_uses_the_words_of_the_style_page(picture):
    assert [str(found) for found in words.check([picture])] == []


@pytest.mark.parametrize("folder", words.PACKAGES + words.OTHERS)
def test_a_package_uses_the_words_of_the_style_page(folder):
    if folder not in UNFINISHED and (ROOT / folder).exists():
        assert [str(found) for found in words.check(words.sources(ROOT / folder))] == []
