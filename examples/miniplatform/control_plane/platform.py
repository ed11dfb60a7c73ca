"""What every request handler is given: the database, the views, the telemetry, the quotas and the timings."""

from __future__ import annotations

from dataclasses import dataclass

from miniplatform.config import Timings
from miniplatform.control_plane.deliveries import Deliveries
from miniplatform.store.notices import Notices
from miniplatform.store.pool import Database
from miniplatform.store.views import PostgresViews
from obslib import Observability
from obslib.access import PostgresAudit
from obslib.budget import Quotas
from obslib.workload import Ingest, LogStore
from obslib_control_plane import ControlPlane

__all__ = ["Platform"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One control plane's parts, made once in ``main``."""

    obs: Observability
    telemetry: ControlPlane
    database: Database
    views: PostgresViews
    audit: PostgresAudit
    deliveries: Deliveries
    notices: Notices
    log_store: LogStore
    log_ingest: Ingest
    quotas: Quotas
    timings: Timings
