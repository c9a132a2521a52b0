"""LossyStream: writes to a pipe that no process reads, a closed pipe or a full disk return, and raise nothing."""

import os

import pytest

from actors.log.lossy_stream import LossyStream


@pytest.fixture
def pipe():
    ends = os.pipe()
    yield ends
    for one in ends:
        try:
            os.close(one)
        except OSError:
            continue


def test_text_is_written_whole_as_long_as_it_is_read(pipe):
    stream = LossyStream(pipe[1])
    print("first", "ünd", file=stream, flush=True)
    assert stream.write("x" * 10_000) == 10_000
    assert os.read(pipe[0], 65_536) == "first ünd\n".encode() + b"x" * 10_000
    assert stream.lost_writes == 0


def test_a_pipe_that_no_process_reads_takes_what_fits_and_blocks_no_write(pipe):
    stream = LossyStream(pipe[1])
    for _ in range(100):
        stream.write("y" * 4_000)
    assert stream.lost_writes > 0
    assert len(os.read(pipe[0], 1 << 20)) >= 60_000
    assert stream.write("again\n") == 6, "it writes again once there is room"
    assert os.read(pipe[0], 1 << 20).endswith(b"again\n")


def test_a_pipe_whose_reader_is_gone_and_a_closed_descriptor_raise_nothing(pipe):
    stream = LossyStream(pipe[1])
    os.close(pipe[0])
    stream.write("to no reader")
    os.close(pipe[1])
    stream.write("to a closed descriptor")
    assert stream.lost_writes == 2


def test_a_full_device_raises_nothing():
    fd = os.open("/dev/full", os.O_WRONLY)
    stream = LossyStream(fd)
    print("a line", file=stream, flush=True)
    os.close(fd)
    assert stream.lost_writes >= 1
