"""Following a stream over lost connections: until it is over, cannot start, or has been cut off for too long."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from obslib.cli.platform.failure import Category, CliFailure
from obslib.cli.platform.session import Session

__all__ = ["Reconnecting", "records_in"]

_GIVE_UP_AFTER_S = 60.0


class Reconnecting:
    """Takes a stream up again where it broke; tell it of each ``connected()`` and of each ``heard()`` record."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._silent_s = 0.0
        self._is_connected = False

    def connected(self) -> None:
        """The stream was let in: from now on a failure may be waited out."""
        self._is_connected = True

    def heard(self) -> None:
        """Something has come."""
        self._silent_s = 0.0

    def run(self, follow: Callable[[], bool], going_on: Callable[[], str]) -> None:
        """Call ``follow`` until it says that it is done; ``going_on`` says from where the next call goes on.

        Raises CliFailure when the stream cannot start, is refused, or was cut off for a minute.
        """
        while True:
            try:
                if follow():
                    return
                why = "the stream ended"
            except CliFailure as failure:
                if failure.category is not Category.TRANSIENT or not self._is_connected or self._silent_s > _GIVE_UP_AFTER_S:
                    raise
                why = failure.message
            wait_s = min(5.0, 0.2 + self._silent_s)
            self._silent_s += wait_s
            self._session.screen.note(f"{why}; going on {going_on()}")
            time.sleep(wait_s)


def records_in(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    """The records of an NDJSON stream without the blank lines that keep it alive; raises CliFailure for anything else."""
    for line in lines:
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            record = None
        if not isinstance(record, dict):
            raise CliFailure(Category.INTERNAL, "the stream holds a line that is no record", hint="report it to the operators")
        yield record
