"""The unit a metric's name promises: a base unit, at the end, that the kind of metric can have (requirements §1).

A room of its own, because a name is checked where a family is declared and again where somebody reads one that is not.
"""

from __future__ import annotations

from collections.abc import Mapping

from obslib.errors import CatalogError

__all__ = ["BASE_UNITS", "TIMESTAMP", "require_unit", "unit_of"]

BASE_UNITS = ("seconds", "bytes", "ratio")
"""The units a metric may be in; a figure without one of them is a plain count."""

TIMESTAMP = "timestamp_seconds"

_BASE_OF: Mapping[str, str] = {
    **dict.fromkeys(
        ("second", "secs", "ms", "msec", "millis", "milliseconds", "us", "micros", "microseconds", "ns", "nanos", "nanoseconds",
         "minutes", "mins", "hours", "days"), "seconds",
    ),
    **dict.fromkeys(
        ("byte", "bits", "kb", "mb", "gb", "kib", "mib", "gib", "kilobytes", "megabytes", "gigabytes", "kibibytes", "mebibytes",
         "gibibytes"), "bytes",
    ),
    **dict.fromkeys(("percent", "percentage", "pct", "ratios"), "ratio"),
}  # fmt: skip


def unit_of(name: str) -> str:
    """The base unit that the metric called ``name`` is in; empty when it is a plain count."""
    last = name.removesuffix("_total").rpartition("_")[2]
    return last if last in BASE_UNITS else ""


def require_unit(kind: str, name: str) -> None:
    """Raise CatalogError when the end of ``name`` is no base unit, or one that a metric of ``kind`` cannot have.

    ``kind`` is ``counter``, ``gauge`` or ``histogram``. A timestamp is a gauge, and ratios do not add up to a total.
    """
    stem, total = name.removesuffix("_total"), "_total" if name.endswith("_total") else ""
    rest, _, last = stem.rpartition("_")
    if last in _BASE_OF:
        raise CatalogError(
            f"{kind} {name!r} is in {last!r}; give it in the base unit and call it {f'{rest}_{_BASE_OF[last]}{total}'!r}"
        )
    if last == "timestamp":
        raise CatalogError(
            f"{kind} {name!r} is a time without a unit; give it in Unix seconds and call it {f'{stem}_seconds'!r}"
        )
    if kind != "gauge" and stem.endswith(f"_{TIMESTAMP}"):
        raise CatalogError(f"{kind} {name!r} is a point in time, which only a gauge can hold; declare {stem!r} with gauge(...)")
    if kind == "counter" and last == "ratio":
        raise CatalogError(
            f"counter {name!r} adds up ratios, whose sum is none; count both sides, or declare {stem!r} with gauge(...)"
        )
