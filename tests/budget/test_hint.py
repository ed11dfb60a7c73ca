"""A hint is true: a family that is changed as it says has as many series as it says."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest

from obslib.budget import hints
from obslib.catalog import ExternalMetric, Family, Joint, Label, LabelUse, Plane, Source, counter, histogram, instance_gauge
from obslib.catalog.budget import FAMILY_BUDGET, FamilyBudget, measure
from obslib.catalog.common import CARRIED, LABEL, METRIC
from tests.budget.shop import KIND, SPOTS, a_counter, a_real_shop, by_customer, by_env, by_env_of_org, by_org, by_shelf, plain

INSTANCE = Label(name="instance_id", domain="budgeted", at_most=9_000, id_prefix="inst", why="fits", is_per_instance=True)
LOOP = Label.closed("loop", at_most=3_000, source=Source.LOOPS)


def held(use: LabelUse) -> int:
    """What a closed label lists; of loops there are many."""
    return 2_500 if use.label.source else len(use.values)


def measured(family: Family[...]) -> FamilyBudget:
    """Its worst case."""
    return measure(family, held)


def offered(family: Family[...], most: int = FAMILY_BUDGET) -> dict[str, int]:
    """What is hinted at, and what it would come to."""
    return {hint.change: hint.series for hint in hints(measured(family), most)}


def narrowed(label: Label, at_most: int) -> Label:
    """The same label with another bound."""
    return Label.budgeted(label.name, at_most, id_prefix=label.id_prefix, why=label.why)


def by_few_customers(
    *, customer: Annotated[str, Label.budgeted("customer", 499, why="customers")], kind: Annotated[Literal["a", "b", "c"], KIND]
) -> None:
    """Help."""


def test_narrowing_a_label_comes_to_what_it_says() -> None:
    """The widest label, as wide as fits, with room for ``_other``."""
    found = offered(a_counter(by_customer))
    assert found["narrow label 'customer' from 5000 to 499 values"] == measured(a_counter(by_few_customers)).series == 2_000


def test_letting_one_label_determine_another_comes_to_what_it_says() -> None:
    """An env is in one org, so the org costs nothing; this is offered first."""
    found = offered(a_counter(by_org))
    first = "let 'env_id' determine 'org_id' with determines=('org_id',), if one env_id is in one org_id"
    assert next(iter(found.items())) == (first, measured(a_counter(by_env_of_org)).series)


def test_a_joint_domain_comes_to_what_it_says() -> None:
    """As many pairs as fit; not where they would be all pairs, or fewer than one label has values."""
    found = offered(a_counter(by_shelf))
    joint = Joint(name="pairs", labels=("env_id", "shelf"), at_most=1_999, why="pairs")
    change = "declare 'env_id' and 'shelf' jointly, with a Joint of at_most=1999"
    assert found[change] == measured(a_counter(by_shelf, joint)).series == 2_000
    assert not any("jointly" in change for change in offered(a_counter(by_shelf), most=500))


def test_narrowing_a_joint_domain_comes_to_what_it_says() -> None:
    """A joint domain is narrowed as such: its labels are not multiplied."""
    found = offered(a_counter(by_shelf, SPOTS), most=100)
    joint = Joint(name="spots", labels=SPOTS.labels, at_most=99, why="spots")
    change = "narrow joint 'spots' (env_id x shelf) from 256 to 99 combinations"
    assert found[change] == measured(a_counter(by_shelf, joint)).series == 100


def by_pair(
    *, metric: Annotated[str, METRIC], label: Annotated[str, LABEL], kind: Annotated[Literal["a", "b", "c"], KIND]
) -> None:
    """Help."""


def test_pairs_that_are_written_down_are_not_narrowed() -> None:
    """Nobody chose how many there are: what is offered is the widest domain that somebody did choose."""
    shop = a_real_shop(a_counter(by_pair, CARRIED))
    (budget,) = (each for each in shop.budget("shop") if each.family == "x_total")
    narrow = [hint.change for hint in hints(budget, budget.series // 2) if hint.change.startswith("narrow")]
    assert max(budget.factors, key=lambda factor: factor.bound).labels == ("metric", "label")
    assert narrow == ["narrow label 'kind' from 3 to 1 values"]


def test_dropping_buckets_comes_to_what_it_says() -> None:
    """As few as it takes; the sum, the count and +Inf stay."""
    buckets = tuple(float(bound) for bound in range(1, 11))
    wide = histogram("x_seconds", serves=("T",), buckets=buckets)(by_env)
    found = offered(wide, most=9_009)
    slim = histogram("x_seconds", serves=("T",), buckets=buckets[:6])(by_env)
    assert found["drop 4 of its 10 buckets"] == measured(slim).series == 9_009
    assert not any("buckets" in change for change in offered(wide, most=3_000))


def test_moving_labels_out_comes_to_what_it_says() -> None:
    """The widest first, each with what it determines, until the rest fits."""
    instead = "a field of the log event, or declare an InstanceMetric with a quota and a cap"
    assert offered(a_counter(by_customer))[f"move 'customer' to {instead}"] == 4
    fields = "fields of the log event, or declare an InstanceMetric with a quota and a cap"
    assert offered(a_counter(by_env_of_org), most=1)[f"move 'env_id' and 'org_id' to {fields}"] == 1
    assert offered(a_counter(by_org), most=100)[f"move 'env_id' and 'org_id' to {fields}"] == 1


def test_a_per_instance_metric_is_capped() -> None:
    """Its cap is what to lower."""

    def by_instance(*, instance_id: Annotated[str, INSTANCE]) -> None:
        """Help."""

    family = instance_gauge("x_bytes", serves=("T",), quota="q", max_series=5_000, aggregate=a_counter(plain))(by_instance)
    assert offered(family) == {
        "lower max_series from 5000 to 2000": 2_000, "move 'instance_id' to a field of the log event": 1,
    }  # fmt: skip


def test_what_the_catalog_itself_fills_is_not_to_be_narrowed() -> None:
    """A label of all loops has as many values as there are loops; the next one is somebody's choice."""

    def by_loop(*, loop: Annotated[str, LOOP]) -> None:
        """Help."""

    assert offered(counter("x_total", serves=("T",))(by_loop)) == {"move 'loop' to a field of the log event": 1}


def test_a_domain_is_not_narrowed_to_nothing() -> None:
    """A label that could keep a few of its thousand values is another label."""
    assert not any("narrow" in change for change in offered(a_counter(by_org)))


@pytest.mark.parametrize("most", [1, 7, 100, 1_999, 2_000, 100_000])
@pytest.mark.parametrize("signature", [plain, by_customer, by_org, by_env_of_org, by_shelf, by_env])
def test_every_hint_fits(signature: Any, most: int) -> None:
    """Nothing is offered that would still be too much."""
    assert all(1 <= series <= most for series in offered(a_counter(signature), most).values())


def test_nothing_is_hinted_about_what_others_export() -> None:
    """Their declarations are theirs."""
    theirs = ExternalMetric(name="theirs", help="Theirs.", plane=Plane.COMMON, serves=("T",), series=3_000)
    assert hints(measure(theirs, held), FAMILY_BUDGET) == ()
