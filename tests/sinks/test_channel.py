"""A channel writes without blocking and leaves the shared descriptor's flags alone."""

from __future__ import annotations

import os
import pty
import select
import socket
from pathlib import Path

import pytest

from obslib.sinks.channel import Channel


def _fill(channel: Channel) -> None:
    while True:
        channel.write(b"x" * select.PIPE_BUF)


def test_a_full_pipe_refuses_and_the_original_stays_blocking() -> None:
    """A pipe that nobody reads gives BlockingIOError, and O_NONBLOCK is not set on the caller's descriptor."""
    reader, writer = os.pipe()
    channel = Channel(writer)
    with pytest.raises(BlockingIOError):
        _fill(channel)
    assert os.get_blocking(writer)
    assert not channel.wait(0.0)
    os.read(reader, 65_536)
    assert channel.wait(1.0)
    channel.close()
    os.close(reader)
    os.close(writer)


def test_it_outlives_the_original_descriptor() -> None:
    """Closing the caller's descriptor, or giving its number to a file, does not redirect the channel."""
    reader, writer = os.pipe()
    channel = Channel(writer)
    os.close(writer)
    assert channel.write(b"still here") == 10
    assert os.read(reader, 100) == b"still here"
    channel.close()
    os.close(reader)


def test_a_full_socket_refuses() -> None:
    """A socket is written with MSG_DONTWAIT, and its blocking mode is left alone."""
    ours, theirs = socket.socketpair()
    channel = Channel(ours.fileno())
    with pytest.raises(BlockingIOError):
        _fill(channel)
    assert ours.getblocking()
    assert os.get_blocking(ours.fileno())
    channel.close()
    ours.close()
    theirs.close()


def test_a_terminal_takes_lines() -> None:
    """A terminal is opened anew."""
    try:
        primary, terminal = pty.openpty()
    except OSError as error:
        if os.environ.get("OBSLIB_REQUIRE_REAL") == "1":
            raise
        pytest.skip(f"no pseudo-terminal can be had here ({error}); /dev/pts is not mounted")
    channel = Channel(terminal)
    assert channel.write(b"line\n") == 5
    assert os.read(primary, 100) == b"line\r\n"
    channel.close()
    os.close(terminal)
    os.close(primary)


def test_a_file_takes_lines(tmp_path: Path) -> None:
    """A file is appended to where its descriptor stands."""
    with (tmp_path / "log").open("wb", buffering=0) as file:
        file.write(b"before\n")
        channel = Channel(file.fileno())
        assert channel.wait(0.0)
        channel.write(b"after\n")
        channel.close()
    assert (tmp_path / "log").read_bytes() == b"before\nafter\n"


def test_a_pipe_gets_more_at_once_only_while_it_is_empty(tmp_path: Path) -> None:
    """What other writers of the pipe could tear apart is kept to PIPE_BUF."""
    reader, writer = os.pipe()
    channel = Channel(writer)
    assert channel.room(100) == select.PIPE_BUF
    assert channel.room(100_000) > select.PIPE_BUF
    os.write(writer, b"x")
    assert channel.room(100_000) == select.PIPE_BUF
    channel.close()
    os.close(reader)
    os.close(writer)


def test_a_closed_descriptor_is_refused() -> None:
    """A descriptor that is not open raises OSError."""
    reader, writer = os.pipe()
    os.close(reader)
    os.close(writer)
    with pytest.raises(OSError, match="Bad file descriptor"):
        Channel(writer)
