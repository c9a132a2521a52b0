"""The kill switch is a file; whoever can write to the run folder can throw it, whatever else is dead."""

from actors.live.kill_switch import CANCEL_ALL, FILE, NOTHING_NEW, KillSwitch


def test_it_is_thrown_by_a_file_and_stays_thrown_until_the_file_is_gone(tmp_path):
    switch = KillSwitch(tmp_path)
    assert switch() == 0
    (tmp_path / FILE).touch()
    assert switch() == NOTHING_NEW
    assert KillSwitch(tmp_path)() == NOTHING_NEW
    (tmp_path / FILE).unlink()
    assert switch() == 0


def test_the_word_cancel_takes_everything_off_the_market_too(tmp_path):
    (tmp_path / FILE).write_text("Cancel everything\n")
    assert KillSwitch(tmp_path)() == CANCEL_ALL


def test_a_file_that_says_nothing_readable_counts_as_thrown(tmp_path):
    (tmp_path / FILE).write_bytes(b"\xff\xfe")
    assert KillSwitch(tmp_path)() == NOTHING_NEW
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).mkdir()
    assert KillSwitch(tmp_path)() == NOTHING_NEW
