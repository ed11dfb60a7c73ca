"""Bound families: a declaration, and the series one process has of it.

``labels(...)`` returns a handle to keep: the look-up costs a few times the increment. It never raises. A label
left out counts as ``_other``, one that the family does not have is ignored, and both are counted by the guard,
so no sample is lost to a caller without a type checker. A handle whose series was removed counts nowhere; ask again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Generic, ParamSpec, TypeVar, cast
from zlib import crc32

from obslib.catalog import OVERFLOW, AcrossWorkers, Counter, Family, Gauge, Histogram, InstanceMetric
from obslib.errors import CatalogError
from obslib.metrics.cells import BoundCounter, BoundGauge, BoundHistogram
from obslib.metrics.signature import labels_function
from obslib.metrics.sources import Figures, K, Key, Mirror, Reading, Source, readings
from obslib.metrics.wiring import Wiring

__all__ = ["AnyFamily", "BoundFamily", "CounterFamily", "GaugeFamily", "HistogramFamily"]

P = ParamSpec("P")
B = TypeVar("B", bound=BoundCounter | BoundGauge | BoundHistogram)

_COMBINE: Mapping[AcrossWorkers, Callable[[float, float], float]] = {
    AcrossWorkers.SUM: lambda a, b: a + b,
    AcrossWorkers.MAX: max,
    AcrossWorkers.MIN: min,
    AcrossWorkers.LATEST: lambda _, b: b,
}


class BoundFamily(ABC, Generic[P, B]):
    """What counters, gauges and histograms have in common; made by ``registry[DECLARATION]``."""

    def __init__(self, declaration: Family[P], wiring: Wiring) -> None:
        clash = set(declaration.label_names) & wiring.constant.keys()
        if clash:
            raise CatalogError(
                f"metric {declaration.name!r} has label {sorted(clash)[0]!r}, which {wiring.component!r} puts on every sample; "
                "drop the label, the constant one says the same"
            )
        self.declaration = declaration
        self._wiring = wiring
        self._context = wiring.context(declaration)
        self._series: dict[tuple[str, ...], B] = {}
        self._admission = wiring.admission(declaration)
        self._detached = self._make()
        self.labels: Callable[P, B] = cast("Callable[P, B]", labels_function(declaration.label_names, self._series, self._born))
        """The series of these labels, made on first use. Keep the handle where the labels do not change."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.declaration.name}: {len(self._series)} series>"

    def remove(self, *_: P.args, **labels: P.kwargs) -> bool:
        """Drop the series of exactly these labels and free its places; False when there is none."""
        key = tuple(_text(labels.get(name)) for name in self.declaration.label_names)
        with self._wiring.latch.lock:
            return bool(self._drop([cast("tuple[str, ...]", key)]))

    def forget(self, label: str, value: str) -> int:
        """Drop every series whose ``label`` is ``value``; returns how many there were."""
        if label not in self.declaration.label_names:
            return 0
        at, text = self.declaration.label_names.index(label), _text(value)
        with self._wiring.latch.lock:
            return self._drop([key for key in self._series if key[at] == text])

    def at(self, values: Key) -> B:
        """The series of label ``values`` given by position; like ``labels``, it never raises."""
        with suppress(Exception):
            return self._series[cast("tuple[str, ...]", values)]
        return self._born(values, False, {})

    def sources(self) -> Iterable[Source]:
        """What must be read before each exposition."""
        return ()

    def refresh(self, read: Mapping[Source, Figures]) -> None:
        """Take over what the family's sources said; one that is not there said nothing."""

    def series(self) -> list[tuple[tuple[str, ...], B]]:
        """Every series by its label values, as they stand."""
        with self._wiring.latch.lock:
            return list(self._series.items())

    @abstractmethod
    def _make(self) -> B: ...

    def _is_exported(self, placed: tuple[str, ...]) -> bool:
        """Whether a new series may be; where not, its handle works and shows nowhere."""
        return True

    def _born(self, given: tuple[object, ...], has_nameless: bool, unknown: Mapping[str, object]) -> B:
        try:
            if has_nameless or unknown:
                wrong = ", ".join(sorted(unknown)) or "a value without a name"
                self._context.refuse(f"it has no label {wrong}; it has {', '.join(self.declaration.label_names) or 'none'}")
            values = tuple(_text(value) for value in given)
            if None in values:
                missing = self.declaration.label_names[values.index(None)]
                self._context.refuse(f"label {missing} is missing or not text")
            with self._wiring.latch.lock:
                return self._series.get(cast("tuple[str, ...]", values)) or self._admit(values)
        except Exception as error:
            self._wiring.guard.note("metrics", error)
            return self._detached

    def _admit(self, values: tuple[str | None, ...]) -> B:
        placed = self._admission.place(values)
        found = self._series.get(placed)
        if found is not None:
            return found
        if not self._is_exported(placed):
            return self._detached
        self._admission.hold(placed)
        found = self._series[placed] = self._make()
        return found

    def _drop(self, keys: Iterable[tuple[str, ...]]) -> int:
        dropped = 0
        for key in keys:
            with suppress(TypeError):
                if self._series.pop(key, None) is not None:
                    self._admission.release(key)
                    dropped += 1
        return dropped

    def _source(self, read: Callable[[], object], *, is_total: bool = False) -> Source:
        return Source(
            read,
            width=len(self.declaration.label_names),
            failed=lambda: self._wiring.source_failed(self.declaration),
            is_total=is_total,
        )

    def _start(self) -> None:
        for point in self._wiring.starting_points(self.declaration):
            self.at(point)


