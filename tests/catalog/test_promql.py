"""A query can only ask about metrics, labels and values that exist."""

from __future__ import annotations

import pytest

from obslib.catalog import COMMON, Age, ExternalMetric, Query, Window, query
from obslib.catalog.common import UP
from obslib.catalog.platform import control_plane as cp
from obslib.catalog.platform import edge
from obslib.catalog.promql import duration
from obslib.errors import CatalogError, LabelNotAllowed

RUNS = cp.SCHEDULER_LOOP_RUNS
GC_RUNS = next(m for m in COMMON.of(ExternalMetric) if m.name == "python_gc_collections_total")


def test_holes_are_filled_with_names_and_spans() -> None:
    """A metric becomes its name, a window a duration, an age a number; one factor shortens both."""
    asked = query(
        'sum by (result) (increase($runs{result="success"}[$window])) > $age', runs=RUNS, window=Window(300), age=Age(60)
    )
    assert asked.render() == 'sum by (result) (increase(scheduler_loop_runs_total{result="success"}[5m])) > 60'
    assert asked.render(shorten=30) == 'sum by (result) (increase(scheduler_loop_runs_total{result="success"}[10s])) > 2'
    assert asked.metrics == (RUNS,)
    assert asked.labels == {"result"}


def test_a_histogram_is_asked_about_by_its_parts() -> None:
    """``$name_bucket`` is the family's buckets; the bare name would match no series."""
    by_event = query(
        "histogram_quantile(0.5, sum by (le) (rate($seconds_bucket[$w])))", seconds=cp.PROJECTION_PROCESSING, w=Window(60)
    )
    assert "projection_event_processing_duration_seconds_bucket[1m]" in by_event.render()


def test_a_value_in_quotes_may_hold_braces() -> None:
    """What a dashboard lets choose is written so, and a repetition in a pattern; what stands behind it is still looked at."""
    asked = query('max($backends{node_id=~"${node}",state=~"[a-z]{3,9}"}) > 1', backends=edge.EDGE_BACKENDS)
    assert asked.render() == 'max(edge_backends{node_id=~"${node}",state=~"[a-z]{3,9}"}) > 1'
    with pytest.raises(LabelNotAllowed, match="'edge_backends' has no label 'org_id'"):
        query('max($backends{node_id=~"${node}",org_id="x"})', backends=edge.EDGE_BACKENDS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("sum($runs)", "query 'sum($runs)' uses $runs, which is not given; pass runs=METRIC"),
        ("sum($up) + sum($db)", "query 'sum($up) + sum($db)' uses $db, which is not given; pass db=METRIC"),
        (
            "sum(scheduler_runs) + sum($up)",
            "query 'sum(scheduler_runs) + sum($up)' says 'scheduler_runs'; a metric is a hole ($scheduler_runs, with "
            "scheduler_runs=METRIC), and no other word than a known function stands outside quotes",
        ),
        (
            "sum(rate($up[5m]))",
            "query 'sum(rate($up[5m]))' has a range written as text; make it a hole, [$window] with a Window",
        ),
        ("sum($up{job=1})", "query 'sum($up{job=1})' has matchers that cannot be read: '{job=1}'; write label=\"value\""),
    ],
)
def test_what_is_no_declared_metric_is_refused(text: str, message: str) -> None:
    """A metric written as text, a hole without a metric, a literal range: each is one sentence."""
    with pytest.raises(CatalogError) as caught:
        query(text, **({} if "$up" not in text else {"up": UP}))
    assert str(caught.value) == message


def test_a_name_that_is_not_used_is_refused() -> None:
    """What is passed and not asked about is a leftover."""
    with pytest.raises(CatalogError, match="does not use runs; write \\$runs where it belongs, or leave it out"):
        query("sum($up)", up=UP, runs=RUNS)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: query('sum($runs{reason="x"})', runs=RUNS), "has no label 'reason'"),
        (lambda: query('sum($runs{result="succes"})', runs=RUNS), "is never 'succes'"),
        (lambda: query('sum($b{state!="reachble"})', b=edge.EDGE_BACKENDS), "is never 'reachble'"),
        (lambda: query("sum by (kind) ($runs)", runs=RUNS), "groups by 'kind', a label that none of its metrics has"),
        (lambda: query("sum($seconds)", seconds=cp.PROJECTION_PROCESSING), "_bucket, _sum or _count go with a histogram"),
        (lambda: query("sum($runs_count)", runs=RUNS), "_bucket, _sum or _count go with a histogram"),
    ],
)
def test_a_label_or_value_that_never_occurs_is_refused(make: object, message: str) -> None:
    """A condition that could never hold is found when it is declared, not in the night it should have fired."""
    with pytest.raises(CatalogError, match=message.replace("(", "\\(")) as caught:
        make()  # type: ignore[operator]
    assert isinstance(caught.value, LabelNotAllowed) or "histogram" in message


@pytest.mark.parametrize("text", ["sum($runs) > $span", "sum(increase($runs[$span]))"])
def test_a_window_stands_in_brackets_and_an_age_does_not(text: str) -> None:
    """One is a duration and one a number; each in the other's place is refused, and so is a metric."""
    right, wrong = (Window(60), Age(60)) if "[" in text else (Age(60), Window(60))
    assert query(text, runs=RUNS, span=right).render()
    for other in (wrong, RUNS) if "[" in text else (wrong,):
        with pytest.raises(CatalogError, match="a Window stands in brackets, and nothing else"):
            query(text, runs=RUNS, span=other)


def test_what_reaches_the_result_unaggregated_is_known() -> None:
    """Only inside an aggregation do a metric's own labels end; a parenthesis alone is none."""
    runs = {"runs": RUNS}
    assert query("max by (result) ($runs) > 1", **runs).unaggregated == ()
    assert query("time() - max($runs) > 1", **runs).unaggregated == ()
    assert query("(sum($runs) or vector(0)) == 0", **runs).unaggregated == ()
    assert query("max($runs) > 1 and ($runs)", **runs).unaggregated == (RUNS,)
    assert query("$runs > 1", **runs).unaggregated == (RUNS,)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(300, "5m"), (93_600, "26h"), (172_800, "2d"), (90, "90s"), (0.5, "500ms"), (10 / 3, "3333ms"), (0, "0s")],
)
def test_a_duration_is_written_in_its_largest_whole_unit(seconds: float, text: str) -> None:
    """Prometheus reads it back as the same time."""
    assert duration(seconds) == text


def test_mutant_without_the_word_check_a_metric_as_text_would_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the check out and a query can name what nobody exports."""
    monkeypatch.setattr(Query, "_check_words", lambda self: None)
    assert query("sum(scheduler_runs) + sum($up)", up=UP).render() == "sum(scheduler_runs) + sum(up)"


@pytest.mark.parametrize(
    ("text", "metric", "message"),
    [
        ('max($m{component="edge"})', UP, "query 'max($m{component=\"edge\"})': 'up' has no label 'component'"),
        ('sum($m{rank="1"})', GC_RUNS, "query 'sum($m{rank=\"1\"})': 'python_gc_collections_total' has no label 'rank'"),
    ],
)
def test_a_family_of_others_has_the_labels_it_declares(text: str, metric: ExternalMetric, message: str) -> None:
    """What Prometheus writes carries the target's labels and not the process's; a collector's own labels are known."""
    assert query('sum by (generation) ($m{generation="2", component="edge"})', m=GC_RUNS).metrics == (GC_RUNS,)
    with pytest.raises(LabelNotAllowed) as caught:
        query(text, m=metric)
    assert str(caught.value) == message
