"""What one series keeps, and the handles components hold on it.

A handle is the hottest thing in obslib, so the usual path of each takes no lock: a count ticks a C-level
counter, an observation is appended and folded into its buckets later, 256 at a time or at the scrape. Both are
single operations under the interpreter lock, so no update is lost between threads. Nothing here raises: a value
that is not a number is counted by the guard and left out.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import fsum, isfinite
from typing import Protocol, SupportsFloat

from obslib.guard import Guard
from obslib.metrics.latch import Latch

__all__ = [
    "BoundCounter",
    "BoundGauge",
    "BoundHistogram",
    "CellContext",
    "Distribution",
    "Exemplar",
    "Redacts",
    "as_number",
]

_FOLD_AT = 256
_ONE = 1
_EXEMPLAR_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*\Z")
_EXEMPLAR_CHARACTERS = 128


class Redacts(Protocol):
    """What metrics need of a redactor."""

    def text(self, text: str, /) -> str:
        """``text`` with every secret replaced."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CellContext:
    """What the cells of one family share; ``now`` dates exemplars, in Unix seconds."""

    family: str
    guard: Guard
    latch: Latch
    redactor: Redacts | None = None
    now: Callable[[], float] | None = None

    def refuse(self, what: str) -> None:
        """Count a value that cannot be used; ``what`` must not repeat it."""
        self.guard.note("metrics", f"{self.family}: {what}")


def as_number(value: object) -> float | None:
    """``value`` as a real number, or None for text, NaN and whatever else is not one."""
    try:
        if isinstance(value, (str, bytes, bytearray)) or not isinstance(value, SupportsFloat):
            return None
        number = float(value)
    except Exception:
        return None
    if number != number:
        return None
    return value if type(value) is int else number


class BoundCounter:
    """One series of a counter."""

    __slots__ = ("_context", "_surplus", "_ticks")

    def __init__(self, context: CellContext) -> None:
        self._context = context
        self._ticks = itertools.count()
        self._surplus: float = 0

    def inc(self, amount: float = _ONE) -> None:
        """Add ``amount``; a negative, infinite or non-numeric one is refused and counted by the guard."""
        # Identity, because it asks nothing of a strange amount; any other 1 takes the long way to the same total.
        if amount is _ONE:
            next(self._ticks)
        else:
            self._add(amount)

    @property
    def total(self) -> float:
        """Everything added so far."""
        # A count steps by ones only, and its repr is the one way to read it that all interpreters keep.
        return int(repr(self._ticks)[len("count(") : -1]) + self._surplus

    def _add(self, amount: float) -> None:
        number = as_number(amount)
        if number is None or number < 0 or not isfinite(number):
            self._context.refuse("a counter grows by a finite number of at least 0")
            return
        with self._context.latch.lock:
            self._surplus += number


class BoundGauge:
    """One series of a gauge; absent from the exposition until it has a value."""

    __slots__ = ("_context", "value")

    def __init__(self, context: CellContext) -> None:
        self._context = context
        self.value: float | None = None

    def set(self, value: float) -> None:
        """Set to ``value``; NaN or anything but a number is refused and counted by the guard."""
        if type(value) is not float or value != value:
            number = as_number(value)
            if number is None:
                self._context.refuse("a gauge is set to a real number")
                return
            value = number
        with self._context.latch.lock:
            self.value = value

    def inc(self, amount: float = 1) -> None:
        """Add ``amount``, starting from 0."""
        self._shift(amount, 1)

    def dec(self, amount: float = 1) -> None:
        """Subtract ``amount``, starting from 0."""
        self._shift(amount, -1)

    def _shift(self, amount: float, sign: int) -> None:
        number = as_number(amount)
        if number is None or not isfinite(number):
            self._context.refuse("a gauge moves by a finite number")
            return
        with self._context.latch.lock:
            self.value = (self.value or 0) + sign * number


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemplar:
    """One observation that stands for its bucket, with the labels that lead to it, such as ``trace_id``."""

    labels: Mapping[str, str]
    value: float
    timestamp: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """A histogram series as it stands: ``cumulative`` counts per upper bound, +Inf last."""

    cumulative: tuple[int, ...]
    sum: float
    exemplars: Mapping[int, Exemplar]


