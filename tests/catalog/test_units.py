"""A metric's name ends in a base unit that its kind can have, or in none (requirements §1)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from obslib.catalog import Family, counter, gauge, histogram
from obslib.catalog.platform import PLATFORM
from obslib.catalog.units import BASE_UNITS, require_unit, unit_of
from obslib.errors import CatalogError

KINDS: dict[str, Callable[..., Callable[..., Family[...]]]] = {"counter": counter, "gauge": gauge, "histogram": histogram}


def plain() -> None:
    """Help."""


@pytest.mark.parametrize(
    ("kind", "name", "message"),
    [
        ("histogram", "wait_ms", "histogram 'wait_ms' is in 'ms'; give it in the base unit and call it 'wait_seconds'"),
        ("gauge", "uptime_hours", "gauge 'uptime_hours' is in 'hours'; give it in the base unit and call it 'uptime_seconds'"),
        ("gauge", "disk_used_mib", "gauge 'disk_used_mib' is in 'mib'; give it in the base unit and call it 'disk_used_bytes'"),
        ("gauge", "pool_percent", "gauge 'pool_percent' is in 'percent'; give it in the base unit and call it 'pool_ratio'"),
        (
            "counter",
            "sent_kilobytes_total",
            "counter 'sent_kilobytes_total' is in 'kilobytes'; give it in the base unit and call it 'sent_bytes_total'",
        ),
        (
            "gauge",
            "seen_timestamp",
            "gauge 'seen_timestamp' is a time without a unit; give it in Unix seconds and call it 'seen_timestamp_seconds'",
        ),
        (
            "counter",
            "seen_timestamp_seconds_total",
            "counter 'seen_timestamp_seconds_total' is a point in time, which only a gauge can hold; "
            "declare 'seen_timestamp_seconds' with gauge(...)",
        ),
        (
            "histogram",
            "seen_timestamp_seconds",
            "histogram 'seen_timestamp_seconds' is a point in time, which only a gauge can hold; "
            "declare 'seen_timestamp_seconds' with gauge(...)",
        ),
        (
            "counter",
            "hits_ratio_total",
            "counter 'hits_ratio_total' adds up ratios, whose sum is none; "
            "count both sides, or declare 'hits_ratio' with gauge(...)",
        ),
        ("histogram", "wait", "histogram 'wait' must end in its base unit: _seconds, _bytes or _ratio"),
    ],
)
def test_a_unit_that_is_none_or_contradicts_the_kind_is_refused(kind: str, name: str, message: str) -> None:
    """Raised where the metric is declared, with the name it should have."""
    with pytest.raises(CatalogError) as caught:
        KINDS[kind](name, serves=("T",))(plain)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("wait_seconds", "seconds"), ("sent_bytes_total", "bytes"), ("pool_used_ratio", "ratio"), ("seen_timestamp_seconds",
        "seconds"), ("requests_total", ""), ("doors", ""), ("applied_event_id", ""),
    ],
)  # fmt: skip
def test_a_name_says_its_unit(name: str, unit: str) -> None:
    """The last word before ``_total``, where it is a base unit; a plain count has none."""
    assert unit_of(name) == unit


def test_every_metric_of_the_platform_has_its_unit_at_the_end() -> None:
    """No family says a base unit anywhere else than at its end, nor one that its kind cannot have."""
    for family in PLATFORM.of(Family):
        assert astray(family.name) == "", family
        require_unit("counter" if family.name.endswith("_total") else "gauge", family.name)


def test_mutant_a_unit_in_the_middle_is_found() -> None:
    """The check above sees one that is followed by another word."""
    assert astray("wait_seconds_max") == "seconds"


def astray(name: str) -> str:
    """The base unit that ``name`` says too early, if it does."""
    *early, _ = name.removesuffix("_total").split("_")
    return next((word for word in early if word in BASE_UNITS), "")
