"""A metric family is refused when its name, its labels or its buckets could mislead anyone."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Literal

import pytest

from obslib.catalog import Joint, Label, Pairs, counter, gauge, histogram, instance_gauge
from obslib.errors import CatalogError, LabelNotAllowed

SHELF = Label.budgeted("shelf", 5, why="shelves")
ROW = Label.closed("row", "a", "b")
OPEN_SET = Label.closed("kind", at_most=2)
INSTANCE = Label(
    name="instance_id", domain="budgeted", at_most=8, id_prefix="inst", why="quota", is_per_instance=True
)  # fmt: skip
FIRST = Label.budgeted("first", 5, why="w", determines=("second",))
SECOND = Label.budgeted("second", 5, why="w", determines=("third",))
THIRD = Label.budgeted("third", 5, why="w", determines=("first",))
ONE = Joint(name="one", labels=("row", "shelf"), at_most=3, why="w")
REAL = Joint(name="real", labels=("row", "shelf"), at_most=0, source=Pairs.CARRIED, why="w")
TWO = Joint(name="two", labels=("row", "first"), at_most=3, why="w")


class Size(StrEnum):
    """A closed set with more members than its label allows."""

    SMALL = "small"
    MIDDLE = "middle"
    LARGE = "large"


def plain() -> None:
    """Help."""


def by_shelf(*, shelf: Annotated[str, SHELF]) -> None:
    """Help."""


def unlabelled(*, shelf: str) -> None:
    """Help."""


def misnamed(*, shelve: Annotated[str, SHELF]) -> None:
    """Help."""


def positional(shelf: Annotated[str, SHELF]) -> None:
    """Help."""


def unlisted(*, kind: Annotated[str, OPEN_SET]) -> None:
    """Help."""


def too_many(*, kind: Annotated[Size, OPEN_SET]) -> None:
    """Help."""


def in_circles(*, first: Annotated[str, FIRST], second: Annotated[str, SECOND], third: Annotated[str, THIRD]) -> None:
    """Help."""


def row_and_more(*, row: Annotated[Literal["a", "b"], ROW], shelf: Annotated[str, SHELF], first: Annotated[str, FIRST]) -> None:
    """Help."""


def by_instance(*, instance_id: Annotated[str, INSTANCE]) -> None:
    """Help."""


def helpless() -> None:  # noqa: D103 - having no docstring is its purpose
    ...


SOME = gauge("some", serves=("T",))(plain)


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: counter("sold", serves=("T",))(plain), "counter 'sold' must end in '_total'"),
        (
            lambda: gauge("sold_total", serves=("T",))(plain),
            "gauge 'sold_total' must not end in '_total'; that suffix promises a counter",
        ),
        (
            lambda: gauge("sold_bucket", serves=("T",))(plain),
            "metric 'sold_bucket' ends in a suffix that the exposition format reserves",
        ),
        (lambda: gauge("sold.things", serves=("T",))(plain), "metric 'sold.things' must be lower_snake_case"),
        (
            lambda: counter("sold_total", serves=("T",))(helpless),
            "Counter 'sold_total' has no help text; write it as the docstring",
        ),
        (
            lambda: histogram("wait_seconds", serves=("T",), buckets=(1.0, 0.5))(plain),
            "histogram 'wait_seconds' needs ascending buckets, not (1.0, 0.5)",
        ),
        (
            lambda: counter("sold_total", serves=("T",))(misnamed),
            "metric 'sold_total': parameter 'shelve' is annotated with label 'shelf'; give both one name",
        ),
        (
            lambda: counter("sold_total", serves=("T",))(positional),
            "declaration positional: 'shelf' must be keyword-only (put * before it)",
        ),
        (
            lambda: counter("sold_total", serves=("T",))(unlisted),
            "metric 'sold_total': closed label 'kind' lists no values; annotate the parameter with a Literal or a StrEnum",
        ),
        (
            lambda: counter("sold_total", serves=("T",))(too_many),
            "metric 'sold_total': label 'kind' has 3 values, more than its bound of 2",
        ),
        (
            lambda: counter("sold_total", serves=("T",), joints=(ONE,))(by_shelf),
            "metric 'sold_total' uses joint domain 'one' without all of ('row', 'shelf')",
        ),
        (
            lambda: counter("sold_total", serves=("T",), joints=(ONE, TWO))(row_and_more),
            "metric 'sold_total' has a label in two joint domains; give each label one bound",
        ),
        (
            lambda: counter("sold_total", serves=("T",), joints=(REAL,))(row_and_more),
            "metric 'sold_total': joint domain 'real' pairs families and labels, which ('row', 'shelf') do not hold; "
            "give each label that source=, or list the pairs in reserved=",
        ),
        (
            lambda: counter("sold_total", serves=("T",))(in_circles),
            "metric 'sold_total': label 'first' ends up determining itself; drop one determines=",
        ),
        (
            lambda: instance_gauge("mem_bytes", serves=("T",), quota="", max_series=4, aggregate=SOME)(by_instance),
            "instance metric 'mem_bytes' needs a quota, max_series >= 1 and sample >= 1 (CARD-02)",
        ),
        (
            lambda: instance_gauge("mem_bytes", serves=("T",), quota="q", max_series=4, aggregate=SOME)(by_shelf),
            "instance metric 'mem_bytes' needs the per-instance label; use gauge(...) for anything else",
        ),
    ],
)
def test_a_wrong_family_is_refused(declare: Callable[[], object], message: str) -> None:
    """Each mistake raises where the family is declared, in one sentence that says what to do."""
    with pytest.raises(CatalogError) as caught:
        declare()
    assert str(caught.value) == message


def test_a_bare_parameter_is_no_label() -> None:
    """A label that is not in the table of bounds is refused."""
    with pytest.raises(LabelNotAllowed) as caught:
        counter("sold_total", serves=("T",))(unlabelled)
    assert str(caught.value) == (
        "metric 'sold_total': parameter 'shelf' is not annotated with a Label; "
        "use one of the catalog's labels, or log the value instead (CARD-01, CARD-07)"
    )


def test_a_per_instance_label_needs_its_own_kind_of_metric() -> None:
    """An ordinary gauge with instance_id is refused and the way out named."""
    with pytest.raises(LabelNotAllowed) as caught:
        gauge("mem_bytes", serves=("T",))(by_instance)
    assert str(caught.value) == (
        "metric 'mem_bytes' has a per-instance label; declare it with instance_gauge(...), "
        "or show the figure in 'platform describe instance' (CARD-02, CARD-07)"
    )


def test_a_family_narrows_a_closed_label() -> None:
    """The values a family lists are those it may hold; without a list they are the label's own."""

    def narrowed(*, row: Annotated[Literal["a"], ROW]) -> None:
        """Help."""

    def whole(*, row: Annotated[str, ROW]) -> None:
        """Help."""

    assert [counter("x_total", serves=("T",))(f).labels[0].values for f in (narrowed, whole)] == [("a",), ("a", "b")]
