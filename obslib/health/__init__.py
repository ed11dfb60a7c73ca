"""Whether the process lives, and whether useful work is possible.

``/livez`` looks at nothing outside the process; ``/readyz`` serves results that were refreshed in the
background, each with its status, reason and age (requirements HLT-*).
"""

from obslib.health.health import Health
from obslib.health.snapshot import CheckState, Readiness, Snapshot
from obslib.health.systemd import sd_notify
from obslib.health.verdict import Progress, Status, Verdict

__all__ = ["CheckState", "Health", "Progress", "Readiness", "Snapshot", "Status", "Verdict", "sd_notify"]
