"""A workload that writes more than anybody wants to read: as fast as it can, or ``FLOOD_LINES_PER_S`` lines each second.

With ``FLOOD_HOSTILE=1`` every tenth line is long, or holds what harms a careless reader: terminal escapes, NUL bytes,
broken UTF-8, carriage returns that would hide it. It answers a TCP health check all the while.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from collections.abc import Iterator

_AT_ONCE = 100
_HOSTILE = (
    b"long " + b"\xf0\x9f\x8c\x8a" * 8_192,
    b"\x1b]0;owned\x07\x1b[2J\x1b[31mred\x1b[0m",
    b"nul \x00\x00 and broken utf-8 \xff\xfe\xc3(",
    b"visible\rhidden\x08\x08\x7f",
    b"\xe2\x80\xaeright to left\xe2\x80\xac",
)


def lines(is_hostile: bool) -> Iterator[bytes]:
    """Numbered lines for ever, so that a reader can tell what is missing."""
    number = 0
    while True:
        hostile = is_hostile and number % 10 == 9
        yield b"%d %s\n" % (number, _HOSTILE[number // 10 % len(_HOSTILE)] if hostile else b"all work and no play")
        number += 1


def main() -> None:
    """Listen, and write until somebody makes it stop; ``FLOOD_LINES`` ends the writing after so many lines."""
    server = socket.create_server((os.environ["ADDRESS"], int(os.environ["PORT"])))
    threading.Thread(target=_answer, args=(server,), daemon=True).start()
    rate = float(os.environ.get("FLOOD_LINES_PER_S", "0"))
    most = int(os.environ.get("FLOOD_LINES", "0"))
    begun = time.monotonic()
    written = 0
    source = lines(os.environ.get("FLOOD_HOSTILE") == "1")
    while not most or written < most:
        count = min(_AT_ONCE, most - written) if most else _AT_ONCE
        sys.stdout.buffer.write(b"".join(next(source) for _ in range(count)))
        sys.stdout.buffer.flush()
        written += count
        if rate:
            time.sleep(max(0.0, begun + written / rate - time.monotonic()))
    threading.Event().wait()


def _answer(server: socket.socket) -> None:
    while True:
        server.accept()[0].close()


if __name__ == "__main__":
    main()
