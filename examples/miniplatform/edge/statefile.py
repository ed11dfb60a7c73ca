"""The applied config on disk, so that an edge that restarts serves before, or without, the control plane.

Written beside, flushed and renamed: whatever happens, the file holds one whole config. Its digest tells a
damaged file from a good one.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from miniplatform.wire import EdgeConfig

__all__ = ["Damaged", "StateFile"]


class Damaged(ValueError):
    """The file is not a config this edge wrote, or cannot be read."""


class StateFile:
    """One config in one file, with the event id it answers to."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> EdgeConfig | None:
        """The saved config, or None without one. Raises Damaged for any other file, and moves aside what is no config."""
        try:
            content = json.loads(self._path.read_bytes())
            text = content["config"]
            if hashlib.sha256(text.encode()).hexdigest() != content["sha256"]:
                raise ValueError("its digest is another")
            return EdgeConfig.model_validate_json(text)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Damaged(f"the saved route config {str(self._path)!r} cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            aside = self._path.with_suffix(".damaged")
            os.replace(self._path, aside)
            raise Damaged(f"the saved route config is damaged ({type(error).__name__}); it is kept as {str(aside)!r}") from None

    def save(self, config: EdgeConfig) -> None:
        """Replace the saved config; raises OSError and leaves the old one."""
        text = config.model_dump_json()
        self._replace(json.dumps({"config": text, "sha256": hashlib.sha256(text.encode()).hexdigest()}).encode())

    def probe(self) -> None:
        """Write and remove a few bytes next to the file; raises OSError when a save would fail too."""
        draft = self._path.with_suffix(".probe")
        with draft.open("wb") as file:
            file.write(b"writable\n")
            file.flush()
            os.fsync(file.fileno())
        draft.unlink()

    def _replace(self, content: bytes) -> None:
        draft = self._path.with_suffix(".new")
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, self._path)
        directory = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
