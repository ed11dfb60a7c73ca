"""What a test of an instrumented component needs: still time, counted ids, and everything emitted as values."""

from obslib.testing.audit import MemoryAudit
from obslib.testing.clock import FixedClock, FixedIds
from obslib.testing.recorded import NODE_ID, RETENTION_POLICY, RecordedObservability, observability

__all__ = ["NODE_ID", "RETENTION_POLICY", "FixedClock", "FixedIds", "MemoryAudit", "RecordedObservability", "observability"]
