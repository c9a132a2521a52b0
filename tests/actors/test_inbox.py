"""What an actor hears of one stream: gaps, doubles, late ones, new lives, and the frames that wait for a snapshot."""

from hypothesis import given
from hypothesis import strategies as st

from actors.inbox import MAX_HELD_FRAMES, Inbox

TOPIC = b"md.feed.X.book."


def heard(inbox, *numbers, epoch=1):
    """Which of the frames with these numbers are delivered at once."""
    stream = inbox.stream(TOPIC)
    return [seq for seq in numbers if inbox.accept(stream, epoch, seq, frame(seq, epoch))]


def frame(seq, epoch=1):
    return f"{epoch}/{seq}".encode()


def resumed(inbox, seq, epoch=1, has_state=True):
    """The held frames that a snapshot at (epoch, seq) sets free."""
    return list(inbox.resume(inbox.stream(TOPIC), epoch, seq, has_state))


def new_inbox():
    inbox = Inbox()
    assert inbox.subscribe("md.feed.")
    return inbox


def test_only_what_is_subscribed_is_a_stream():
    inbox = new_inbox()
    assert not inbox.subscribe("md.feed.")
    assert inbox.stream(b"md.other.X.book.") is None
    assert inbox.stream(TOPIC) is inbox.stream(TOPIC)
    assert inbox.of("feed") == [inbox.stream(TOPIC)]


def test_the_first_message_of_a_stream_needs_no_snapshot():
    inbox = new_inbox()
    assert heard(inbox, 1, 2, 3) == [1, 2, 3]
    assert not inbox.unsynced


def test_a_late_joiner_hears_nothing_before_the_snapshot_and_then_all():
    inbox = new_inbox()
    assert heard(inbox, 41, 42, 43, 44) == []
    assert list(inbox.unsynced) == [TOPIC.decode()]
    assert resumed(inbox, 42) == [frame(43), frame(44)]
    assert heard(inbox, 45) == [45]
    assert not inbox.unsynced
    assert inbox.lost == 0


def test_a_gap_is_counted_and_ends_the_stream_until_the_snapshot():
    inbox = new_inbox()
    assert heard(inbox, 1, 2, 5, 6) == [1, 2]
    assert inbox.lost == 2
    assert not inbox.stream(TOPIC).live
    assert resumed(inbox, 6) == []
    assert heard(inbox, 7) == [7]


def test_what_comes_twice_or_too_late_is_dropped():
    inbox = new_inbox()
    assert heard(inbox, 1, 2, 2, 1, 3) == [1, 2, 3]
    assert inbox.duplicates == 2
    assert inbox.lost == 0


def test_a_frame_of_an_old_life_is_dropped():
    inbox = new_inbox()
    heard(inbox, 5, epoch=2)
    resumed(inbox, 5, epoch=2)
    assert heard(inbox, 6, epoch=1) == []
    assert inbox.duplicates == 1
    assert heard(inbox, 6, epoch=2) == [6]


def test_a_new_life_is_a_gap_even_if_its_number_would_be_the_next():
    inbox = new_inbox()
    assert heard(inbox, 1, 2) == [1, 2]
    assert heard(inbox, 3, epoch=2) == []
    assert not inbox.stream(TOPIC).live
    assert resumed(inbox, 2, epoch=2) == [frame(3, 2)]


def test_a_snapshot_of_a_new_life_sets_no_frames_of_the_old_free():
    inbox = new_inbox()
    heard(inbox, 1, 3, 4)
    heard(inbox, 1, 2, epoch=2)
    assert resumed(inbox, 1, epoch=2) == [frame(2, 2)]


def test_what_was_taken_for_lost_and_comes_after_all_needs_no_snapshot():
    inbox = new_inbox()
    heard(inbox, 1, 2)
    inbox.set_stale(inbox.stream(TOPIC))  # as when a mark did not come within the wait
    assert heard(inbox, 3) == [3]
    assert not inbox.unsynced