AnyFamily = BoundFamily[..., BoundCounter] | BoundFamily[..., BoundGauge] | BoundFamily[..., BoundHistogram]


class CounterFamily(BoundFamily[P, BoundCounter]):
    """A bound counter family. Closed label combinations are exported from the start, at 0."""

    def __init__(self, declaration: Counter[P], wiring: Wiring) -> None:
        super().__init__(declaration, wiring)
        self._mirrors: list[tuple[Source, Mirror]] = []
        self._start()

    def mirror(self, read: Callable[[], Reading[K]]) -> None:
        """Take over totals kept elsewhere (a pool, a cgroup, a proxy), read at each scrape; ``read`` must be quick.

        It returns one total, or totals by label value. A total lower than before means that its source restarted,
        and what it says is added; a source that leaves keeps what it brought. A reading that raises, takes longer
        than a second, or holds anything but finite totals of at least 0, counts in ``metric_source_errors_total``.
        It runs in a thread of obslib's.
        """
        self._mirrors.append((self._source(read, is_total=True), Mirror()))

    def sources(self) -> Iterable[Source]:
        """Every mirrored source."""
        return [source for source, _ in self._mirrors]

    def refresh(self, read: Mapping[Source, Figures]) -> None:
        """Add what every mirrored total grew by."""
        for source, mirror in self._mirrors:
            self.grow(mirror.growth(read.get(source, {})))

    def grow(self, amounts: Mapping[Key, float]) -> None:
        """Add each amount to the series of its label values."""
        for values, amount in amounts.items():
            self.at(values).inc(amount)

    def _make(self) -> BoundCounter:
        return BoundCounter(self._context)


class HistogramFamily(BoundFamily[P, BoundHistogram]):
    """A bound histogram family. Closed label combinations are exported from the start, at 0."""

    def __init__(self, declaration: Histogram[P], wiring: Wiring) -> None:
        self.buckets = tuple(float(bound) for bound in declaration.buckets)
        super().__init__(declaration, wiring)
        self._start()

    def _make(self) -> BoundHistogram:
        return BoundHistogram(self._context, self.buckets)


class GaugeFamily(BoundFamily[P, BoundGauge]):
    """A bound gauge family. A series shows once it has a value.

    Of a per-instance gauge, instances outside the sample or past ``max_series`` get handles that show nowhere;
    those past the cap are counted as overflow (CARD-02).
    """

    def __init__(self, declaration: Gauge[P], wiring: Wiring) -> None:
        super().__init__(declaration, wiring)
        self._across = _COMBINE[declaration.across_workers]
        self._callbacks: list[Source] = []
        self._named: set[Key] = set()

    def callback(self, read: Callable[[], Reading[K]]) -> None:
        """Read the gauge at each scrape; ``read`` must be quick.

        It returns one figure, or figures by label value, and None for what is not known. What it does not name is
        absent; when it raises or takes longer than a second all of it is, and ``metric_source_errors_total`` counts.
        Where two figures end in one series, they are combined as ``across_workers`` says. It runs in a thread of
        obslib's, and not again before it has returned.
        """
        self._callbacks.append(self._source(read))

    def replace(self, values: Mapping[K, float]) -> None:
        """Set the whole family to ``values`` by label value, and drop the series they no longer name."""
        with self._wiring.guard.quiet("metrics"):
            measured, is_clean = readings(values, len(self.declaration.label_names))
            if not is_clean:
                self._context.refuse("replace() takes real numbers by label value, one value per label")
            with self._wiring.latch.lock:
                self._measure(measured, set(self._series))

    def sources(self) -> Iterable[Source]:
        """Every callback."""
        return list(self._callbacks)

    def refresh(self, read: Mapping[Source, Figures]) -> None:
        """Set the family to what its callbacks said."""
        if not self._callbacks:
            return
        measured: dict[Key, float] = {}
        for callback in self._callbacks:
            for key, value in read.get(callback, {}).items():
                measured[key] = self._across(measured[key], value) if key in measured else value
        with self._wiring.latch.lock:
            self._named = self._measure(measured, self._named)

    def _measure(self, measured: Mapping[Key, float], named: set[Key]) -> set[Key]:
        """Drop what was ``named`` and is not ``measured``, first, so that newcomers find its places; then set the rest."""
        self._drop(cast("set[tuple[str, ...]]", named - measured.keys()))
        folded: dict[BoundGauge, float] = {}
        for key, value in measured.items():
            cell = self.at(key)
            folded[cell] = self._across(folded[cell], value) if cell in folded else value
        for cell, value in folded.items():
            cell.set(value)
        return {key for key, cell in self._series.items() if cell in folded}

    def _make(self) -> BoundGauge:
        return BoundGauge(self._context)

    def _is_exported(self, placed: tuple[str, ...]) -> bool:
        declaration = self.declaration
        if not isinstance(declaration, InstanceMetric):
            return True
        name, at = next((use.name, i) for i, use in enumerate(declaration.labels) if use.label.is_per_instance)
        instance = placed[at]
        if instance == OVERFLOW or crc32(instance.encode()) % declaration.sample:
            return False
        if len(self._series) < declaration.max_series:
            return True
        self._wiring.folded(declaration, name, "overflow", instance)
        return False


def _text(value: object) -> str | None:
    """A label value as plain text; None for anything that is neither text nor a whole number, or cannot be encoded."""
    if isinstance(value, str):
        text = str.__str__(value)
        with suppress(UnicodeEncodeError):
            text.encode()
            return text
        return None
    return str(value) if type(value) is int else None
