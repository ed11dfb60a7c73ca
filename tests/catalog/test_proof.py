"""What is proven before the process runs holds while it runs, and the type checker sees what the proof rests on."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from obslib.catalog import (
    COMMON,
    Catalog,
    Component,
    Counter,
    Family,
    Gauge,
    Histogram,
    Joint,
    Label,
    Plane,
    counter,
    gauge,
    histogram,
)
from obslib.catalog.platform import PLATFORM
from obslib.guard import Guard
from obslib.ids import ulid
from obslib.metrics import Registry
from obslib.metrics.domains import Slots
from obslib.tally import Tally

ROOT = Path(__file__).parents[2]

SHELF = Label.budgeted("shelf", 3, why="shelves")
ORG = Label.budgeted("org_id", 2, id_prefix="org", why="customers")
ENV = Label.budgeted("env_id", 3, id_prefix="env", determines=("org_id",), why="environments")
ROW = Label.closed("row", "a", "b")
SPOTS = Joint(name="spots", labels=("row", "shelf"), at_most=4, reserved=(("a", "lost"),), why="spots")
PLACED = Joint(name="placed", labels=("env_id", "shelf"), at_most=3, why="groups")

Row = Annotated[Literal["a", "b"], ROW]


@counter("sold_total", serves=("T",), joints=(SPOTS,))
def SOLD(*, row: Row, shelf: Annotated[str, SHELF]) -> None:
    """Things sold."""


@gauge("stock", serves=("T",))
def STOCK(*, shelf: Annotated[str, SHELF], row: Row) -> None:
    """Things in stock."""


@histogram("wait_seconds", serves=("T",), joints=(PLACED,), buckets=(0.1, 1.0))
def WAIT(*, env_id: Annotated[str, ENV], shelf: Annotated[str, SHELF], org_id: Annotated[str, ORG]) -> None:
    """Time waited."""


@counter("billed_total", serves=("T",))
def BILLED(*, org_id: Annotated[str, ORG], env_id: Annotated[str, ENV]) -> None:
    """Things billed."""


FAMILIES = (SOLD, STOCK, WAIT, BILLED)
SHOP = COMMON.extend("shop", components=[Component(name="shop", plane=Plane.COMMON)], signals=FAMILIES)

IDS = {prefix: [f"{prefix}_{ulid(n, n)}" for n in range(6)] for prefix in ("env", "org")}
VALUES = st.one_of(
    st.sampled_from(["a", "b", "c", "lost", "unmatched", "_other", "", "db.example.com", "10.0.0.1", *IDS["env"], *IDS["org"]]),
    st.text(max_size=8),
    st.none(),
)
LABELS = st.dictionaries(st.sampled_from(["row", "shelf", "env_id", "org_id", "x"]), VALUES)
CALLS = st.lists(st.tuples(st.sampled_from(FAMILIES), LABELS, st.integers(0, 9)), max_size=50)


def a_registry(catalog: Catalog, component: str) -> Registry:
    """A registry of ``component``."""
    tally = Tally()
    return Registry(catalog=catalog, component=component, constant={}, tally=tally, guard=Guard(tally))


def record(registry: Registry, family: Family[...], labels: dict[str, object]) -> None:
    """One sample under ``labels``."""
    handle = registry[family].labels(**labels)
    match family:
        case Counter():
            handle.inc()
        case Gauge():
            handle.set(1)
        case Histogram():
            handle.observe(0.5)


def assert_within_proof(registry: Registry, catalog: Catalog, component: str) -> None:
    """Every family, and the process, expose at most what the catalog proved."""
    found = {metric.name: len(metric.samples) for metric in registry.collector.collect()}
    for budget in catalog.budget(component):
        assert found.get(budget.family.removesuffix("_total"), 0) <= budget.series, budget.family
    assert sum(found.values()) <= catalog.worst_case(component)


@given(CALLS)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_no_labels_lead_past_the_proof(calls: list[tuple[Family[...], dict[str, object], int]]) -> None:
    """Any labels, wrong ones included, and any removals leave every family within its proven worst case."""
    registry = a_registry(SHOP, "shop")
    for family, labels, fate in calls:
        record(registry, family, labels)
        if fate == 0:
            for name, value in labels.items():
                registry.forget(name, str(value))
    assert_within_proof(registry, SHOP, "shop")


def bomb(component: str) -> Registry:
    """A registry after far more random label values than any domain holds."""
    draw = random.Random(11)
    registry = a_registry(PLATFORM, component)
    proven = {budget.family: budget.series for budget in PLATFORM.budget(component)}
    for family in PLATFORM.of(Family, component):
        for number in range(min(2 * proven[family.name] + 100, 1_500)):
            labels = {}
            for use in family.labels:
                known = PLATFORM.values(use, component)
                prefix = use.label.id_prefix
                fresh = f"{prefix}_{ulid(number, 0)}" if prefix else str(draw.randrange(10_000))
                labels[use.name] = draw.choice((*known, fresh)) if known else fresh
            record(registry, family, labels)
    return registry


@pytest.mark.parametrize("component", sorted(PLATFORM.components))
def test_a_label_bomb_on_every_family_stays_within_the_proof(component: str) -> None:
    """A platform component under random labels on all families at once never exports more than its worst case."""
    assert_within_proof(bomb(component), PLATFORM, component)


def test_the_proof_catches_a_mutant_without_admission(monkeypatch: pytest.MonkeyPatch) -> None:
    """With domains that always have room the same bomb breaks the proof."""
    monkeypatch.setattr(Slots, "has_room", lambda self, key: True)
    with pytest.raises(AssertionError):
        assert_within_proof(bomb("edge"), PLATFORM, "edge")


TYPED = """
from obslib.catalog.platform.control_plane import DB_POOL_CONNECTIONS, HTTP_REQUEST_DURATION, HTTP_REQUESTS
from obslib.metrics import Registry


