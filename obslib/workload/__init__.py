"""Lines that tenants' workloads write, from the console to their reader; tenant data, apart from the platform's own logs.

The node's side is ``obslib.workload.node``. The control plane's side: ``Ingest`` stamps and keeps what agents send, a
``LogStore`` keeps every org's lines apart, ``query`` and ``Tail`` read them with a grant and within the ``Limits``, ``told``
says them on the wire.
"""

from obslib.workload.answering import query
from obslib.workload.ingest import Ingest, IngestWatch, Resolver
from obslib.workload.limits import Limits, LineRate
from obslib.workload.markers import Marker, Record
from obslib.workload.selection import Selection
from obslib.workload.sqlite_store import Damage, SqliteLogStore
from obslib.workload.store import LogStore
from obslib.workload.stored import Appended, Page, Stamp, StampedEntry, StoredEntry
from obslib.workload.streams import Rejection, Streams
from obslib.workload.tail import Tail
from obslib.workload.telling import told

__all__ = [
    "Appended", "Damage", "Ingest", "IngestWatch", "Limits", "LineRate", "LogStore", "Marker", "Page", "Record", "Rejection",
    "Resolver", "Selection", "SqliteLogStore", "Stamp", "StampedEntry", "StoredEntry", "Streams", "Tail", "query", "told",
]  # fmt: skip
