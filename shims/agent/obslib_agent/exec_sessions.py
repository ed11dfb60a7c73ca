"""Exec sessions: how long one takes to set up, and nothing of what is run in it (TRC-11)."""

from __future__ import annotations

from contextlib import AbstractContextManager

from obslib import Observability
from obslib.catalog.platform import data_plane as s

__all__ = ["ExecSessions"]


class ExecSessions:
    """The set-up of exec sessions. Neither token nor command arguments can be attached: the span has no place for them."""

    def __init__(self, obs: Observability) -> None:
        self._setup = obs.span(s.AGENT_EXEC_SETUP)

    def setting_up(self, instance_id: str) -> AbstractContextManager[object]:
        """From the accepted request until the session's streams are connected, or the failure to do so."""
        return self._setup(instance_id=instance_id)
