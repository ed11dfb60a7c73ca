"""The audit trail: what a record holds, how records are chained, and where they are kept.

A room inside ``access`` because it knows nothing of deciding: it takes finished records and promises that none is
lost, changed or reordered without being found (platform facts §16).
"""

from obslib.access.audit.chain import GENESIS, Breach, ChainWalk, Link, digest, verify
from obslib.access.audit.json_lines import JsonLinesAudit
from obslib.access.audit.postgres import PostgresAudit
from obslib.access.audit.record import PLATFORM_CHAIN, AuditRecord, Phase
from obslib.access.audit.selection import Access, AuditSelection
from obslib.access.audit.sink import AuditSink, SinkFailure, WrongHead

__all__ = [
    "GENESIS", "PLATFORM_CHAIN", "Access", "AuditRecord", "AuditSelection", "AuditSink", "Breach", "ChainWalk",
    "JsonLinesAudit", "Link", "Phase", "PostgresAudit", "SinkFailure", "WrongHead", "digest", "verify",
]  # fmt: skip
