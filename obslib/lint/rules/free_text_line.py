"""OBS204: a shim that writes a line nobody declared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from obslib.lint.known import SHIMS
from obslib.lint.rule import Problem, Rule
from obslib.lint.uses import File, LogCall

__all__ = ["FreeTextLine"]


class FreeTextLine(Rule[LogCall]):
    """A shim of the platform writes a log line in free text.

    Why: a shim speaks for every component that is wired through it, so its lines are part of the contract: dashboards and
    runbooks look for their events. A line that is not declared has no name to look for, and nobody notices when it changes.

    Fix: declare the event in the catalog with ``@log_event`` and write it with ``obs.log.event(DECL, …)``, or with
    ``obs.log.failure(DECL, error)`` where something failed. Components, unlike shims, may write free text.
    """

    code = "OBS204"
    name = "free-text-line"
    on = LogCall
    example_path = "obslib_agent/example.py"
    good: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def ready(obs: Observability) -> None:
            obs.log.event(s.INSTANCE_READY, boot_seconds=1.0)
        """,
        """
        from obslib import Observability
        from obslib.catalog import common

        def failed(obs: Observability, error: Exception) -> None:
            obs.log.failure(common.COMPONENT_FAILED, error)
        """,
        """
        from functools import partial
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def wire(obs: Observability):
            return partial(obs.log.event, s.INSTANCE_READY)
        """,
        """
        from obslib import Observability

        def follow(obs: Observability, node_id: str):
            return obs.log.bind(node_id=node_id)
        """,
        """
        class Log:
            def info(self, text: str) -> None: ...

        Log().info("no logger of anybody's")
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability

        def ready(obs: Observability) -> None:
            obs.log.info("instance is ready", boot_seconds=1.0)
        """,
        """
        import logging as stdlib

        stdlib.getLogger(__name__).warning("instance is slow")
        """,
        """
        from structlog import get_logger as logger_of

        log = logger_of()

        def slow() -> None:
            log.bind(attempt=1).warning("instance is slow")
        """,
        """
        from obslib import Observability

        class Instances:
            def __init__(self, obs: Observability) -> None:
                self._obs = obs

            def failed(self, error: Exception) -> None:
                self._obs.log.error("instance failed", error=error)
        """,
        """
        from functools import partial
        from obslib import Observability

        def wire(obs: Observability):
            def each(names):
                return [told(instance=name) for name in names]
            told = partial(obs.log.debug, "instance seen")
            return each
        """,
    )

    def check(self, use: LogCall, file: File) -> Iterator[Problem]:
        """Look at lines of the shims only."""
        if not SHIMS.isdisjoint(file.path.parts):
            yield Problem(
                use.node,
                "a shim writes declared events only; declare this line with @log_event and write it with obs.log.event()",
            )
