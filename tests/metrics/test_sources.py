"""Readings come in several forms, totals restart, and none of it makes a total fall."""

from __future__ import annotations

import random
from math import inf, nan

import pytest

from obslib.metrics.reader import Reader
from obslib.metrics.sources import Mirror, Source, readings


@pytest.mark.parametrize(
    ("reading", "width", "expected"),
    [
        (None, 0, ({}, True)),
        (3, 0, ({(): 3}, True)),
        (3, 1, ({}, False)),
        ("3", 0, ({}, False)),
        (nan, 0, ({}, False)),
        ({"a": 1, ("b",): 2}, 1, ({("a",): 1, ("b",): 2}, True)),
        ({"a": None}, 1, ({}, True)),
        ({"a": "x", "b": 2}, 1, ({("b",): 2}, False)),
        ({("a", "b"): 1}, 1, ({}, False)),
        ([1, 2], 0, ({}, False)),
    ],
)
def test_every_form_of_reading_becomes_one(reading: object, width: int, expected: object) -> None:
    """One figure, figures by value and None are readings; the rest is left out and said to be unusable."""
    assert readings(reading, width) == expected


def test_a_source_that_raises_fails_once_and_yields_nothing() -> None:
    """Nothing that the component's callable raises reaches the scrape, not even the wish to exit."""
    failures: list[int] = []

    def broken() -> float:
        raise RuntimeError("pool is closed")

    def leaving() -> float:
        raise SystemExit

    for read in (broken, leaving):
        source = Source(read, width=0, failed=lambda: failures.append(1))
        assert source.read() == ({}, False)
        assert Reader().read([source]) == {source: {}}
    assert failures == [1, 1]


def test_totals_must_be_finite_and_not_negative() -> None:
    """A mirrored total below 0 or without bound is left out; the good ones beside it are kept."""
    failures: list[int] = []
    source = Source(lambda: {"a": -1, "b": inf, "c": 2}, width=1, failed=lambda: failures.append(1), is_total=True)
    assert Reader().read([source]) == {source: {("c",): 2}}
    assert failures == [1]


def test_a_mirror_never_shrinks() -> None:
    """Whatever a source reports, growth is never negative, and equals the true work when it restarts from 0."""
    draw = random.Random(7)
    mirror, total, worked, seen = Mirror(), 0, 0, 0
    for _ in range(2_000):
        step = draw.randrange(5)
        if draw.random() < 0.05:
            total = 0
            step = 0
        total += step
        worked += step
        growth = mirror.growth({("a",): total})[("a",)]
        assert growth >= 0
        seen += growth
    assert seen == worked


def test_a_source_that_returns_does_not_count_twice() -> None:
    """A source that was away and comes back goes on from where it was."""
    mirror = Mirror()
    assert mirror.growth({("a",): 5}) == {("a",): 5}
    assert mirror.growth({}) == {}
    assert mirror.growth({("a",): 7}) == {("a",): 2}


def test_departed_sources_are_remembered_within_bounds() -> None:
    """A flood of short-lived sources leaves at most 1 000 behind."""
    mirror = Mirror()
    for number in range(3_000):
        mirror.growth({(f"s{number}",): 1, ("stays",): number})
    assert len(mirror._last) <= 1_001 + 1
    assert mirror.growth({("stays",): 3_000}) == {("stays",): 1}
