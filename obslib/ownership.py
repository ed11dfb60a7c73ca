"""A directory that belongs to one process: two writers of one file would each believe what the other has changed.

Stores of different kinds may share a directory: each has a lock of its own name.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from obslib.errors import SettingsError

__all__ = ["Ownership"]


class Ownership:
    """Holds ``directory``, which it makes, for the writer of ``what`` until ``release()`` or the end of the process.

    Raises SettingsError when the directory cannot be used, or somebody writes the same there already.
    """

    def __init__(self, directory: Path, *, what: str) -> None:
        self._lock = -1
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            name = f"{what.replace(' ', '-')}.lock"
            self._lock = os.open(directory / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.release()
            raise SettingsError(
                f"somebody else, most likely another process, writes the {what} in {str(directory)!r}; stop it, or name"
                " another directory"
            ) from None
        except (OSError, ValueError) as error:
            self.release()
            why = error.strerror if isinstance(error, OSError) else "a path holds no NUL character"
            raise SettingsError(
                f"the directory {str(directory)!r} cannot be used for the {what}: {why}; name another"
            ) from None

    def release(self) -> None:
        """Let another process have it. Safe to call twice."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1
