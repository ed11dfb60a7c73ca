"""One audit record: who asked for what, what was decided, and what came of it (EXT-13; platform facts §16)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

import orjson

__all__ = ["PLATFORM_CHAIN", "AuditRecord", "Phase"]

PLATFORM_CHAIN = "platform"
"""The chain of those who belong to no tenant: operators, nodes and components; other chains are called by their org's id."""


class Phase(StrEnum):
    """Which part of an access a record tells."""

    OPEN = "open"
    """Written durably before the first byte is read."""

    CLOSE = "close"
    """Written when the reading is over, with what was returned; ``opened_by`` names its other half."""

    WHOLE = "whole"
    """The access is told by this record alone: a refusal, or an act without a duration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """One line of the trail. It never holds a secret, a body or a line of what was read.

    ``org_id`` says whose chain it stands in, ``subject_org_id`` whose data was asked for; they differ for a refusal and
    for an emergency access, which stands in both chains. ``selectors`` are the filters as they were asked for, with
    ``app_id``, ``env_id`` and ``route_id`` under those names; ``since`` and ``until`` are the window, empty when open.
    ``lines`` is None until the reading is over. ``timestamp`` is RFC 3339 in UTC with microseconds.
    """

    timestamp: str
    event_id: str
    phase: Phase
    opened_by: str = ""
    org_id: str
    subject_org_id: str
    request_id: str
    trace_id: str = ""
    actor_type: str
    actor_id: str
    actor_org_id: str
    scopes: tuple[str, ...]
    scope: str
    action: str
    resource_type: str
    resource_id: str = ""
    resource_path: str = ""
    selectors: Mapping[str, str] = field(default_factory=dict)
    since: str = ""
    until: str = ""
    decision: Literal["allow", "deny"]
    reason: str
    emergency_reason: str = ""
    emergency_expires: str = ""
    source_ip: str = ""
    user_agent: str = ""
    result: Literal["ok", "error", "pending"]
    error_class: str = ""
    lines: int | None = None
    policy_version: str

    def canonical(self) -> bytes:
        """The bytes that are hashed and stored: JSON with sorted keys, the same for equal records everywhere."""
        return orjson.dumps(self.as_dict(), option=orjson.OPT_SORT_KEYS)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {name: getattr(self, name) for name in _NAMES} | {"selectors": dict(self.selectors)}

    @staticmethod
    def of(stored: Mapping[str, Any]) -> AuditRecord:
        """The record that ``as_dict`` became; raises TypeError or ValueError when something was added or taken away."""
        return AuditRecord(**{**stored, "phase": Phase(stored["phase"]), "scopes": tuple(stored["scopes"])})


_NAMES = tuple(each.name for each in dataclasses.fields(AuditRecord))
