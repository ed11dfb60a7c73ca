"""What labels a result carries is what Prometheus' engine would leave on it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


CASES = [
    ("a", "__name__ x y"),
    ("a > 0", "__name__ x y"),
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
    ("2 < a", "__name__ x y"),
    ("scalar(a) + time()", ""),
    ("minute()", ""),
    ('absent(a{x="7", y=~"2"})', "x"),
    ('absent_over_time(a{x="7"}[5m])', "x"),
    ('label_replace(a, "n", "$1", "x", "(.*)")', "__name__ n x y"),
    ('label_join(sum by (x) (a), "n", "-", "x")', "n x"),
    ("histogram_quantile(0.9, rate(h_bucket[5m]))", "x"),
    ("info(a)", "…"),
    ("unknown > 0", "…"),
    ("sum by (q) (unknown)", "q"),
    ("sum without (q) (unknown)", "…"),
    ("a or unknown", "__name__ x y …"),
]
"""What is asked, and which labels are left."""


@pytest.mark.parametrize(("query", "left"), CASES)
def test_labels_are_followed_through_every_operation(query: str, left: str) -> None:
    """Each function, aggregation, join and set operation leaves what it leaves."""
    assert labels(query) == left


NOT_ASKED = {"info(a)": "this Prometheus has no such function", "a / b": "nothing matches"}

UNIT: dict[str, Any] = {
    "evaluation_interval": "1m",
    "tests": [{
        "interval": "1m",
        "input_series": [
            {"series": series, "values": "1+1x10"}
            for series in ('a{x="1",y="2"}', 'b{y="2",z="3"}', 'h_bucket{x="1",le="1"}', 'h_bucket{x="1",le="+Inf"}')
        ],
        "promql_expr_test": [
            {"expr": query, "eval_time": "10m", "exp_samples": [{"labels": "not_this", "value": 0}]}
            for query in (case[0] for case in CASES) if query not in NOT_ASKED and "unknown" not in query
        ],
    }],
}  # fmt: skip
"""Every case as a test that must fail, because promtool tells what it got only then."""


@pytest.mark.slow
def test_a_real_prometheus_leaves_the_same_labels(need: Callable[[str], str], tmp_path: Path) -> None:
    """All series that its engine answers have together the labels that were foreseen, no more and no fewer."""
    (tmp_path / "unit.yml").write_text(json.dumps(UNIT))
    command = [need("promtool"), "test", "rules", "unit.yml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    answers = dict(re.findall(r'expr: (".*"), time: 10m,\n\s+exp:.*\n\s+got: (.*)', done.stderr + done.stdout))
    assert len(answers) == len(UNIT["tests"][0]["promql_expr_test"]), done.stderr
    assert "nil" not in answers.values()
    left = {json.loads(query): " ".join(sorted(set(re.findall(r"(\w+)=", got)))) for query, got in answers.items()}
    assert left == {query: labels(query) for query in left}
