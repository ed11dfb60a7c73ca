"""What an edge says with each heartbeat: the config it applied and what it can reach (DBG-1-04, DBG-2-06)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field

from obslib.wire.moment import Moment
from obslib.wire.record import Record, Text

__all__ = ["BackendReport", "EdgeReport", "RouteReport"]


class BackendReport(Record):
    """A backend as one edge sees it. ``gated`` says why it is out of rotation, empty while it is in."""

    instance_id: str
    address: str = ""
    state: Literal["reachable", "unreachable", "unknown"] = "unknown"
    gated: str = ""
    last_failure_reason: str = ""
    checked_at: Moment | None = None


class RouteReport(Record):
    """A route as one edge has it applied. ``problem`` says why the edge does not serve it, empty while it does.

    ``port_unavailable``: the listener port cannot be bound; ``protocol_unsupported``: the edge does not speak it.
    """

    listener_port: int
    problem: Annotated[str, Field(max_length=64)] = ""
    backends: Sequence[BackendReport] = ()


class EdgeReport(Record):
    """An edge's heartbeat. ``routes`` are those of the config in force, by route id."""

    cursor_event_id: int = Field(default=0, ge=0)
    config_id: str = ""
    applied_event_id: int = Field(default=0, ge=0)
    last_result: Literal["success", "failure", "none"] = "none"
    last_error: Text = ""
    applied_at: Moment | None = None
    routes: Mapping[str, RouteReport] = Field(default_factory=dict)

    @property
    def trouble(self) -> str:
        """For operators: the last error, else the routes that are not served and why; empty when all is well."""
        if self.last_error:
            return self.last_error
        refused = [f"{name} on port {r.listener_port}: {r.problem}" for name, r in self.routes.items() if r.problem]
        return f"routes not served: {'; '.join(refused)}" if refused else ""
