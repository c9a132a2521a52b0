"""Who is ticked after whom, and what each has to have seen."""

from clockd.members import Members
from protocol import Join

BOOK = ("md.feed.X.book.", 1, 7)


def names(members):
    return [[member.name for member in wave] for wave in members.waves]


def test_who_joins_later_comes_after_all_that_it_follows():
    members = Members([["feed"], ["maker"], ["last"]])
    members.join(Join("watcher", 1, follows=["feed"]))
    assert names(members) == [["feed"], ["watcher"], ["maker"], ["last"]]
    members.join(Join("second", 1, follows=["feed"]))
    assert names(members) == [["feed"], ["watcher"], ["second"], ["maker"], ["last"]]
    members.join(Join("third", 1, follows=["watcher", "maker"]))
    assert names(members) == [["feed"], ["watcher"], ["second"], ["maker"], ["third"], ["last"]]


def test_who_follows_nobody_comes_last():
    members = Members([["feed"]])
    members.join(Join("loner", 1))
    assert names(members) == [["feed"], ["loner"]]


def test_who_leaves_makes_room_unless_the_run_file_has_its_place():
    members = Members([["feed"], ["maker"]])
    for name in ("feed", "maker", "watcher"):
        members.join(Join(name, 1))
    assert members.leave("watcher", 1) is not None
    assert members.leave("maker", 2) is None  # an earlier life's word
    assert members.leave("maker", 1) is not None
    assert names(members) == [["feed"], ["maker"]]
    assert not members.by_name["maker"].joined


def test_a_mark_goes_to_those_who_hear_the_stream():
    members = Members([["feed"], ["maker"], ["deaf"]])
    members.join(Join("maker", 1, subscriptions=["md.feed.X."]))
    members.join(Join("deaf", 1, subscriptions=["md.feed.Y."]))
    members.record([BOOK])
    assert members.by_name["maker"].marks == {BOOK[0]: BOOK}
    assert members.by_name["deaf"].marks == {}


def test_commands_and_answers_are_marked_for_the_one_they_are_told_to():
    members = Members([["maker"], ["binance"]])
    members.join(Join("binance", 1))
    members.record([("cmd.maker.binance.", 1, 3), ("ans.maker.other.", 1, 3)])
    assert list(members.by_name["binance"].marks) == ["cmd.maker.binance."]


def test_who_joins_is_told_of_all_that_was_said_before():
    members = Members([["feed"]])
    members.record([BOOK])
    members.join(Join("maker", 1, subscriptions=["md.feed."]))
    assert members.by_name["maker"].marks == {BOOK[0]: BOOK}


def test_nobody_waits_for_the_streams_of_an_earlier_life():
    members = Members([["feed"], ["maker"]])
    members.join(Join("feed", 1))
    members.join(Join("maker", 1, subscriptions=["md.feed."]))
    members.record([BOOK])
    members.join(Join("feed", 2))
    assert members.by_name["maker"].marks == {}
