"""One received stream: gaps, duplicates, late frames, new epochs, and frames that are held for a snapshot."""

from hypothesis import given
from hypothesis import strategies as st

from actors.inbox import MAX_HELD_FRAMES, Inbox

TOPIC = b"md.feed.X.book."


def delivered(inbox, *numbers, epoch=1):
    """The numbers of the frames that are delivered at once."""
    stream = inbox.stream(TOPIC)
    return [seq for seq in numbers if inbox.accept(stream, epoch, seq, frame(seq, epoch))]


def frame(seq, epoch=1):
    return f"{epoch}/{seq}".encode()


def resumed(inbox, seq, epoch=1, has_state=True):
    """The numbers of the held frames that a snapshot at (epoch, seq) releases."""
    return list(inbox.resume(inbox.stream(TOPIC), epoch, seq, has_state))


def new_inbox():
    inbox = Inbox()
    assert inbox.subscribe("md.feed.")
    return inbox


def test_only_a_subscribed_topic_is_a_stream():
    inbox = new_inbox()
    assert not inbox.subscribe("md.feed.")
    assert inbox.stream(b"md.other.X.book.") is None
    assert inbox.stream(TOPIC) is inbox.stream(TOPIC)
    assert inbox.of("feed") == [inbox.stream(TOPIC)]


def test_the_first_message_of_a_stream_needs_no_snapshot():
    inbox = new_inbox()
    assert delivered(inbox, 1, 2, 3) == [1, 2, 3]
    assert not inbox.unsynced


def test_a_late_joiner_receives_nothing_before_the_snapshot_and_then_everything():
    inbox = new_inbox()
    assert delivered(inbox, 41, 42, 43, 44) == []
    assert list(inbox.unsynced) == [TOPIC.decode()]
    assert resumed(inbox, 42) == [frame(43), frame(44)]
    assert delivered(inbox, 45) == [45]
    assert not inbox.unsynced
    assert inbox.lost == 0


def test_a_gap_is_counted_and_ends_the_stream_until_the_snapshot():
    inbox = new_inbox()
    assert delivered(inbox, 1, 2, 5, 6) == [1, 2]
    assert inbox.lost == 2
    assert not inbox.stream(TOPIC).live
    assert resumed(inbox, 6) == []
    assert delivered(inbox, 7) == [7]


def test_a_frame_that_comes_twice_or_too_late_is_dropped():
    inbox = new_inbox()
    assert delivered(inbox, 1, 2, 2, 1, 3) == [1, 2, 3]
    assert inbox.duplicates == 2
    assert inbox.lost == 0


def test_a_frame_of_an_old_epoch_is_dropped():
    inbox = new_inbox()
    delivered(inbox, 5, epoch=2)
    resumed(inbox, 5, epoch=2)
    assert delivered(inbox, 6, epoch=1) == []
    assert inbox.duplicates == 1
    assert delivered(inbox, 6, epoch=2) == [6]


def test_a_new_epoch_is_a_gap_even_if_its_number_would_be_the_next():
    inbox = new_inbox()
    assert delivered(inbox, 1, 2) == [1, 2]
    assert delivered(inbox, 3, epoch=2) == []
    assert not inbox.stream(TOPIC).live
    assert resumed(inbox, 2, epoch=2) == [frame(3, 2)]


def test_a_snapshot_of_a_new_epoch_releases_no_frames_of_the_old_one():
    inbox = new_inbox()
    delivered(inbox, 1, 3, 4)
    delivered(inbox, 1, 2, epoch=2)
    assert resumed(inbox, 1, epoch=2) == [frame(2, 2)]


def test_a_late_frame_that_counted_as_lost_needs_no_snapshot():
    inbox = new_inbox()
    delivered(inbox, 1, 2)
    inbox.set_stale(inbox.stream(TOPIC))  # as after a stream has not reached a mark within the wait
    assert delivered(inbox, 3) == [3]
    assert not inbox.unsynced


