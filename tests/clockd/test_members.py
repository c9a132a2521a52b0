"""The tick order of the members, and the positions that each gets."""

from clockd.members import Members
from protocol import Join

BOOK = ("md.feed.X.book.", 1, 7)


def names(members):
    return [[member.name for member in wave] for wave in members.waves]


def test_an_actor_that_joins_later_comes_after_all_that_it_follows():
    members = Members([["feed"], ["maker"], ["last"]])
    members.join(Join("watcher", 1, follows=["feed"]))
    assert names(members) == [["feed"], ["watcher"], ["maker"], ["last"]]
    members.join(Join("second", 1, follows=["feed"]))
    assert names(members) == [["feed"], ["watcher"], ["second"], ["maker"], ["last"]]
    members.join(Join("third", 1, follows=["watcher", "maker"]))
    assert names(members) == [["feed"], ["watcher"], ["second"], ["maker"], ["third"], ["last"]]


def test_an_actor_that_follows_no_other_comes_last():
    members = Members([["feed"]])
    members.join(Join("loner", 1))
    assert names(members) == [["feed"], ["loner"]]


def test_an_actor_that_leaves_loses_its_place_unless_the_run_file_names_it():
    members = Members([["feed"], ["maker"]])
    for name in ("feed", "maker", "watcher"):
        members.join(Join(name, 1))
    assert members.leave("watcher", 1) is not None
    assert members.leave("maker", 2) is None  # of an earlier epoch
    assert members.leave("maker", 1) is not None
    assert names(members) == [["feed"], ["maker"]]
    assert not members.by_name["maker"].joined


def test_a_mark_goes_to_the_subscribers_of_the_stream():
    members = Members([["feed"], ["maker"], ["deaf"]])
    members.join(Join("maker", 1, subscriptions=["md.feed.X."]))
    members.join(Join("deaf", 1, subscriptions=["md.feed.Y."]))
    members.record([BOOK])
    assert members.by_name["maker"].positions == {BOOK[0]: BOOK}
    assert members.by_name["deaf"].positions == {}


def test_marks_of_commands_and_answers_go_to_their_receiver():
    members = Members([["maker"], ["binance"]])
    members.join(Join("binance", 1))
    members.record([("cmd.maker.binance.", 1, 3), ("ans.maker.other.", 1, 3)])
    assert list(members.by_name["binance"].positions) == ["cmd.maker.binance."]


def test_an_actor_that_joins_gets_all_earlier_marks():
    members = Members([["feed"]])
    members.record([BOOK])
    members.join(Join("maker", 1, subscriptions=["md.feed."]))
    assert members.by_name["maker"].positions == {BOOK[0]: BOOK}


def test_no_actor_waits_for_the_streams_of_an_earlier_epoch():
    members = Members([["feed"], ["maker"]])
    members.join(Join("feed", 1))
    members.join(Join("maker", 1, subscriptions=["md.feed."]))
    members.record([BOOK])
    members.join(Join("feed", 2))
    assert members.by_name["maker"].positions == {}
