"""A descriptor that can be written without ever blocking the process that shares it.

Standard output usually belongs to others too (a shell, a supervisor, siblings), so its flags are left alone: a
pipe or terminal is opened anew for ourselves, a socket is written with MSG_DONTWAIT, a file is written as it is.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import socket
import stat
import termios

__all__ = ["Channel"]

_PIPE_BUF = select.PIPE_BUF
_EMPTY_PIPE_WRITE = 16_384
_LARGEST_WRITE = 1_048_576


class Channel:
    """Our own hold on descriptor ``fd``; closing the original later does not touch it.

    Raises OSError when ``fd`` is not open.
    """

    def __init__(self, fd: int) -> None:
        mode = os.fstat(fd).st_mode
        self._socket = socket.socket(fileno=os.dup(fd)) if stat.S_ISSOCK(mode) else None
        self._can_wait = stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(fd)
        self._is_pipe = stat.S_ISFIFO(mode)
        self._fd = self._socket.fileno() if self._socket is not None else _own(fd, may_reopen=self._can_wait)

    def room(self, wanted: int) -> int:
        """How many octets to write at once so that other writers of the same pipe cannot tear a line apart.

        A pipe takes up to PIPE_BUF whole or not at all (POSIX write), and more when it is empty.
        """
        if not self._is_pipe:
            return _LARGEST_WRITE
        if wanted <= _PIPE_BUF:
            return _PIPE_BUF
        try:
            waiting = fcntl.ioctl(self._fd, termios.FIONREAD, b"\0\0\0\0")
        except OSError:
            return _PIPE_BUF
        return _PIPE_BUF if any(waiting) else _EMPTY_PIPE_WRITE

    def write(self, octets: bytes | memoryview) -> int:
        """Write what can be written now and say how much; raises BlockingIOError when that is nothing, or OSError."""
        if self._socket is not None:
            return self._socket.send(octets, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
        if self._can_wait and not os.get_blocking(self._fd):
            return os.write(self._fd, octets)
        if self._can_wait and not self.wait(0.0):
            raise BlockingIOError
        return os.write(self._fd, octets[:_PIPE_BUF] if self._can_wait else octets)

    def wait(self, timeout_s: float) -> bool:
        """Wait until a write may succeed; a file is always ready."""
        if not self._can_wait:
            return True
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        return bool(poll.poll(max(timeout_s, 0.0) * 1_000))

    def close(self) -> None:
        """Let go; the original descriptor stays as it is."""
        with contextlib.suppress(OSError):
            if self._socket is not None:
                self._socket.close()
            else:
                os.close(self._fd)


def _own(fd: int, *, may_reopen: bool) -> int:
    """A private non-blocking opening of a pipe or terminal where the system allows it, else a duplicate."""
    if may_reopen:
        with contextlib.suppress(OSError):
            return os.open(f"/proc/self/fd/{fd}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    return os.dup(fd)
