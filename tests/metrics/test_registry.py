"""A registry binds what the catalog declares for its component, and shows what others tallied."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any

import pytest
from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.registry import Collector

from obslib.catalog import Label, counter, gauge
from obslib.catalog.common import (
    COMMON,
    HEALTH_READY,
    LOG_LINES,
    LOG_REDACTIONS,
    METRIC_LABEL_OVERFLOW,
    TELEMETRY_GUARD_ERRORS,
)
from obslib.catalog.platform import PLATFORM, control_plane, data_plane
from obslib.errors import CatalogError, UnknownSignal

Rig = Callable[..., Any]

NODE = Label.budgeted("node_id", 4, id_prefix="node", why="nodes")
SHELF = Label.budgeted("shelf", 1, why="shelves")


@gauge("heartbeat_age_seconds", serves=("T",))
def HEARTBEAT(*, node_id: Annotated[str, NODE]) -> None:
    """Seconds since the heartbeat."""


@counter("stray_total", serves=("T",))
def STRAY(*, shelf: Annotated[str, SHELF]) -> None:
    """Not in any catalog."""


@gauge("stock", serves=("T",))
def STOCK(*, shelf: Annotated[str, SHELF]) -> None:
    """Things in stock."""


def test_a_signal_outside_the_catalog_is_refused(rig: Rig) -> None:
    """Binding says what to do about an undeclared signal."""
    with pytest.raises(UnknownSignal) as caught:
        rig().registry[STRAY]
    assert str(caught.value) == (
        "<Counter stray_total> is not in catalog 'shop'; add it with CATALOG.extend(signals=[...]) and pass catalog= to start()"
    )


def test_a_signal_of_another_plane_is_refused(rig: Rig) -> None:
    """An agent cannot bind a signal of the control plane."""
    with pytest.raises(UnknownSignal) as caught:
        rig(catalog=PLATFORM, component="agent").registry[control_plane.HTTP_REQUESTS]
    assert str(caught.value) == "<Counter http_requests_total> is declared for control-plane, not for component 'agent'"


def test_what_is_no_metric_is_refused(rig: Rig) -> None:
    """A loop is bound elsewhere."""
    with pytest.raises(UnknownSignal, match=r"<Loop agent_reconcile> is no Family; bind this one with obs\.loop"):
        rig(catalog=PLATFORM, component="agent").registry[data_plane.AGENT_RECONCILE]


def test_an_unknown_component_is_refused(rig: Rig) -> None:
    """The message names the components there are."""
    with pytest.raises(UnknownSignal, match=r"component 'till' is not in catalog 'shop' \(it has: shop\)"):
        rig(component="till")


def test_a_label_may_not_hide_a_constant_one(rig: Rig) -> None:
    """A family that carries a constant label itself is refused where it is bound."""
    r = rig(HEARTBEAT, constant={"node_id": "node_x"})
    with pytest.raises(
        CatalogError, match=r"metric 'heartbeat_age_seconds' has label 'node_id', which 'shop' puts on every sample"
    ):
        r.registry[HEARTBEAT]


def test_its_own_loss_counters_are_there_from_the_start(rig: Rig) -> None:
    """Zero loss is exposed as 0 before anything was bound, so that an alert can see it grow."""
    r = rig()
    assert r.samples(LOG_LINES) == {("written",): 0, ("dropped",): 0}
    assert r.samples(TELEMETRY_GUARD_ERRORS)[("invalid_id",)] == 0


def test_only_pairs_that_exist_start_at_zero(rig: Rig) -> None:
    """The overflow counter starts with the labels each family has, not with every label of every family."""
    pairs = set(rig(STOCK).samples(METRIC_LABEL_OVERFLOW))
    assert ("stock", "shelf") in pairs
    assert ("stock", "result") not in pairs


def test_a_pair_that_does_not_exist_is_other(rig: Rig) -> None:
    """A label that a family does not have folds with the family, although both names are the catalog's."""
    r = rig(STOCK)
    before = r.samples(METRIC_LABEL_OVERFLOW)
    for label in ("shelf", "result"):
        r.registry[METRIC_LABEL_OVERFLOW].labels(metric="stock", label=label).inc()
    changed = {pair: count for pair, count in r.samples(METRIC_LABEL_OVERFLOW).items() if count}
    assert changed == {("stock", "shelf"): 1, ("_other", "_other"): 1, (METRIC_LABEL_OVERFLOW.name, "metric"): 1}
    assert len(r.samples(METRIC_LABEL_OVERFLOW)) == len(before) + 1


