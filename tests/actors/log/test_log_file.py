"""LogFile: removed, moved, not rotatable, on a full disk: the actor goes on, and writes again as soon as it can."""

import os
import shutil
from errno import EACCES, ENOSPC

import pytest

from actors.log import log_file
from actors.log.log_file import KEPT, LogFile


@pytest.fixture
def path(tmp_path):
    return tmp_path / "logs" / "maker.log"


@pytest.fixture
def log(path):
    path.parent.mkdir()
    found = LogFile(path, max_bytes=1_000)
    yield found
    found.close()


def lines(path):
    return path.read_text().splitlines()


def fails(number):
    def call(*_args, **_more):
        raise OSError(number, os.strerror(number))

    return call


def test_a_removed_log_is_made_anew_at_the_next_line(log, path):
    log.write("one\n")
    path.unlink()
    log.write("two\n")
    assert (lines(path), log.dropped) == (["two"], 0)


def test_a_log_that_another_program_moved_is_made_anew_and_the_moved_one_is_kept(log, path):
    log.write("one\n")
    path.rename(path.with_name("maker.log.yesterday"))
    log.write("two\n")
    path.with_name("empty").touch()
    path.with_name("empty").rename(path)
    log.write("three\n")
    assert (lines(path), log.dropped) == (["three"], 0)
    assert lines(path.with_name("maker.log.yesterday")) == ["one"]


def test_a_removed_folder_is_made_anew(log, path):
    log.write("one\n")
    shutil.rmtree(path.parent)
    log.write("two\n")
    assert (lines(path), log.dropped) == (["two"], 0)


def test_a_log_rotates_and_keeps_the_latest_files(log, path):
    for number in range(200):
        log.write(f"line {number:03d} {'x' * 80}\n")
    assert log.dropped == 0
    names = ["maker.log", *(f"maker.log.{n}" for n in range(1, KEPT + 1))]
    assert sorted(one.name for one in path.parent.iterdir()) == names
    assert all(one.stat().st_size <= 1_000 for one in path.parent.iterdir())
    assert lines(path)[-1].startswith("line 199")


def test_a_log_that_cannot_be_rotated_grows_on_and_rotates_later(log, path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(log_file.Path, "rename", fails(EACCES))
        for number in range(30):
            log.write(f"line {number} {'x' * 80}\n")
    assert (len(lines(path)), log.dropped) == (30, 0)
    log.write("after\n")
    assert (lines(path), log.dropped) == (["after"], 0)


def test_a_file_that_cannot_be_opened_after_its_rotation_leaves_no_closed_descriptor_in_use(log, path, monkeypatch):
    log.write("y" * 990 + "\n")
    with monkeypatch.context() as patch:
        patch.setattr(log_file.os, "open", fails(ENOSPC))
        log.write("z" * 100 + "\n")
        victim = path.with_name("victim").open("wb")
        log.write("w" * 30 + "\n")
    assert os.fstat(victim.fileno()).st_size == 0
    victim.close()
    log.write("again\n")
    assert lines(path) == ["again"]


def test_a_log_that_cannot_be_made_at_the_start_is_made_once_it_can(tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(log_file.os, "open", fails(ENOSPC))
        log = LogFile(tmp_path / "maker.log")
        log.write("lost\n")
    log.write("kept\n")
    assert (lines(tmp_path / "maker.log"), log.dropped) == (["kept"], 1)
    log.close()


def test_a_line_that_was_cut_by_a_full_disk_does_not_spoil_the_next_one(log, path, monkeypatch):
    real = os.write
    with monkeypatch.context() as patch:
        patch.setattr(log_file.os, "write", lambda fd, data: real(fd, data[:5]))
        log.write('{"event":"cut"}\n')
    log.write('{"event":"whole"}\n')
    assert (lines(path), log.dropped) == (['{"eve', '{"event":"whole"}'], 1)
