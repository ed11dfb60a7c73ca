"""PromQL over declared metrics: text whose names are holes, filled with metric objects and spans of time.

``query('sum(increase($runs{result="success"}[$window])) == 0', runs=SCHEDULER_LOOP_RUNS, window=Window(300))``. A metric
that is renamed takes its queries with it, one that is gone cannot be named, and a label or a closed value that the
metric does not have is refused. Spans are holes too, so that one factor shortens them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from obslib.catalog.families import ExternalMetric, Family, Histogram
from obslib.errors import CatalogError, LabelNotAllowed

__all__ = ["Age", "Metric", "Query", "Window", "duration", "query", "require_labels"]

Metric = Family[...] | ExternalMetric

_HOLE = re.compile(r"\$(?P<name>[a-z][a-z0-9_]*?)(?P<suffix>_bucket|_sum|_count)?\b" r'(?P<matchers>\{(?:[^}"]|"[^"]*")*\})?')
_MATCHER = re.compile(r'\s*(?P<label>\w+)\s*(?P<operator>=~|!~|!=|=)\s*"(?P<value>[^"]*)"\s*(?:,|\Z)')
_GROUPING = re.compile(r"\b(?:by|on)\s*\((?P<labels>[^)]*)\)")
_AGGREGATION = re.compile(r"\b(?:sum|max|min|avg|count|absent)\s*(?:by\s*\([^)]*\)\s*)?\(")
_WORDS = frozenset({
    "sum", "max", "min", "avg", "count", "absent", "increase", "rate", "changes", "time", "vector", "histogram_quantile",
    "and", "or", "unless", "by", "on",
})  # fmt: skip
_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000))
_CONSTANT = frozenset({"component", "node_id"})
_OF_TARGETS = frozenset({"job"})


@dataclass(frozen=True, slots=True)
class Window:
    """A range of time, in seconds: ``[5m]`` where it is used."""

    seconds: float

    def render(self, shorten: float) -> str:
        """As a PromQL duration."""
        return duration(self.seconds / shorten)


@dataclass(frozen=True, slots=True)
class Age:
    """A span that a query compares with, in seconds: a plain number where it is used."""

    seconds: float

    def render(self, shorten: float) -> str:
        """As a PromQL number."""
        return f"{self.seconds / shorten:.10g}"


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A PromQL expression; made by ``query()``.

    Raises CatalogError for a hole without a name and a name without a hole, for a metric or a range that is written as
    text, and LabelNotAllowed for a label or a closed value that no metric of the query has.
    """

    text: str
    holes: Mapping[str, Metric | Window | Age]

    def __post_init__(self) -> None:
        used = {found["name"] for found in _HOLE.finditer(self.text)}
        for name in sorted(used ^ set(self.holes)):
            raise CatalogError(
                f"query {self.text!r} uses ${name}, which is not given; pass {name}=METRIC"
                if name in used
                else f"query {self.text!r} does not use {name}; write ${name} where it belongs, or leave it out"
            )
        self._check_words()
        for found in _HOLE.finditer(self.text):
            self._check_hole(found)
        for label in sorted(self.labels):
            if not any(label in _labels_of(metric) for metric in self.metrics):
                raise LabelNotAllowed(f"query {self.text!r} groups by {label!r}, a label that none of its metrics has")

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metrics it reads."""
        return tuple(hole for hole in self.holes.values() if isinstance(hole, (Family, ExternalMetric)))

    @property
    def labels(self) -> frozenset[str]:
        """The labels it groups by; every label of a result is one of these, when all its metrics are aggregated."""
        lists = (found["labels"].split(",") for found in _GROUPING.finditer(self.text))
        return frozenset(label.strip() for listed in lists for label in listed if label.strip())

    @property
    def unaggregated(self) -> tuple[Metric, ...]:
        """Metrics whose own labels (the scraped target's among them) would reach the result."""
        text = _AGGREGATION.sub("\x01", _GROUPING.sub("", self.text))
        found, depths = [], list[bool]()
        for token in re.finditer(r"[\x01()]|\$[a-z][a-z0-9_]*", text):
            match token.group():
                case "\x01" | "(" as opening:
                    depths.append(opening == "\x01")
                case ")":
                    del depths[-1:]
                case _ if not any(depths):
                    hole = self.holes.get(_HOLE.match(token.group())["name"])  # type: ignore[index]  # same syntax
                    found += [hole] if isinstance(hole, (Family, ExternalMetric)) else []
        return tuple(found)

    def render(self, *, shorten: float = 1.0) -> str:
        """The PromQL text, with every window and age divided by ``shorten``."""

        def filled(found: re.Match[str]) -> str:
            hole = self.holes[found["name"]]
            shown = hole.render(shorten) if isinstance(hole, (Window, Age)) else hole.name
            return f"{shown}{found['suffix'] or ''}{found['matchers'] or ''}"

        return _HOLE.sub(filled, self.text)

    def _check_words(self) -> None:
        rest = re.sub(r'"[^"]*"', "", _GROUPING.sub("", _HOLE.sub("", self.text)))
        for word in re.findall(r"\b[a-zA-Z_]\w*", rest):
            if word not in _WORDS:
                raise CatalogError(
                    f"query {self.text!r} says {word!r}; a metric is a hole (${word}, with {word}=METRIC), "
                    "and no other word than a known function stands outside quotes"
                )
        if re.search(r"\[(?!\$[a-z][a-z0-9_]*\])", re.sub(r'"[^"]*"', "", self.text)):
            raise CatalogError(f"query {self.text!r} has a range written as text; make it a hole, [$window] with a Window")

    def _check_hole(self, found: re.Match[str]) -> None:
        hole = self.holes[found["name"]]
        if isinstance(hole, Window) != (self.text[found.start() - 1 : found.start()] == "["):
            raise CatalogError(
                f"query {self.text!r}: ${found['name']} is {hole!r}; a Window stands in brackets, and nothing else"
            )
        if isinstance(hole, (Window, Age)):
            return
        if isinstance(hole, Histogram) != bool(found["suffix"]):
            raise CatalogError(
                f"query {self.text!r}: ${found['name']} is {hole!r}; _bucket, _sum or _count go with a histogram and only there"
            )
        require_labels(hole, dict(_matchers(self.text, found["matchers"])), f"query {self.text!r}")


def query(text: str, **holes: Metric | Window | Age) -> Query:
    """A checked PromQL expression: every ``$name`` in ``text`` stands for what is passed as ``name``."""
    return Query(text, MappingProxyType(holes))


def duration(seconds: float) -> str:
    """Seconds as a Prometheus duration in its largest whole unit: ``300`` is ``5m``, ``0.5`` is ``500ms``."""
    milliseconds = round(seconds * 1_000)
    unit, size = next(((unit, size) for unit, size in _UNITS if milliseconds % size == 0), ("ms", 1))
    return f"{milliseconds // size}{unit}" if milliseconds else "0s"


def require_labels(metric: Metric, labels: Mapping[str, str], where: str) -> None:
    """Raise LabelNotAllowed, naming ``where``, for a label ``metric`` lacks or a value its closed label does not list."""
    closed = {use.name: use.values for use in metric.labels} if isinstance(metric, Family) else {}
    for label, value in labels.items():
        if label not in _labels_of(metric):
            raise LabelNotAllowed(f"{where}: {metric.name!r} has no label {label!r}")
        if value and closed.get(label) and value not in closed[label]:
            raise LabelNotAllowed(f"{where}: label {label!r} of {metric.name!r} is never {value!r}")


def _matchers(text: str, listed: str | None) -> Iterator[tuple[str, str]]:
    inside, at = (listed or "{}")[1:-1], 0
    while at < len(inside):
        found = _MATCHER.match(inside, at)
        if found is None:
            raise CatalogError(f'query {text!r} has matchers that cannot be read: {listed!r}; write label="value"')
        yield found["label"], found["value"] if found["operator"] in ("=", "!=") else ""
        at = found.end()


def _labels_of(metric: Metric) -> frozenset[str]:
    if isinstance(metric, ExternalMetric):
        return _OF_TARGETS | set(metric.label_names) | (set() if metric.is_of_scraper else _CONSTANT)
    return _CONSTANT | set(metric.label_names) | ({"le"} if isinstance(metric, Histogram) else set())
