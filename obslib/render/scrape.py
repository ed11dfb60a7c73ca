"""The scrape configuration that goes with the rules: their job names, and the limits that the budgets prove.

Targets come from files the deployment writes, ``targets/<job>.json`` beside the configuration, in Prometheus' file format.
"""

from __future__ import annotations

from collections.abc import Iterator

from obslib.catalog import Catalog, Family
from obslib.catalog.promql import duration
from obslib.render.rules import HEADER

__all__ = ["scrape_config"]

_INTERVAL_S = 15.0
_TIMEOUT_S = 10.0
_FASTEST_S = 1.0
_ALWAYS = 6  # __name__, job, instance, component, node_id, le
_OF_OTHERS = 5  # python_info, the widest family that is not ours
_VALUE_LENGTH = 256
_BODY = "5MB"


def scrape_config(catalog: Catalog, *, rule_files: tuple[str, ...], shorten: float = 1.0) -> str:
    """One job for each component of ``catalog``; the intervals are divided by ``shorten``, down to a second."""
    interval_s = max(_INTERVAL_S / shorten, _FASTEST_S)
    lines = [
        HEADER,
        "global:",
        f"  scrape_interval: {duration(interval_s)}",
        f"  scrape_timeout: {duration(min(_TIMEOUT_S, interval_s))}",
        f"  evaluation_interval: {duration(interval_s)}",
        "rule_files:",
        *(f"  - {path}" for path in rule_files),
        "scrape_configs:",
    ]
    return "\n".join([*lines, *(line for name in catalog.components for line in _job(catalog, name))]) + "\n"


def _job(catalog: Catalog, component: str) -> Iterator[str]:
    families = catalog.of(Family, component)
    yield f"  - job_name: {component}"
    yield f"    sample_limit: {catalog.worst_case(component)}"
    yield f"    label_limit: {max([_OF_OTHERS, *(len(family.labels) for family in families)]) + _ALWAYS}"
    yield f"    label_value_length_limit: {_VALUE_LENGTH}"
    yield f"    body_size_limit: {_BODY}"
    yield "    file_sd_configs:"
    yield f"      - files: [targets/{component}.json]"
