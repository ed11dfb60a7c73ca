"""The four labels to aggregate by: each holds at most what it declares, and folds the rest (CARD-03 to CARD-06)."""

from __future__ import annotations

from typing import Annotated

import pytest

from obslib.catalog import COMMON, OVERFLOW, Alert, Component, Counter, Plane, counter
from obslib.catalog.platform import PLATFORM
from obslib.catalog.platform.terms import ENV_ID, NODE_ID, ORG_ID, PROCESS_TYPE
from obslib.ids import ulid
from obslib.testing import NODE_ID as THIS_NODE
from obslib.testing import observability

BOUNDS = {"org_id": 500, "env_id": 1_000, "process_type": 64, "node_id": 64}


@counter("by_org_total", serves=("T",))
def BY_ORG(*, org_id: Annotated[str, ORG_ID]) -> None:
    """Counted by org."""


@counter("by_env_total", serves=("T",))
def BY_ENV(*, env_id: Annotated[str, ENV_ID]) -> None:
    """Counted by env."""


@counter("by_process_type_total", serves=("T",))
def BY_PROCESS_TYPE(*, process_type: Annotated[str, PROCESS_TYPE]) -> None:
    """Counted by process type."""


@counter("by_node_total", serves=("T",))
def BY_NODE(*, node_id: Annotated[str, NODE_ID]) -> None:
    """Counted by node."""


FAMILIES: list[Counter[...]] = [BY_ORG, BY_ENV, BY_PROCESS_TYPE, BY_NODE]
CATALOG = COMMON.extend("counted", components=[Component(name="shop", plane=Plane.COMMON)], signals=FAMILIES)


@pytest.mark.parametrize("family", FAMILIES, ids=BOUNDS)
def test_a_label_holds_its_bound_and_folds_the_rest(family: Counter[...]) -> None:
    """As many values as the requirements allow are true; every one past them is ``_other``, and none is lost."""
    obs = observability("shop", catalog=CATALOG)
    (use,) = family.labels
    bound = BOUNDS[use.name]
    for number in range(bound + 10):
        value = f"{use.label.id_prefix}_{ulid(1, number)}" if use.label.id_prefix else f"p{number}"
        obs.metrics[family].labels(**{use.name: value}).inc()
    series = [sample for metric in obs.metrics.collector.collect() for sample in metric.samples if sample.name == family.name]
    assert len(series) == bound + 1
    assert obs.sample(family, **{use.name: OVERFLOW}) == 10


@pytest.mark.parametrize("label", BOUNDS)
def test_no_alert_carries_a_tenants_label(label: str) -> None:
    """What fires names a node at most: an org, an env and a process type stay out of every rule's result (facts §19)."""
    carried = {name for alert in PLATFORM.of(Alert) for rule in alert.rules for name in rule.query.labels}
    assert label not in carried or label == "node_id"


def test_a_node_is_named_by_the_process_itself() -> None:
    """Agent and edge add node_id to every family, so that none has to declare it."""
    for component in ("agent", "edge"):
        text = observability(component).metrics.exposition("text/plain")[0].decode()
        samples = [line for line in text.splitlines() if not line.startswith("#")]
        assert samples
        assert all(f'node_id="{THIS_NODE}"' in line for line in samples)
