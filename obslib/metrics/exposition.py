"""From series to what a scraper reads.

Our families appear as prometheus-client metrics and its encoders write them, so text, OpenMetrics and content
negotiation are what every scraper knows. Collectors of others are passed through with our constant labels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import cast

from prometheus_client import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar, Sample
from prometheus_client.utils import floatToGoString

from obslib.catalog import ExternalMetric
from obslib.metrics.families import AnyFamily, CounterFamily, GaugeFamily, HistogramFamily
from obslib.metrics.latch import Latch
from obslib.metrics.wiring import Wiring

__all__ = ["ForeignCollector", "OwnCollector", "Scrapes", "as_metric"]

_as_text = cast("Callable[[float], str]", floatToGoString)
_OPENMETRICS = "application/openmetrics-text"
_VERSIONS = ("", "1.0.0")
_TEXT = ("text/plain", "text/*", "*/*")


def as_metric(family: AnyFamily, constant: Mapping[str, str]) -> Metric:
    """``family`` as prometheus-client's own type, with the constant labels on every sample."""
    declaration = family.declaration
    names = declaration.label_names
    if isinstance(family, CounterFamily):
        metric = Metric(declaration.name.removesuffix("_total"), declaration.help, "counter")
        metric.samples = [
            Sample(declaration.name, {**constant, **dict(zip(names, values, strict=True))}, cell.total)
            for values, cell in family.series()
        ]
    elif isinstance(family, GaugeFamily):
        metric = Metric(declaration.name, declaration.help, "gauge")
        metric.samples = [
            Sample(declaration.name, {**constant, **dict(zip(names, values, strict=True))}, cell.value)
            for values, cell in family.series()
            if cell.value is not None
        ]
    else:
        metric = Metric(declaration.name, declaration.help, "histogram")
        metric.samples = list(_histogram_samples(family, constant))
    return metric


def _histogram_samples(family: AnyFamily, constant: Mapping[str, str]) -> Iterator[Sample]:
    if not isinstance(family, HistogramFamily):
        return
    name, names = family.declaration.name, family.declaration.label_names
    bounds = [_as_text(bound) for bound in (*family.buckets, float("inf"))]
    for values, cell in family.series():
        labels = {**constant, **dict(zip(names, values, strict=True))}
        read = cell.read()
        for index, (bound, count) in enumerate(zip(bounds, read.cumulative, strict=True)):
            found = read.exemplars.get(index)
            exemplar = Exemplar(dict(found.labels), found.value, found.timestamp) if found else None
            yield Sample(f"{name}_bucket", {**labels, "le": bound}, count, None, exemplar)
        yield Sample(f"{name}_count", labels, read.cumulative[-1])
        yield Sample(f"{name}_sum", labels, read.sum)


class OwnCollector(Collector):
    """The registry's own families, for any prometheus-client registry to serve."""

    def __init__(self, collect: Callable[[], Iterable[Metric]]) -> None:
        self._collect = collect

    def collect(self) -> Iterable[Metric]:
        """Read every source and yield every family that has a series."""
        return self._collect()

    def describe(self) -> Iterable[Metric]:
        """Nothing: names are the catalog's, and registering must not read sources."""
        return ()


class ForeignCollector(Collector):
    """Collectors of others, with the constant labels on their samples.

    A family that the catalog does not declare as an ``ExternalMetric`` is left out, and so is a collector that
    raises; the guard counts both.
    """

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._declared = {metric.name for metric in wiring.catalog.of(ExternalMetric, wiring.component)}
        self._collectors: list[Collector] = []

    def include(self, collector: Collector) -> None:
        """Export what ``collector`` yields, too."""
        self._collectors.append(collector)

    def collect(self) -> Iterable[Metric]:
        """Yield every declared family of every collector."""
        for collector in self._collectors:
            with self._wiring.guard.quiet("metrics"):
                for metric in list(collector.collect()):
                    if {metric.name, f"{metric.name}_total"} & self._declared:
                        yield self._relabelled(metric)
                    else:
                        self._wiring.guard.note(
                            "metrics", f"{metric.name} is not declared as an ExternalMetric, so it is left out"
                        )

    def _relabelled(self, metric: Metric) -> Metric:
        copy = Metric(metric.name, metric.documentation, metric.type)
        copy.samples = [sample._replace(labels={**sample.labels, **self._wiring.constant}) for sample in metric.samples]
        return copy


class _Everything(Collector):
    """Several collectors as one; families of one name are joined, because a format allows each name one header."""

    def __init__(self, parts: Iterable[Collector]) -> None:
        self.parts = list(parts)

    def collect(self) -> Iterable[Metric]:
        joined: dict[str, Metric] = {}
        for part in list(self.parts):
            for metric in part.collect():
                if metric.name in joined:
                    joined[metric.name].samples.extend(metric.samples)
                else:
                    joined[metric.name] = metric
        return joined.values()


class Scrapes:
    """Renders the exposition; scrapes that arrive while one is being rendered share the next one."""

    def __init__(self, *collectors: Collector) -> None:
        self._everything = _Everything(collectors)
        self._latch = Latch()
        self._begun = 0
        self._done: dict[str, tuple[int, bytes]] = {}

    def adjoin(self, collector: Collector) -> None:
        """Render what ``collector`` yields, too."""
        self._everything.parts.append(collector)

    def render(self, accept: str) -> tuple[bytes, str]:
        """The exposition in the format that an ``Accept`` header prefers, and its content type."""
        # The library takes any OpenMetrics it sees, refused or of a version that nobody has written.
        encode, content_type = choose_encoder(f"{_OPENMETRICS}; version=1.0.0" if _prefers_openmetrics(accept) else "")
        arrived = self._begun
        with self._latch.lock:
            begun, body = self._done.get(content_type, (0, b""))
            if begun <= arrived:
                self._begun = begun = self._begun + 1
                body = encode(self._everything)
                self._done = {content_type: (begun, body)}
            return body, content_type


def _prefers_openmetrics(accept: str) -> bool:
    """Whether an ``Accept`` header weighs OpenMetrics 1.0.0 at least as high as text (RFC 9110 §12.5.1)."""
    openmetrics = text = 0.0
    for part in accept.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        given = {key.strip(): value.strip(' "') for key, _, value in (piece.partition("=") for piece in parameters)}
        try:
            weight = float(given.get("q", 1))
        except ValueError:
            weight = 0.0
        if name == _OPENMETRICS and given.get("version", "") in _VERSIONS:
            openmetrics = max(openmetrics, weight)
        elif name in _TEXT:
            text = max(text, weight)
    return openmetrics > 0 and openmetrics >= text