def test_a_second_hole_among_the_held_frames_needs_a_second_snapshot():
    inbox = new_inbox()
    heard(inbox, 1, 3, 4, 6, 7)
    assert resumed(inbox, 3) == [frame(4)]
    assert list(inbox.unsynced) == [TOPIC.decode()]
    assert resumed(inbox, 6) == [frame(7)]
    assert not inbox.unsynced


def test_a_snapshot_that_says_nothing_sets_all_free_that_was_held():
    inbox = new_inbox()
    heard(inbox, 1, 3, 4, 6)
    assert resumed(inbox, 4, has_state=False) == [frame(3), frame(4), frame(6)]
    assert heard(inbox, 7) == [7]
    assert inbox.lost == 2


def test_a_snapshot_that_says_nothing_does_not_pass_over_what_is_still_on_its_way():
    inbox = new_inbox()
    heard(inbox, 1, 3, 4)
    assert resumed(inbox, 9, has_state=False) == [frame(3), frame(4)]
    assert heard(inbox, 5, 6, 7, 8, 9, 10) == [5, 6, 7, 8, 9, 10]
    assert inbox.lost == 1


def test_a_snapshot_that_says_nothing_is_where_a_silent_stream_stands():
    inbox = new_inbox()
    inbox.set_stale(inbox.stream(TOPIC))
    assert resumed(inbox, 9, has_state=False) == []
    assert inbox.behind([(TOPIC.decode(), 1, 9)]) == {}
    assert heard(inbox, 10) == [10]


def test_held_frames_are_bounded_and_what_is_given_up_is_counted():
    inbox = new_inbox()
    heard(inbox, *range(2, MAX_HELD_FRAMES + 4))
    assert inbox.duplicates == MAX_HELD_FRAMES
    assert len(inbox.stream(TOPIC).held) == 2
    assert resumed(inbox, MAX_HELD_FRAMES + 2) == [frame(MAX_HELD_FRAMES + 3)]


def test_marks_that_are_not_reached_are_told():
    inbox = new_inbox()
    topic = TOPIC.decode()
    assert inbox.behind([(topic, 1, 1)]) == {topic: (topic, 1, 1)}
    heard(inbox, 1, 2)
    assert inbox.behind([(topic, 1, 2)]) == {}
    assert inbox.behind([(topic, 1, 3)]) == {topic: (topic, 1, 3)}
    assert inbox.behind([(topic, 2, 1)]) == {topic: (topic, 2, 1)}
    assert inbox.behind([("md.other.X.book.", 1, 1)]) == {}  # not ours to hear
    heard(inbox, 4)
    assert inbox.behind([(topic, 1, 2)]) == {topic: (topic, 1, 2)}  # not whole, so not sure


NEWS = st.lists(
    st.tuples(st.integers(1, 3), st.integers(1, 12)) | st.tuples(st.just("snapshot"), st.integers(0, 12)), max_size=40
)


@given(NEWS)
def test_whatever_is_lost_doubled_or_swapped_what_is_delivered_is_contiguous(news):
    """Between snapshots every delivered frame follows the one before it, in the same life."""
    inbox = new_inbox()
    stream = inbox.stream(TOPIC)
    at = (0, 0)
    for what, seq in news:
        if what == "snapshot":
            epoch = max(stream.epoch, 1)
            if (epoch, seq) < (stream.epoch, stream.seq):
                continue  # older than what has been seen: the caller leaves it
            at = (epoch, seq)
            delivered = resumed(inbox, seq, epoch)
        else:
            delivered = [frame(seq, what)] if inbox.accept(stream, what, seq, frame(seq, what)) else []
        for one in delivered:
            assert one in (frame(at[1] + 1, at[0]), frame(1, what) if at == (0, 0) else None)
            at = tuple(int(part) for part in one.split(b"/"))
        assert (stream.epoch, stream.seq) == at
        assert stream.live is (stream.topic not in inbox.unsynced) or at == (0, 0)