def test_a_second_gap_among_the_held_frames_needs_a_second_snapshot():
    inbox = new_inbox()
    delivered(inbox, 1, 3, 4, 6, 7)
    assert resumed(inbox, 3) == [frame(4)]
    assert list(inbox.unsynced) == [TOPIC.decode()]
    assert resumed(inbox, 6) == [frame(7)]
    assert not inbox.unsynced


def test_a_snapshot_without_a_state_releases_all_held_frames():
    inbox = new_inbox()
    delivered(inbox, 1, 3, 4, 6)
    assert resumed(inbox, 4, has_state=False) == [frame(3), frame(4), frame(6)]
    assert delivered(inbox, 7) == [7]
    assert inbox.lost == 2


def test_a_snapshot_without_a_state_does_not_skip_frames_on_their_way():
    inbox = new_inbox()
    delivered(inbox, 1, 3, 4)
    assert resumed(inbox, 9, has_state=False) == [frame(3), frame(4)]
    assert delivered(inbox, 5, 6, 7, 8, 9, 10) == [5, 6, 7, 8, 9, 10]
    assert inbox.lost == 1


def test_a_snapshot_without_a_state_sets_the_position_of_a_silent_stream():
    inbox = new_inbox()
    inbox.set_stale(inbox.stream(TOPIC))
    assert resumed(inbox, 9, has_state=False) == []
    assert inbox.behind([(TOPIC.decode(), 1, 9)]) == {}
    assert delivered(inbox, 10) == [10]


def test_held_frames_are_bounded_and_the_discarded_ones_are_counted():
    inbox = new_inbox()
    delivered(inbox, *range(2, MAX_HELD_FRAMES + 4))
    assert inbox.duplicates == MAX_HELD_FRAMES
    assert len(inbox.stream(TOPIC).held) == 2
    assert resumed(inbox, MAX_HELD_FRAMES + 2) == [frame(MAX_HELD_FRAMES + 3)]


def test_marks_that_are_not_reached_are_returned():
    inbox = new_inbox()
    topic = TOPIC.decode()
    assert inbox.behind([(topic, 1, 1)]) == {topic: (topic, 1, 1)}
    delivered(inbox, 1, 2)
    assert inbox.behind([(topic, 1, 2)]) == {}
    assert inbox.behind([(topic, 1, 3)]) == {topic: (topic, 1, 3)}
    assert inbox.behind([(topic, 2, 1)]) == {topic: (topic, 2, 1)}
    assert inbox.behind([("md.other.X.book.", 1, 1)]) == {}  # not subscribed
    delivered(inbox, 4)
    assert inbox.behind([(topic, 1, 2)]) == {topic: (topic, 1, 2)}  # not live, so its position is not certain


NEWS = st.lists(
    st.tuples(st.integers(1, 3), st.integers(1, 12)) | st.tuples(st.just("snapshot"), st.integers(0, 12)), max_size=40
)


@given(NEWS)
def test_delivered_frames_are_contiguous_whatever_is_lost_doubled_or_swapped(frames):
    """Between snapshots every delivered frame follows the one before it, in the same epoch."""
    inbox = new_inbox()
    stream = inbox.stream(TOPIC)
    at = (0, 0)
    for what, seq in frames:
        if what == "snapshot":
            epoch = max(stream.epoch, 1)
            if (epoch, seq) < (stream.epoch, stream.seq):
                continue  # older than the stream: the caller ignores it
            at = (epoch, seq)
            delivered = resumed(inbox, seq, epoch)
        else:
            delivered = [frame(seq, what)] if inbox.accept(stream, what, seq, frame(seq, what)) else []
        for one in delivered:
            assert one in (frame(at[1] + 1, at[0]), frame(1, what) if at == (0, 0) else None)
            at = tuple(int(part) for part in one.split(b"/"))
        assert (stream.epoch, stream.seq) == at
        assert stream.live is (stream.topic not in inbox.unsynced) or at == (0, 0)
