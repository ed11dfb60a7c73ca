"""Who may read or change what, decided in one place, and on record where it must be.

Isolation is a type: what touches a tenant's data takes a ``Grant``. ``authorize`` checks scope and org before anything
is looked up; for what must be audited an ``Auditor`` does, and writes the record first (WLG-09 to WLG-11, STN-07).
"""

from obslib.access.actor import Actor, ActorType
from obslib.access.audit import (
    GENESIS,
    PLATFORM_CHAIN,
    Access,
    AuditRecord,
    AuditSelection,
    AuditSink,
    Breach,
    ChainWalk,
    JsonLinesAudit,
    Link,
    Phase,
    PostgresAudit,
    SinkFailure,
    WrongHead,
    digest,
    verify,
)
from obslib.access.auditor import Auditor
from obslib.access.authorize import authorize
from obslib.access.decision import Decision, Refusal, decide
from obslib.access.delegation import delegable
from obslib.access.emergency import EMERGENCY_SCOPES, LONGEST_EMERGENCY_S, Emergency
from obslib.access.grant import Grant
from obslib.access.reading import Opening, Reading, RequestInfo
from obslib.access.resource import Resource, forbidden, not_found
from obslib.access.scopes import AUDITED_SCOPES, PLATFORM_SCOPES, ROLE_SCOPES, Role, Scope

__all__ = [
    "AUDITED_SCOPES", "EMERGENCY_SCOPES", "GENESIS", "LONGEST_EMERGENCY_S", "PLATFORM_CHAIN", "PLATFORM_SCOPES",
    "ROLE_SCOPES", "Access", "Actor", "ActorType", "AuditRecord", "AuditSelection", "AuditSink", "Auditor", "Breach",
    "ChainWalk", "Decision", "Emergency", "Grant", "JsonLinesAudit", "Link", "Opening", "Phase", "PostgresAudit", "Reading",
    "Refusal", "RequestInfo", "Resource", "Role", "Scope", "SinkFailure", "WrongHead", "authorize", "decide", "delegable",
    "digest", "forbidden", "not_found", "verify",
]  # fmt: skip