def use(registry: Registry) -> None:
    registry[HTTP_REQUESTS].labels(method="GET", path_template="/v1/orgs", status_class="2xx").inc()
    registry[HTTP_REQUESTS].labels(methd="GET", path_template="/v1/orgs", status_class="2xx")
    registry[HTTP_REQUESTS].labels(method="BREW", path_template="/v1/orgs", status_class="2xx")
    registry[HTTP_REQUESTS].labels(method="GET", path_template="/v1/orgs")
    registry[HTTP_REQUEST_DURATION].labels(method="GET", path_template="/v1/orgs").inc()
    registry[HTTP_REQUEST_DURATION].labels(method="GET", path_template="/v1/orgs").observe(0.1, exemplar={"trace_id": "a"})
    registry[DB_POOL_CONNECTIONS].callback(lambda: {"idle": 1, "in_use": 2})
    registry[DB_POOL_CONNECTIONS].remove(stat="idle")
"""


@pytest.mark.slow
def test_the_type_checker_rejects_wrong_labels(tmp_path: Path) -> None:
    """Mypy refuses a misspelt label, a wrong closed value, a missing label and the wrong verb, and nothing else."""
    (tmp_path / "use.py").write_text(TYPED)
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), str(tmp_path / "use.py")]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    errors = [line.partition("use.py:")[2] for line in checked.stdout.splitlines() if "error:" in line]
    assert errors == [
        '8: error: Unexpected keyword argument "methd"; did you mean "method"?  [call-arg]',
        '9: error: Argument "method" has incompatible type "Literal[\'BREW\']"; '
        "expected \"Literal['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OTHER']\"  [arg-type]",
        '10: error: Missing named argument "status_class"  [call-arg]',
        '11: error: "BoundHistogram" has no attribute "inc"  [attr-defined]',
        '14: error: Unexpected keyword argument "stat" for "remove" of "BoundFamily"; did you mean "state"?  [call-arg]',
    ]
