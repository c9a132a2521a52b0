"""The kill switch is a file in the run folder: it works without any process of the bot."""

from actors.live.kill_switch import CANCEL_ALL, FILE, NOTHING_NEW, KillSwitch


def test_a_file_switches_it_on_until_the_file_is_removed(tmp_path):
    switch = KillSwitch(tmp_path)
    assert switch() == 0
    (tmp_path / FILE).touch()
    assert switch() == NOTHING_NEW
    assert KillSwitch(tmp_path)() == NOTHING_NEW
    (tmp_path / FILE).unlink()
    assert switch() == 0


def test_the_text_cancel_in_the_file_cancels_all_open_orders_too(tmp_path):
    (tmp_path / FILE).write_text("Cancel everything\n")
    assert KillSwitch(tmp_path)() == CANCEL_ALL


def test_a_file_that_cannot_be_read_switches_it_on(tmp_path):
    (tmp_path / FILE).write_bytes(b"\xff\xfe")
    assert KillSwitch(tmp_path)() == NOTHING_NEW
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).mkdir()
    assert KillSwitch(tmp_path)() == NOTHING_NEW
