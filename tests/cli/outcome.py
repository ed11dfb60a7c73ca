"""What a command left behind: its exit code and what it printed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple


class Outcome(NamedTuple):
    """Exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as one JSON document."""
        return json.loads(self.out)

    @property
    def words(self) -> str:
        """The output, wherever its lines were broken."""
        return " ".join(self.out.split())


Run = Callable[..., Outcome]
