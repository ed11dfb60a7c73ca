"""The node's side of workload logs: from a console to the control plane's acknowledgement.

``Capture`` reads consoles into the ``Spool``, the ``Forwarder`` empties it. The room knows no loop, no HTTP and no signal;
hosts give it paths, a clock and a way to send.
"""

from obslib.workload.node.bounds import Bounds
from obslib.workload.node.capture import Capture, Rest
from obslib.workload.node.forwarder import Forwarder
from obslib.workload.node.spool import NotAcknowledged, Spool
from obslib.workload.node.spool_file import SpoolUnavailable
from obslib.workload.node.totals import LogTotals

__all__ = ["Bounds", "Capture", "Forwarder", "LogTotals", "NotAcknowledged", "Rest", "Spool", "SpoolUnavailable"]
