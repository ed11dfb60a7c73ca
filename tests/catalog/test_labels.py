"""A label's domain is stated where it is declared, and a forbidden name is refused whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from obslib.catalog import Joint, Label, Pairs
from obslib.catalog.labels import FORBIDDEN
from obslib.errors import CatalogError, LabelNotAllowed


@pytest.mark.parametrize("name", sorted(FORBIDDEN))
def test_unbounded_names_are_refused(name: str) -> None:
    """No label carries a name whose values have no bound, closed or budgeted; the message says where to put it instead."""
    for declare in (lambda: Label.budgeted(name, 5, why="few"), lambda: Label.closed(name, "a")):
        with pytest.raises(LabelNotAllowed) as caught:
            declare()
        assert str(caught.value) == (
            f"label {name!r} is forbidden because its values are unbounded; "
            "write it to a log line or show it in a describe command instead (CARD-01, CARD-07)"
        )


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: Label.budgeted("Shelf", 5, why="w"), "label name 'Shelf' must be lower_snake_case"),
        (lambda: Label.budgeted("shelf", 0, why="w"), "label 'shelf' needs at_most >= 1, not 0"),
        (
            lambda: Label.closed("row", "a", "b", at_most=1),
            "label 'row' lists 2 values but allows 1; raise at_most or drop values",
        ),
        (
            lambda: Label.budgeted("shelf", 5, why="w", determines=("shelf",)),
            "label 'shelf' cannot determine itself; leave it out of determines=",
        ),
        (lambda: Joint(name="j", labels=("row",), at_most=3, why="w"), "joint domain 'j' needs at least two labels"),
        (
            lambda: Joint(name="j", labels=("row", "shelf"), at_most=3, why="w", reserved=(("a",),)),
            "joint domain 'j': ('a',) does not match labels ('row', 'shelf')",
        ),
        (
            lambda: Joint(name="j", labels=("metric", "label"), at_most=3, source=Pairs.CARRIED, why="w"),
            "joint domain 'j' takes its combinations from the catalog; give it at_most=0 and no reserved=",
        ),
    ],
)
def test_a_domain_that_makes_no_sense_is_refused(declare: Callable[[], object], message: str) -> None:
    """A wrong declaration raises where it stands, with the way out."""
    with pytest.raises(CatalogError) as caught:
        declare()
    assert str(caught.value) == message


def test_a_joint_costs_its_pairs_its_reserved_pairs_and_the_overflow() -> None:
    """The bound of a joint domain is what a process can really hold."""
    joint = Joint(name="j", labels=("row", "shelf"), at_most=96, reserved=(("a", "lost"), ("b", "lost")), why="w")
    assert joint.bound == 96 + 2 + 1
