"""OBS502: telemetry that is made again in every round of a loop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from obslib.lint.creation import CREATIONS, is_wiring, made
from obslib.lint.rule import Problem, Rule
from obslib.lint.uses import File, Use

__all__ = ["CreatedInLoop"]


class CreatedInLoop(Rule[Use]):
    """Something that is meant to last is made anew in every round of a loop.

    Why: binding a declaration checks it against the catalog, and making a metric registers it: both are for the start of a
    process, not for its work. In a loop they cost more than what they measure, a second registration is an error, and a check
    that is registered again forgets what it knew.

    Fix: bind once, in ``__init__`` or ``instrument()``, and keep what you get. A loop that wires is fine: one over the
    declarations, or over a closed set such as an enumeration or a literal tuple.
    """

    code = "OBS502"
    name = "created-in-loop"
    on = CREATIONS
    good: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def wire(obs: Observability, orders) -> None:
            desired = obs.metrics[s.AGENT_INSTANCES_DESIRED]
            for order in orders:
                desired.set(len(order))
        """,
        """
        from obslib import Observability
        from obslib.catalog import Gauge

        def wire(obs: Observability, families: dict[str, Gauge]):
            return {name: obs.metrics[family] for name, family in families.items()}
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        class Disks:
            def __init__(self, obs: Observability) -> None:
                self.free = {}
                for kind in ("scratch", "image_cache"):
                    self.free[kind] = obs.metrics[s.AGENT_DISK_FREE].labels(kind=kind)
        """,
        """
        from functools import partial
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def wire(obs: Observability, orders):
            boot = obs.operation(s.INSTANCE_BOOT)
            return [partial(boot) for order in orders]
        """,
        """
        from typing import Literal, get_args
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        Phase = Literal["image", "network"]
        PHASES: tuple[Phase, ...] = get_args(Phase)

        def wire(obs: Observability):
            first = {phase: obs.metrics[s.AGENT_BOOT_PHASE].labels(kind=phase) for phase in PHASES}
            return first or [obs.metrics[s.AGENT_BOOT_PHASE].labels(kind=phase) for phase in get_args(Phase)]
        """,
        """
        import obslib

        while True:
            def later() -> None:
                with obslib.start("agent") as obs:
                    obs.log.info("a function that is only defined in the loop")
            break
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        async def run(obs: Observability) -> None:
            async for it in obs.loop(s.AGENT_RECONCILE, period=5):
                it.progress()
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def count(obs: Observability, orders) -> None:
            for order in orders:
                obs.metrics[s.AGENT_INSTANCES_DESIRED].labels().set(len(order))
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        async def run(obs: Observability) -> None:
            async for it in obs.loop(s.AGENT_RECONCILE, period=5):
                with obs.operation(s.INSTANCE_BOOT)() as run:
                    it.progress()
        """,
        """
        from prometheus_client import Counter as C

        def count(names: list[str]):
            return [C("shop_orders_total", "Orders.") for name in names]
        """,
        """
        from prometheus_client import Gauge

        def watch(shops) -> None:
            for shop in shops:
                Gauge(f"shop_{shop.name}_open", "Whether it is open.").set(1)
        """,
        """
        from opentelemetry.trace import get_tracer as tracer_of

        class Shop:
            def run(self) -> None:
                while True:
                    tracer_of("shop").start_span("checkout").end()
        """,
        """
        import obslib as o

        def again(parts) -> None:
            def inner() -> None:
                while parts:
                    with o.start("agent", **parts):
                        parts.pop()
            inner()
        """,
        """
        from functools import partial
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def wire(obs: Observability, disks) -> None:
            for disk in disks:
                obs.check(s.DISK_OK, deadline=1)(partial(disk.verdict))
        """,
    )

    def check(self, use: Use, file: File) -> Iterator[Problem]:
        """Look at the loop around it, in the same function."""
        what = made(use)
        if what and use.site.loop is not None and not is_wiring(use, file):
            yield Problem(use.node, f"{what} anew in every round of a loop; do it once, before, and keep what you get")
