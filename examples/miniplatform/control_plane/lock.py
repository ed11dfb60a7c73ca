"""One control plane per state directory: a lock that the kernel gives back, however its holder ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from miniplatform.process import ExitCode, Refusal

__all__ = ["sole_process"]


@contextmanager
def sole_process(path: Path) -> Iterator[None]:
    """Hold the lock on ``path`` inside the block; raises Refusal naming the process that has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = file.read().strip() or "unknown"
            raise Refusal(
                f"a control plane with pid {holder} already serves {str(path.parent)!r}; stop it first", ExitCode.CONFLICT
            ) from None
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield
