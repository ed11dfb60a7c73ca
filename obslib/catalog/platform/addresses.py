"""Signals of the address pools: how full each is, and who got none. Experimental until a host allocates addresses.

A pool that is full looks like a shortage of machines, so it has a signal before it is: an alert at four fifths.
"""

from __future__ import annotations

from typing import Annotated, Literal

from obslib.catalog import common as c
from obslib.catalog.declaration import Plane, Stability
from obslib.catalog.families import AcrossWorkers, counter, gauge
from obslib.catalog.promql import query
from obslib.catalog.upkeep import Alert, Rule, Scene, Series, Severity

_PLANE = Plane.CONTROL_PLANE

PoolName = Literal["node", "instance", "ipv4"]
Pool = Annotated[PoolName, c.KIND]


@gauge(
    "ipam_pool_used_ratio", serves=("EXT-03",), plane=_PLANE, components=("control-plane",), across_workers=AcrossWorkers.MAX,
    stability=Stability.EXPERIMENTAL,
)  # fmt: skip
def IPAM_POOL_USED(*, kind: Pool) -> None:
    """Share of the pool's addresses that are taken, 0 to 1; absent where there is no such pool."""


@counter(
    "ipam_allocation_failures_total", serves=("EXT-03",), plane=_PLANE, components=("control-plane", "scheduler"),
    stability=Stability.EXPERIMENTAL,
)  # fmt: skip
def IPAM_ALLOCATION_FAILURES(*, kind: Pool) -> None:
    """Addresses that were wanted and not to be had, by pool."""


ADDRESS_POOL_NEARLY_FULL = Alert(
    name="AddressPoolNearlyFull", help="An address pool will soon have nothing left.", plane=_PLANE,
    components=("control-plane",), serves=("EXT-03",), stability=Stability.EXPERIMENTAL,
    rules=(
        Rule(
            severity=Severity.TICKET, for_s=600.0, query=query("max by (kind) ($used) > 0.8", used=IPAM_POOL_USED),
            summary="More than four fifths of an address pool are taken: when it is full nothing of its kind can be added.",
            fires=Scene((Series(IPAM_POOL_USED, "0.81x15", {"kind": "ipv4"}),), minutes=12, labels={"kind": "ipv4"}),
            quiet=Scene((Series(IPAM_POOL_USED, "0.8x15", {"kind": "ipv4"}),), minutes=15),
        ),
    ),
)  # fmt: skip
