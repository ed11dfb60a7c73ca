"""The platform's own catalog: five components and everything they emit, under the names of the requirements."""

from __future__ import annotations

from obslib.catalog.catalog import Catalog, declared_in
from obslib.catalog.common import COMMON
from obslib.catalog.declaration import Plane
from obslib.catalog.platform import (
    actors,
    addresses,
    alerts,
    audit,
    consumers,
    control_plane,
    dashboards,
    data_plane,
    delivery,
    durability,
    edge,
    log_store,
    node_dashboards,
    nodes,
    resources,
    retention,
    runbooks,
    secrets,
    tenant,
    terms,
    tokens,
    volumes,
)
from obslib.catalog.signals import Component

__all__ = [
    "PLATFORM", "actors", "addresses", "alerts", "audit", "consumers", "control_plane", "dashboards", "data_plane",
    "delivery", "durability", "edge", "log_store", "node_dashboards", "nodes", "resources", "retention", "runbooks",
    "secrets", "tenant", "tokens", "volumes",
]  # fmt: skip

PLATFORM: Catalog = COMMON.extend(
    "platform",
    components=(
        Component(name="control-plane", plane=Plane.CONTROL_PLANE),
        Component(name="projector", plane=Plane.CONTROL_PLANE),
        Component(name="scheduler", plane=Plane.CONTROL_PLANE),
        Component(name="agent", plane=Plane.DATA_PLANE, has_node=True),
        Component(name="edge", plane=Plane.EDGE, has_node=True),
    ),
    signals=declared_in(
        audit,
        consumers,
        control_plane,
        delivery,
        tokens,
        addresses,
        nodes,
        durability,
        data_plane,
        edge,
        resources,
        secrets,
        volumes,
        actors,
        tenant,
        log_store,
        retention,
        runbooks,
        alerts,
        dashboards,
        node_dashboards,
    ),
    fields=terms.FIELDS,
    reasons=terms.REASONS,
)
"""Built once, on first import; raises when a declaration contradicts another or a budget cannot be kept."""
