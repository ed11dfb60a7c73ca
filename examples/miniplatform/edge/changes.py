"""Whose work a new config is: the traces of the routes and backends in which it differs from the old one."""

from __future__ import annotations

from collections.abc import Mapping

from miniplatform.wire import EdgeBackend, EdgeConfig, EdgeRoute

__all__ = ["changed_traces"]

_Part = EdgeRoute | EdgeBackend


def changed_traces(old: EdgeConfig | None, new: EdgeConfig) -> list[str]:
    """``traceparent`` of everything new, changed or gone, each once, what is new first."""
    before, after = _parts(old), _parts(new)
    changed = [part for key, part in after.items() if before.get(key) != part]
    gone = [part for key, part in before.items() if key not in after]
    return list(dict.fromkeys(part.traceparent for part in (*changed, *gone) if part.traceparent))


def _parts(config: EdgeConfig | None) -> Mapping[tuple[str, str], _Part]:
    """Routes without their backends, and the backends, so that a new backend is not taken for a changed route."""
    parts: dict[tuple[str, str], _Part] = {}
    for route in config.routes if config else ():
        parts[route.route_id, ""] = route.model_copy(update={"backends": ()})
        parts.update(((route.route_id, backend.instance_id), backend) for backend in route.backends)
    return parts
