"""Scopes and the roles that bundle them (platform facts §16). No scope crosses an org by itself."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

__all__ = ["AUDITED_SCOPES", "OPERATOR_SCOPES", "PLATFORM_SCOPES", "ROLE_SCOPES", "SWITCHED_OFF", "Role", "Scope"]


class Scope(StrEnum):
    """One thing a token allows."""

    ORGS_READ = "orgs:read"
    ORGS_ADMIN = "orgs:admin"
    APPS_READ = "apps:read"
    APPS_WRITE = "apps:write"
    ENVS_READ = "envs:read"
    ENVS_WRITE = "envs:write"
    RELEASES_READ = "releases:read"
    RELEASES_WRITE = "releases:write"
    DEPLOYS_WRITE = "deploys:write"
    ROLLBACKS_WRITE = "rollbacks:write"
    ROUTES_READ = "routes:read"
    ROUTES_WRITE = "routes:write"
    VOLUMES_READ = "volumes:read"
    VOLUMES_WRITE = "volumes:write"
    SECRETS_READ_METADATA = "secrets:read-metadata"
    SECRETS_WRITE = "secrets:write"
    SECRETS_READ_MATERIAL = "secrets:read-material"
    LOGS_READ = "logs:read"
    EXEC_WRITE = "exec:write"
    BILLING_READ = "billing:read"
    BILLING_WRITE = "billing:write"
    NODES_ADMIN = "nodes:admin"
    AUDIT_READ = "audit:read"
    EVENTS_READ = "events:read"


class Role(StrEnum):
    """What a member of an org is."""

    OWNER = "owner"
    ADMIN = "admin"
    DEVELOPER = "developer"
    READONLY = "readonly"


OPERATOR_SCOPES = frozenset({Scope.NODES_ADMIN})
"""Held by operators only; in a tenant's token they mean nothing."""

PLATFORM_SCOPES = frozenset({Scope.NODES_ADMIN, Scope.ORGS_ADMIN, Scope.ORGS_READ})
"""With these an operator administers nodes, and orgs as such; never what is inside an org."""

SWITCHED_OFF = frozenset({Scope.SECRETS_READ_MATERIAL})
"""Nobody gets these, whatever a token says."""

AUDITED_SCOPES = frozenset({Scope.LOGS_READ, Scope.AUDIT_READ})
"""Nothing is read with these unless a record of it has been written first: only an Auditor grants them."""

_READING = frozenset(
    {
        Scope.ORGS_READ,
        Scope.APPS_READ,
        Scope.ENVS_READ,
        Scope.RELEASES_READ,
        Scope.ROUTES_READ,
        Scope.VOLUMES_READ,
        Scope.SECRETS_READ_METADATA,
        Scope.LOGS_READ,
        Scope.EVENTS_READ,
    }
)
_DEVELOPING = _READING | {
    Scope.APPS_WRITE,
    Scope.ENVS_WRITE,
    Scope.RELEASES_WRITE,
    Scope.DEPLOYS_WRITE,
    Scope.ROLLBACKS_WRITE,
    Scope.ROUTES_WRITE,
    Scope.VOLUMES_WRITE,
    Scope.SECRETS_WRITE,
    Scope.EXEC_WRITE,
}
_ADMINISTERING = _DEVELOPING | {Scope.ORGS_ADMIN, Scope.AUDIT_READ, Scope.BILLING_READ}

ROLE_SCOPES: Mapping[Role, frozenset[Scope]] = MappingProxyType(
    {
        Role.READONLY: _READING,
        Role.DEVELOPER: _DEVELOPING,
        Role.ADMIN: _ADMINISTERING,
        Role.OWNER: _ADMINISTERING | {Scope.BILLING_WRITE},
    }
)
"""What each role may do in its own org; every role contains the one below it."""
