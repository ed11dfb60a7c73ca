"""What crosses between two components: reports on their way up, view records on their way out.

Shims never import each other, so the shapes they exchange live here, below all of them. Records are
frozen pydantic models that ignore fields they do not know: a newer peer may say more (platform facts §20).
"""

from obslib.wire.component import ComponentReport, GroupReport
from obslib.wire.edge import BackendReport, EdgeReport, RouteReport
from obslib.wire.instance import HealthReport, InstanceReport
from obslib.wire.moment import Moment, age_seconds, rfc3339, unix
from obslib.wire.node import NodeReport, PlacedReport
from obslib.wire.placement import EndRecord, InstanceRecord, NodeRecord
from obslib.wire.progress import ComponentRecord, ConsumerRecord, EventRecord, ProjectionRecord
from obslib.wire.record import Record, Text
from obslib.wire.target import BackendRecord, DeployRecord, EnvRecord, GroupRecord, RouteRecord
from obslib.wire.termination import TerminationClass, TerminationReport, reason_code, termination_class
from obslib.wire.workload_log import LogAck, LogBatch, LogEntry, LogGap

__all__ = [
    # reports
    "BackendReport", "ComponentReport", "EdgeReport", "GroupReport", "HealthReport", "InstanceReport", "LogAck", "LogBatch",
    "LogEntry", "LogGap", "NodeReport", "PlacedReport", "RouteReport", "TerminationClass", "TerminationReport", "reason_code",
    "termination_class",
    # view records
    "BackendRecord", "ComponentRecord", "ConsumerRecord", "DeployRecord", "EndRecord", "EnvRecord", "EventRecord",
    "GroupRecord", "InstanceRecord", "NodeRecord", "ProjectionRecord", "RouteRecord",
    # what they are made of
    "Moment", "Record", "Text", "age_seconds", "rfc3339", "unix",
]  # fmt: skip
