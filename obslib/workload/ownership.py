"""A directory that belongs to one process: two writers of one file would each believe what the other has changed."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from obslib.errors import SettingsError

__all__ = ["Ownership"]


class Ownership:
    """Holds the directory until ``release()``, or until the process ends in whatever way."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = os.open(directory / "owner.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise SettingsError(
                f"the workload logs in {str(directory)!r} belong to another process; stop it, or name another directory"
            ) from None

    def release(self) -> None:
        """Let another process have it."""
        os.close(self._lock)