class BoundHistogram:
    """One series of a histogram."""

    __slots__ = ("_bounds", "_context", "_counts", "_exemplars", "_pending", "_sum")

    def __init__(self, context: CellContext, bounds: tuple[float, ...]) -> None:
        self._context = context
        self._bounds = bounds
        self._counts: list[int] | None = None
        self._sum = 0.0
        self._pending: list[float] = []
        self._exemplars: dict[int, tuple[float, Mapping[str, str], float | None]] | None = None

    def observe(self, value: float, exemplar: Mapping[str, str] | None = None) -> None:
        """Record ``value`` in the unit of the family's name.

        A negative, infinite or non-numeric one is left out and counted by the guard. The last ``exemplar`` of each
        bucket is shown in OpenMetrics; hand one over only for a trace that is, or will be, kept.
        """
        pending = self._pending
        pending.append(value)
        if len(pending) >= _FOLD_AT:
            self._fold_unless_busy()
        if exemplar is not None:
            self._remember(value, exemplar)

    def read(self) -> Distribution:
        """Fold what is pending and return the whole."""
        with self._context.latch.lock:
            self._fold()
            counts = self._counts or [0] * (len(self._bounds) + 1)
            return Distribution(cumulative=tuple(counts), sum=self._sum, exemplars=self._shown())

    def _fold_unless_busy(self) -> None:
        # Waiting would cost the component time and buy nothing: whoever holds the lock leaves the rest for later.
        lock = self._context.latch.lock
        if lock.acquire(blocking=False):
            try:
                self._fold()
            finally:
                lock.release()

    def _fold(self) -> None:
        taken = len(self._pending)
        if not taken:
            return
        values = self._pending[:taken]
        del self._pending[:taken]
        try:
            total = fsum(values)
            values.sort()
            is_clean = isfinite(total) and values[0] >= 0
        except Exception:
            is_clean = False
        if not is_clean:
            values = self._usable(values)
            total = fsum(values)
        counts = self._counts or [0] * (len(self._bounds) + 1)
        for index, bound in enumerate(self._bounds):
            counts[index] += bisect_right(values, bound)
        counts[-1] += len(values)
        self._counts = counts
        self._sum += total

    def _usable(self, values: list[float]) -> list[float]:
        numbers = [number for value in values if (number := as_number(value)) is not None and 0 <= number < float("inf")]
        for _ in range(len(values) - len(numbers)):
            self._context.refuse("an observation is a finite number of at least 0")
        return sorted(numbers)

    def _remember(self, value: float, exemplar: Mapping[str, str]) -> None:
        try:
            now = self._context.now
            if self._exemplars is None:
                self._exemplars = {}
            self._exemplars[bisect_left(self._bounds, value)] = (value, exemplar, now() if now else None)
        except Exception as error:
            self._context.guard.note("metrics", error)

    def _shown(self) -> dict[int, Exemplar]:
        shown: dict[int, Exemplar] = {}
        for index, (value, labels, timestamp) in list((self._exemplars or {}).items()):
            number = as_number(value)
            if number is None or not 0 <= number < float("inf"):
                del (self._exemplars or {})[index]
            elif not self._is_fit(labels):
                del (self._exemplars or {})[index]
                self._context.refuse(
                    f"exemplar labels are names and texts of at most {_EXEMPLAR_CHARACTERS} characters, no secrets"
                )
            else:
                shown[index] = Exemplar(labels=dict(labels), value=number, timestamp=timestamp)
        return shown

    def _is_fit(self, labels: Mapping[str, str]) -> bool:
        """Whether the format allows these labels; one bad exemplar would fail the whole scrape."""
        try:
            size = 0
            for name, value in labels.items():
                value.encode()
                if not _EXEMPLAR_NAME.match(name) or (self._context.redactor and self._context.redactor.text(value) != value):
                    return False
                size += len(name) + len(value)
        except Exception:
            return False
        return size <= _EXEMPLAR_CHARACTERS
