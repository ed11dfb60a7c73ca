"""``platform changes``: who changed what, from when to when, told as differences between consecutive events (DBG-4-02).

The event log says what was set; people ask what it was before. The answer is in the event before, also when that
one lies outside the time asked for, so it is read as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Literal, Protocol

from obslib.access import Grant, Scope
from obslib.wire import EventRecord

__all__ = ["Change", "History", "Window", "changes", "describe_changes"]

Payload = Mapping[str, object]

_BEGINS = (".created", ".allocated", ".enrolled", ".added", ".granted")
_ENDS = (".deleted", ".removed")
_BOOKKEEPING = frozenset({"deploy_id", "assignment_id", "boot_id", "group_spec_hash"})
_SECRETS = ("secret_bundle", "service_principal")
_INITIAL: Mapping[str, Payload] = MappingProxyType(
    {
        "deploy.created": {"status": "queued"},
        "snapshot.created": {"status": "queued"},
        "restore_job.created": {"status": "queued"},
        "instance.allocated": {"desired_state": "running"},
    }
)
"""What an event sets without saying so (platform facts §4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One field of one resource, or a resource that came or went.

    ``created`` has no ``field`` and all that was said of it in ``new``, ``deleted`` the last that was known in ``old``.
    ``is_old_known`` is false when no earlier event of the resource was at hand.
    """

    event_id: int
    at: str | None
    event_type: str
    actor_type: str
    actor_id: str
    resource_type: str
    resource_id: str
    action: Literal["created", "changed", "deleted"]
    field: str = ""
    old: object = None
    new: object = None
    is_old_known: bool = True
    app_id: str | None = None
    env_id: str | None = None
    deploy_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Which changes are asked for; empty ids mean the whole org. At most the newest ``limit`` events are told of."""

    since: str
    until: str = ""
    app_id: str = ""
    env_id: str = ""
    with_instances: bool = False
    limit: int = 200


class History(Protocol):
    """Reads of the event log of the grant's org (``WHERE org_id = grant.org_id``)."""

    async def changed(self, grant: Grant, window: Window) -> Sequence[EventRecord]:
        """The newest ``window.limit + 1`` events in the window, oldest first, none of nodes; of instances only if asked for."""
        ...

    async def before(self, grant: Grant, events: Sequence[EventRecord]) -> Sequence[EventRecord]:
        """Of each aggregate among ``events``, the newest event per type and process type older than all of them, in order."""
        ...


def changes(events: Sequence[EventRecord], before: Sequence[EventRecord] = ()) -> Iterator[Change]:
    """The differences that ``events`` make, in order; ``before`` is what is known from earlier. Both are oldest first.

    Of secrets nothing is told but version ids, of credentials nothing but their scopes.
    """
    known: dict[str, dict[str, object]] = {}
    for event in before:
        known.setdefault(event.aggregate_id, {}).update(_set_by(event))
    for event in events:
        state = known.get(event.aggregate_id)
        yield from _differences(event, state)
        known.setdefault(event.aggregate_id, {}).update(_set_by(event))


async def describe_changes(
    history: History, grant: Grant, window: Window, *, redacted: Callable[[object], object]
) -> dict[str, object]:
    """Read and tell; needs ``events:read``. ``redacted`` blots out what looks like a secret in a payload.

    ``is_cut`` says that the window holds more than was told; then ``complete_since`` is from when on nothing is missing.
    """
    org_id = grant.require(Scope.EVENTS_READ)
    found = [event for event in await history.changed(grant, window) if event.org_id == org_id]
    told = found[-window.limit :]
    before = await history.before(grant, told) if told else ()
    is_cut = len(found) > len(told)
    return {
        "kind": "changes",
        "org_id": org_id,
        "app_id": window.app_id or None,
        "env_id": window.env_id or None,
        "since": window.since,
        "until": window.until or None,
        "changes": [asdict(change) for change in changes(_clean(told, redacted), _clean(before, redacted))],
        "events": len(told),
        "is_cut": is_cut,
        "complete_since": told[0].occurred_at if is_cut else window.since,
    }


def _clean(events: Sequence[EventRecord], redacted: Callable[[object], object]) -> list[EventRecord]:
    return [event.model_copy(update={"payload": redacted(event.payload)}) for event in events]


def _differences(event: EventRecord, state: Mapping[str, object] | None) -> Iterator[Change]:
    values = _fields(event)
    if event.event_type.endswith(_BEGINS):
        yield _change(event, "created", new={name: value for name, value in values.items() if value is not None})
    elif event.event_type.endswith(_ENDS):
        yield _change(event, "deleted", old=dict(state) if state else None, is_old_known=state is not None)
    elif not values:
        yield _change(event, "changed", field=event.event_type.partition(".")[2], is_old_known=False)
    for name, value in values.items() if not event.event_type.endswith((*_BEGINS, *_ENDS)) else ():
        old = state.get(name) if state else None
        if old != value or (state is None and value is not None):
            yield _change(event, "changed", field=name, old=old, new=value, is_old_known=state is not None)


def _change(
    event: EventRecord,
    action: Literal["created", "changed", "deleted"],
    *,
    field: str = "",
    old: object = None,
    new: object = None,
    is_old_known: bool = True,
) -> Change:
    return Change(
        event_id=event.event_id, at=event.occurred_at, event_type=event.event_type, actor_type=event.actor_type,
        actor_id=event.actor_id, resource_type=event.aggregate_type, resource_id=event.aggregate_id, action=action,
        field=field, old=old, new=new, is_old_known=is_old_known, app_id=event.app_id, env_id=event.env_id,
        deploy_id=event.correlation_id if (event.correlation_id or "").startswith("dep_") else None,
    )  # fmt: skip


def _set_by(event: EventRecord) -> dict[str, object]:
    return {**_INITIAL.get(event.event_type, {}), **_fields(event)}


def _fields(event: EventRecord) -> dict[str, object]:
    """What an event says of its resource, flat: nested values are left to whoever reads the event itself."""
    payload = event.payload
    if event.aggregate_type in _SECRETS:
        return {key: value for key, value in payload.items() if key == "version" or key.endswith(("version_id", "scopes"))}
    if event.event_type == "env.scale_set":
        return {f"{payload.get('process_type')}.replicas": payload.get("replicas")}
    told = (key for key, value in payload.items() if key not in _BOOKKEEPING and not isinstance(value, Mapping))
    return {key: None if payload[key] == "" else payload[key] for key in told}