def test_tallied_cells_appear_under_their_declared_name(rig: Rig) -> None:
    """What rooms below counted is exposed, beside the combinations that did not happen, and adds to handles."""
    r = rig()
    r.tally.cell(LOG_REDACTIONS, kind="jwt").add(3)
    r.registry[LOG_REDACTIONS].labels(kind="jwt").inc()
    exposed = r.samples(LOG_REDACTIONS)
    assert (exposed[("jwt",)], exposed[("pem",)], len(exposed)) == (4, 0, 10)
    r.tally.cell(LOG_REDACTIONS, kind="jwt").add()
    assert r.samples(LOG_REDACTIONS)[("jwt",)] == 5


def test_a_tallied_family_that_is_not_declared_is_not_exposed(rig: Rig) -> None:
    """Nothing undeclared reaches a scrape; the guard says so once."""
    r = rig()
    r.tally.cell(STRAY, shelf="a").add()
    assert [r.samples(STRAY), r.samples(STRAY)] == [{}, {}]
    assert r.samples(TELEMETRY_GUARD_ERRORS)[("metrics",)] == 1


def test_forgetting_an_entity_drops_all_its_series(rig: Rig) -> None:
    """Every family loses the series of a gone entity, and its place is free."""
    r = rig(STOCK, STRAY)
    r.registry[STOCK].labels(shelf="a").set(1)
    r.registry[STRAY].labels(shelf="a").inc()
    assert r.registry.forget("shelf", "a") == 2
    r.registry[STOCK].labels(shelf="b").set(1)
    assert (r.samples(STOCK), r.samples(STRAY)) == ({("b",): 1}, {})
    assert [r.registry.forget("shelf", "z"), r.registry.forget("nonsense", "z")] == [0, 0]


def test_another_registry_can_serve_it(rig: Rig) -> None:
    """Our collector registers with prometheus-client's own registry and is rendered by it."""
    r = rig()
    r.registry[HEALTH_READY].labels().set(1)
    theirs = CollectorRegistry()
    theirs.register(r.registry.collector)
    assert b'health_ready{component="shop"} 1.0\n' in generate_latest(theirs)


class Theirs(Collector):
    """A collector of some other library."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def collect(self) -> Iterable[Metric]:
        """One family per name; ``broken`` raises."""
        for name in self.names:
            if name == "broken":
                raise RuntimeError("broken")
            metric = Metric(name, "theirs", "gauge")
            metric.add_sample(name, {"component": "theirs", "x": "y"}, 1)
            yield metric


def test_collectors_of_others_appear_when_declared(rig: Rig) -> None:
    """A declared family gets our constant labels; an undeclared one, or one that raises, is left out and counted."""
    r = rig(constant={"node_id": "node_x"})
    r.registry.include(Theirs("up", "unheard_of"))
    r.registry.include(Theirs("broken"))
    text = r.registry.exposition()[0].decode()
    assert 'up{component="shop",node_id="node_x",x="y"} 1.0\n' in text
    assert "unheard_of" not in text
    assert r.guard.last["metrics"] == "RuntimeError"
    assert r.samples(TELEMETRY_GUARD_ERRORS)[("metrics",)] == 2


def test_a_catalog_without_the_common_signals_still_counts_quietly(rig: Rig) -> None:
    """A catalog of its own exports only what it declares, and folding does not fail for lack of a counter."""
    from obslib.catalog import Catalog, Component, Plane

    bare = Catalog("bare", components=[Component(name="shop", plane=Plane.COMMON)], signals=[STOCK])
    r = rig(catalog=bare)
    for shelf in ("a", "b"):
        r.registry[STOCK].labels(shelf=shelf).set(1)
    assert r.samples(STOCK) == {("a",): 1, ("_other",): 1}
    assert COMMON.components == {}
