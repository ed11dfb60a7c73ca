"""What is put on record: reading on behalf of a request, emergencies, and streams whose record ends with them.

An operator reads in a tenant's org only with the headers ``X-Emergency-Reason`` (10 to 500 characters) and
``X-Emergency-Until`` (RFC 3339, at most four hours from now); without them the org does not exist. Both the platform's and
the org's own audit trail then tell who read what, and why. From anybody else the headers change nothing.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from miniplatform.control_plane.naming import org_named, refuse_malformed, resource_of
from miniplatform.control_plane.problems import InvalidArgument
from obslib.access import Emergency, Opening, Reading, Resource, Scope, decide
from obslib.wire import unix

if TYPE_CHECKING:
    from miniplatform.control_plane.call import Call

__all__ = ["RecordedStream", "emergency_of", "read_in_org", "read_on_platform"]


def read_in_org(
    call: Call,
    scope: Scope,
    *,
    action: str,
    selectors: Mapping[str, str] | None = None,
    since: str = "",
    until: str = "",
) -> Opening:
    """The right to read with ``scope`` in the org the path names, on record: ``async with`` it, or ``await`` and close it.

    The app, env, route and instance that the path names are among the record's selectors, apps and envs by id where they
    exist; ``selectors`` adds what the query asks for. Raises AccessDenied, or AuditUnavailable when no record can be kept.
    """
    return Opening(_open(call, scope, action, dict(selectors or {}), since, until))


def read_on_platform(call: Call, scope: Scope, *, action: str) -> Opening:
    """The same for what belongs to no org."""
    resource = Resource(type="platform", path=call.request.url.path)
    return call.platform.telemetry.auditor.reading(
        call.actor, scope, None, action=action, resource=resource, request=call.origin
    )


def emergency_of(call: Call) -> Emergency | None:
    """What an operator declares in the request's headers; None for anybody else, and without them.

    Raises EmergencyRefused or InvalidArgument for a declaration that cannot be accepted.
    """
    reason, until = (call.request.headers.get(f"x-emergency-{part}") for part in ("reason", "until"))
    if not call.actor.is_operator or (reason is None and until is None):
        return None
    try:
        expires_at = unix(until or "")
    except ValueError:
        raise InvalidArgument(
            f"X-Emergency-Until is {(until or '')[:40]!r}; it must be a time such as 2026-01-31T09:30:00Z"
        ) from None
    return Emergency.declared(reason=reason or "", expires_at=expires_at, now=call.platform.obs.clock.now())


class RecordedStream(StreamingResponse):
    """A streamed answer that lets go of what it holds, such as its reading, when the stream ends, however it ends."""

    def __init__(self, content: AsyncIterator[bytes], *, held: AsyncExitStack, media_type: str) -> None:
        super().__init__(content, media_type=media_type)
        self._held = held

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Send it."""
        async with self._held:
            with suppress(ClientDisconnect):
                await super().__call__(scope, receive, send)


async def _open(call: Call, scope: Scope, action: str, selectors: dict[str, str], since: str, until: str) -> Reading:
    org_id, resource, emergency = await org_named(call), resource_of(call), emergency_of(call)
    named = {f"{kind}_id": call.named(kind) for kind in ("app", "env", "route", "instance") if kind in call.request.path_params}
    if decide(call.actor, scope, org_id, resource, emergency=emergency).is_allowed:
        named |= await _ids_of(call, org_id)
    return await call.platform.telemetry.auditor.reading(
        call.actor, scope, org_id, action=action, resource=resource, request=call.origin, selectors={**named, **selectors},
        since=since, until=until, emergency=emergency,
    )  # fmt: skip


async def _ids_of(call: Call, org_id: str) -> dict[str, str]:
    """The ids of the app and the env that the path names, as far as the org has them."""
    app, env = (call.request.path_params.get(kind, "") for kind in ("app", "env"))
    refuse_malformed(app, "app")
    refuse_malformed(env, "env")
    if not app:
        return {}
    row = await call.platform.database.row(
        "view_read",
        "SELECT a.app_id, e.env_id FROM apps a LEFT JOIN envs e ON e.app_id = a.app_id AND %(env)s IN (e.env_id, e.name)"
        " WHERE a.org_id = %(org)s AND %(app)s IN (a.app_id, a.name)",
        {"org": org_id, "app": app, "env": env},
    )
    return {name: str(found) for name, found in (row or {}).items() if found is not None}
