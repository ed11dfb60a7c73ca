"""Signals of the agent's actors: how full their mailboxes are, what became of messages, how often one was started again.

By kind of actor and never by actor: there is one per instance and one per image, and their names are those of tenants' things.
"""

from __future__ import annotations

from typing import Annotated, Literal

from obslib.catalog import common as c
from obslib.catalog.declaration import Plane, Stability
from obslib.catalog.families import counter, gauge
from obslib.catalog.platform import terms as t
from obslib.catalog.signals import Level, log_event

_PLANE = Plane.DATA_PLANE
_ON_AGENT = ("agent",)
_NEW = Stability.EXPERIMENTAL

ActorKind = Literal["instance", "image_pull", "wireguard", "volume_attachment", "control_plane_stream"]
ActorKindLabel = Annotated[ActorKind, c.KIND]
MessageResult = Literal["success", "failure", "coalesced", "dropped"]


@gauge("agent_actor_mailbox_depth", serves=("EXT-06",), plane=_PLANE, components=_ON_AGENT, stability=_NEW)
def AGENT_ACTOR_MAILBOX_DEPTH(*, kind: ActorKindLabel) -> None:
    """Messages that wait in the mailboxes of all actors of a kind; absent for a kind this host does not have."""


@counter("agent_actor_messages_total", serves=("EXT-06",), plane=_PLANE, components=_ON_AGENT, stability=_NEW)
def AGENT_ACTOR_MESSAGES(*, kind: ActorKindLabel, result: Annotated[MessageResult, c.RESULT]) -> None:
    """Messages to actors by what became of them: handled, failed, replaced by a newer one, or lost to a full mailbox."""


@counter("agent_actor_restarts_total", serves=("EXT-06",), plane=_PLANE, components=_ON_AGENT, stability=_NEW)
def AGENT_ACTOR_RESTARTS(*, kind: ActorKindLabel) -> None:
    """Actors that failed and were started again."""


@log_event("actor.mailbox_full", serves=("EXT-06",), level=Level.WARN, plane=_PLANE, components=_ON_AGENT, stability=_NEW)
def ACTOR_MAILBOX_FULL(*, kind: t.Kind, count: t.Count) -> None:
    """A full mailbox gave up its oldest message; ``count`` were given up since the last quiet."""


@log_event("actor.restarted", serves=("EXT-06",), level=Level.ERROR, plane=_PLANE, components=_ON_AGENT, stability=_NEW)
def ACTOR_RESTARTED(*, kind: t.Kind, attempt: c.Attempt, backoff_seconds: c.BackoffSeconds) -> None:
    """An actor failed and is started again."""


@log_event("actor.degraded", serves=("EXT-06",), level=Level.ERROR, plane=_PLANE, components=_ON_AGENT, stability=_NEW)
def ACTOR_DEGRADED(*, kind: t.Kind, attempt: c.Attempt) -> None:
    """An actor failed too often and is not started again."""
