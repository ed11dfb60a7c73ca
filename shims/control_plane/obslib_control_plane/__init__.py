"""Wires obslib into the control plane and into its projector.

``instrument(obs, …)`` serves the API's process, ``instrument_projector(obs, …)`` the projector's. Both bind every
signal once and return a small object of verbs; nothing else in the host names a signal.
"""

from __future__ import annotations

from obslib.database import DatabaseWatch
from obslib_control_plane.addresses import AddressPool, PoolName
from obslib_control_plane.api import ControlPlane, instrument
from obslib_control_plane.backups import Backups
from obslib_control_plane.problems import Problem, problem_of, status_of
from obslib_control_plane.projector import Projecting, Projector, instrument_projector
from obslib_control_plane.quotas import QuotaDimension
from obslib_control_plane.readiness import Heard, ProjectorState
from obslib_control_plane.replication import Replicas
from obslib_control_plane.tokens import TokenHolder

__all__ = [
    "AddressPool", "Backups", "ControlPlane", "DatabaseWatch", "Heard", "PoolName", "Problem", "Projecting", "Projector",
    "ProjectorState", "QuotaDimension", "Replicas", "TokenHolder", "instrument", "instrument_projector", "problem_of",
    "status_of",
]  # fmt: skip
