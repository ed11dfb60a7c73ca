"""What differs from the lock file is told by family, with the part of the declaration that caused it."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest

from obslib.budget import deltas, locked
from obslib.catalog import Declaration, Family, Joint, Label, histogram
from tests.budget.shop import (
    ENV,
    KIND,
    SHELF,
    SPOTS,
    a_counter,
    a_shop,
    by_env,
    by_env_of_org,
    by_kind,
    by_shelf,
    plain,
)

FEW_ENVS = Label.budgeted("env_id", 9, id_prefix="env", why="environments")
FEW_ORGS = Label.budgeted("org_id", 4, id_prefix="org", why="customers")
WIDER = Joint(name="spots", labels=SPOTS.labels, at_most=300, why="spots")


def by_more_kinds(*, kind: Annotated[Literal["a", "b", "c", "d"], KIND]) -> None:
    """Help."""


def by_kind_and_shelf(*, kind: Annotated[Literal["a", "b", "c"], KIND], shelf: Annotated[str, SHELF]) -> None:
    """Help."""


def by_few(*, env_id: Annotated[str, FEW_ENVS], org_id: Annotated[str, FEW_ORGS]) -> None:
    """Help."""


def by_few_envs(*, env_id: Annotated[str, FEW_ENVS], shelf: Annotated[str, SHELF]) -> None:
    """Help."""


def by_spot(
    *, env_id: Annotated[str, ENV], shelf: Annotated[str, SHELF], kind: Annotated[Literal["a", "b", "c"], KIND]
) -> None:
    """Help."""


def seconds(*buckets: float) -> Family[...]:
    """A histogram of these buckets."""
    return histogram("x_seconds", serves=("T",), buckets=buckets)(by_kind)


@pytest.mark.parametrize(
    ("before", "after", "grown", "causes"),
    [
        ([], [a_counter(by_kind)], 4, ("family is new",)),
        ([a_counter(by_kind)], [], -4, ("family is gone",)),
        ([a_counter(plain)], [a_counter(by_kind)], 3, ("label 'kind' added, times 4",)),
        ([a_counter(by_kind_and_shelf)], [a_counter(by_kind)], 4 - 244, ("label 'shelf' dropped",)),
        ([a_counter(by_kind)], [a_counter(by_more_kinds)], 1, ("label 'kind' widened from 4 to 5",)),
        ([a_counter(by_more_kinds)], [a_counter(by_kind)], -1, ("label 'kind' narrowed from 5 to 4",)),
        ([a_counter(by_env_of_org)], [a_counter(by_few)], 50 - 1_001,
         ("label 'env_id' narrowed from 1001 to 10", "label 'org_id' widened from 1 to 5")),
        ([a_counter(by_env)], [a_counter(by_env_of_org)], 0, ("label 'org_id' added, times 1",)),
        ([a_counter(by_shelf, SPOTS)], [a_counter(by_shelf, WIDER)], 44, ("labels 'env_id x shelf' widened from 257 to 301",)),
        ([a_counter(by_few_envs)], [a_counter(by_few_envs, SPOTS)], 257 - 610,
         ("labels 'env_id x shelf' counted jointly now, times 257",)),
        ([a_counter(by_env)], [a_counter(by_shelf, SPOTS)], 257 - 1_001,
         ("label 'shelf' added to joint 'env_id x shelf', times 257",)),
        ([seconds(1.0)], [seconds(0.5, 1.0, 5.0)], 8, ("2 buckets added",)),
        ([seconds(0.5, 1.0)], [seconds(1.0)], -4, ("1 bucket dropped",)),
    ],
)  # fmt: skip
def test_each_change_has_its_cause(
    before: list[Declaration], after: list[Declaration], grown: int, causes: tuple[str, ...]
) -> None:
    """One family, the figure before and after, and what was changed about it."""
    (delta,) = deltas(locked(a_shop(*before)), locked(a_shop(*after)))
    assert (delta.grown_by, delta.causes) == (grown, causes)


def test_what_is_the_same_is_no_delta() -> None:
    """Nothing is said about a family that nobody changed."""
    same = a_shop(a_counter(by_kind), a_counter(by_env_of_org, name="y_total"))
    assert deltas(locked(same), locked(same)) == ()


def test_a_change_that_several_components_share_is_told_once() -> None:
    """With the figures of each; the largest growth comes first."""
    before = a_shop(a_counter(by_kind), a_counter(plain, name="y_total"), components=("shop", "till"))
    after = a_shop(a_counter(by_more_kinds), a_counter(by_kind, name="y_total"), components=("shop", "till"))
    first, second = deltas(locked(before), locked(after))
    assert (first.family, first.series) == ("y_total", {"shop": (1, 4), "till": (1, 4)})
    assert (second.family, second.grown_by) == ("x_total", 2)


def test_a_component_that_comes_or_goes_is_one_change() -> None:
    """Not one for each of its families."""
    one, two = a_shop(a_counter(by_kind), a_counter(plain, name="y_total")), a_shop(a_counter(by_kind), components=("till",))
    assert [(delta.family, delta.causes, delta.series) for delta in deltas(locked(one), locked(two))] == [
        ("all families", ("component is new",), {"till": (0, 4)}), ("all families", ("component is gone",), {"shop": (5, 0)}),
    ]  # fmt: skip
