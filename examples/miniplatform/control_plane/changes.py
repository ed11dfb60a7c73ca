"""What changed lately in an org: obslib's differences over our event log."""

from __future__ import annotations

import time

from starlette.responses import Response

from miniplatform.control_plane.auth import in_org
from miniplatform.control_plane.call import Call, reply
from miniplatform.control_plane.problems import InvalidArgument
from miniplatform.store.history import PostgresHistory
from obslib.access import Scope
from obslib.debug import Window, describe_changes
from obslib.wire import rfc3339

__all__ = ["list_changes"]

_SELECTS = frozenset({"app_id", "env_id", "since", "until", "limit", "instances"})
_DEFAULT_SPAN_S = 3_600
_LIMIT, _LARGEST_LIMIT = 200, 1_000


async def list_changes(call: Call) -> Response:
    """``GET /v1/orgs/{org}/changes``: of the last hour unless ``since`` says otherwise, at most ``limit`` events of it."""
    grant = await in_org(call, Scope.EVENTS_READ)
    call.takes_only(_SELECTS)
    since, until = call.window()
    if call.asked("instances", "false") not in ("true", "false"):
        raise InvalidArgument(f"instances is {call.asked('instances')[:40]!r}; it must be true or false")
    window = Window(
        since=rfc3339(since or time.time() - _DEFAULT_SPAN_S),
        until=rfc3339(until) if until else "",
        app_id=call.identified("app_id", "app"),
        env_id=call.identified("env_id", "env"),
        with_instances=call.asked("instances") == "true",
        limit=call.number("limit", _LIMIT, low=1, high=_LARGEST_LIMIT),
    )
    redacted = call.platform.obs.redactor.value
    return reply(await describe_changes(PostgresHistory(call.platform.database), grant, window, redacted=redacted))
