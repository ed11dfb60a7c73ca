"""What labels a result carries is what Prometheus' engine would leave on it."""

from __future__ import annotations

import pytest

from obslib.lint.artifacts.carried import Carried, carried
from obslib.lint.artifacts.expression import parse

SERIES = {"a": "x y", "b": "y z", "h_bucket": "x le"}


def labels(query: str) -> str:
    """The labels of a result, sorted; ``…`` where anything may be there."""

    def find(name: str) -> Carried | None:
        return Carried.of(["__name__", *SERIES[name].split()]) if name in SERIES else None

    found = carried(parse(query).root, find)
    return " ".join([*sorted(found.labels), *(["…"] if found.is_open else [])])


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("a", "__name__ x y"),
        ("a == 0", "__name__ x y"),
        ("a * 2", "x y"),
        ("-a", "x y"),
        ("rate(a[5m])", "x y"),
        ("last_over_time(a[5m])", "__name__ x y"),
        ("max_over_time(rate(a[5m])[1h:])", "x y"),
        ("sum(a)", ""),
        ("sum by (x, q) (a)", "x"),
        ("sum without (x) (a)", "y"),
        ("topk by (x) (3, a)", "__name__ x y"),
        ('count_values("v", a)', "v"),
        ('count_values by (x) ("v", a)', "v x"),
        ("a / b", "x y"),
        ("a / on (y) b", "y"),
        ("a / ignoring (x, z) b", "y"),
        ("a * on (y) group_left (z) b", "x y z"),
        ("a * on (y) group_right (x) b", "x y z"),
        ("a and on (y) b", "__name__ x y"),
        ("a unless b", "__name__ x y"),
        ("a or b", "__name__ x y z"),
        ("sum(a) or vector(0)", ""),
        ("2 > a", "__name__ x y"),
        ("scalar(a) + time()", ""),
        ("minute()", ""),
        ('absent(a{x="1", y=~"2"})', "x"),
        ('absent_over_time(a{x="1"}[5m])', "x"),
        ('label_replace(a, "n", "$1", "x", "(.*)")', "__name__ n x y"),
        ('label_join(sum by (x) (a), "n", "-", "x")', "n x"),
        ("histogram_quantile(0.9, rate(h_bucket[5m]))", "x"),
        ("info(a)", "…"),
        ("unknown > 0", "…"),
        ("sum by (q) (unknown)", "q"),
        ("sum without (q) (unknown)", "…"),
        ("a or unknown", "__name__ x y …"),
    ],
)
def test_labels_are_followed_through_every_operation(query: str, left: str) -> None:
    """Each function, aggregation, join and set operation leaves what it leaves."""
    assert labels(query) == left
