"""LoadedCode: an edit of a loaded file shows, a touch or an edit of another file does not."""

import sys
from errno import ENOSPC
from pathlib import Path

import pytest

from tickbus.process.loaded_code import LoadedCode


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A user's file that this process has loaded."""
    path = tmp_path / "users_quotes.py"
    path.write_text("SPREAD = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    __import__("users_quotes")
    yield path
    del sys.modules["users_quotes"]


def test_an_edited_file_shows_and_one_that_was_only_touched_does_not(tmp_path, source):
    LoadedCode(tmp_path, "maker").record()
    source.touch()
    assert LoadedCode(tmp_path, "maker").changed() == []
    source.write_text("SPREAD = 2\n")
    assert LoadedCode(tmp_path, "maker").changed() == [source]
    source.unlink()
    assert LoadedCode(tmp_path, "maker").changed() == [source]


def test_files_that_are_not_loaded_and_pythons_own_do_not_count(tmp_path, source):
    (tmp_path / "other.py").write_text("pass\n")
    code = LoadedCode(tmp_path, "maker")
    code.record()
    recorded = (tmp_path / "maker.code").read_text()
    assert str(source) in recorded
    assert "other.py" not in recorded
    assert "json/__init__.py" not in recorded


def test_without_a_record_and_on_a_full_disk_nothing_counts_as_changed(tmp_path, source, monkeypatch):
    code = LoadedCode(tmp_path, "maker")
    assert code.changed() == []
    code.record()

    def full(*_args, **_more):
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    code.record()
    assert code.changed() == []
    assert sorted(one.suffix for one in tmp_path.iterdir() if one.is_file()) == [".py"]
