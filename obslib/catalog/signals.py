"""Declarations that are not metric families: fields, log events, spans, operations, checks, loops, cursors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, ParamSpec

from obslib.catalog.declaration import Declaration, Deprecated, Plane, Stability, parameters, require_plane, sentence
from obslib.catalog.families import Counter, Family, Gauge, Histogram
from obslib.catalog.labels import Joint
from obslib.errors import CatalogError

__all__ = [
    "DEFAULT_DEADLINE_S", "NO_REASON", "Check", "Component", "Cursor", "Field", "Importance", "Level", "LogEvent", "Loop",
    "Operation", "ReasonSet", "SpanKind", "log_event", "span_kind",
]  # fmt: skip

NO_REASON = "none"
"""The reason of a success, in a family that has both ``result`` and ``reason``."""

P = ParamSpec("P")

_COMPONENT = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*\Z")
_FIELD = re.compile(r"[a-z][a-z0-9_]*\Z")

DEFAULT_DEADLINE_S = 1.0
"""What a check may take when nobody has said so."""


class Level(StrEnum):
    """Severity of a log line."""

    DEBUG = "debug"
    INFO = "info"
    WARN = "warn"
    ERROR = "error"


class Importance(StrEnum):
    """What a failing check does to readiness: 503, 200 with ``degraded``, or 200 with ``partial``."""

    REQUIRED = "required"
    DEGRADES = "degrades"
    OPTIONAL = "optional"


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A process role of the platform: its name, the plane it exports and whether it lives on a node."""

    name: str
    plane: Plane
    has_node: bool = False

    def __post_init__(self) -> None:
        if not _COMPONENT.match(self.name):
            raise CatalogError(
                f"component name {self.name!r} must be lower case, starting with a letter, with '-' between words"
            )
        require_plane(self.plane, f"component {self.name!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A log field or span attribute: its name, what it means and, for ids, the prefix it must carry."""

    name: str
    help: str
    id_prefix: str = ""
    is_tenant: bool = False

    def __post_init__(self) -> None:
        if not _FIELD.match(self.name):
            raise CatalogError(f"field name {self.name!r} must be lower_snake_case")
        if not self.help:
            raise CatalogError(f"field {self.name!r} has no help text; say in help= what it means")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReasonSet:
    """A closed set of reason codes and the one used when nothing more is known.

    ``finer`` are words of others and the code that each stands for.
    """

    name: str
    values: tuple[str, ...]
    fallback: str
    finer: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if isinstance(self.values, str) or len(set(self.values)) != len(self.values):
            raise CatalogError(f"reason set {self.name!r} lists {self.values!r}; write a tuple that has each reason once")
        for what, code in (("fallback", self.fallback), *self.finer.items()):
            if code not in self.values:
                raise CatalogError(f"reason set {self.name!r}: {what} {code!r} is not one of {self.values!r}")

    def fold(self, reason: object) -> str:
        """``reason`` as a code of the set, what follows a colon being detail; the fallback when it stands for none."""
        text = str(reason).partition(":")[0]
        return text if text in self.values else self.finer.get(text, self.fallback)

    @property
    def outcomes(self) -> Joint:
        """The pairs of ``result`` and ``reason`` that can be: a success has none, a failure one of this set."""
        return Joint(
            name=f"{self.name}_outcomes", labels=("result", "reason"), at_most=0,
            reserved=(("success", NO_REASON), *(("failure", value) for value in self.values)),
            why="a success has no reason, a failure has one of its set",
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class LogEvent(Declaration, Generic[P]):
    """A declared log line: its dotted name goes to ``event``, its help to ``msg``."""

    signature: Callable[P, None]
    fields: tuple[Field, ...]
    level: Level = Level.INFO


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SpanKind(Declaration, Generic[P]):
    """A declared span: its name and the attributes it may carry."""

    signature: Callable[P, None]
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Operation(Declaration, Generic[P]):
    """One piece of work: a span, a duration, outcome counters and a failure line from one declaration.

    ``duration`` may carry ``result``; each of ``outcomes`` is read by its labels: with ``result`` it counts
    every run, with only ``reason`` or ``error_class`` it counts failures. ``reasons`` closes the reason; beside
    ``result`` it is ``none`` for a success.
    """

    span: SpanKind[P]
    duration: Histogram[...] | None = None
    outcomes: tuple[Counter[...], ...] = ()
    reasons: ReasonSet | None = None
    failed: LogEvent[...] | None = None

    def __post_init__(self) -> None:
        Declaration.__post_init__(self)
        for family in self.outcomes:
            _require_labels(self.name, family, {"result", "reason", "error_class"})
            if "reason" in family.label_names and self.reasons is None:
                raise CatalogError(f"operation {self.name!r}: {family.name!r} has a reason label, so reasons= is needed")
        if self.duration is not None:
            _require_labels(self.name, self.duration, {"result"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Check(Declaration):
    """A readiness check and what its failure means for the component.

    ``every_s`` and ``deadline_s`` are the defaults of its background refresh; without a deadline here or where the check
    is bound, the library gives it ``DEFAULT_DEADLINE_S``, and ``obslib lint`` asks for one. ``fail_after`` consecutive
    failures turn it failing, one success turns it back.
    """

    importance: Importance
    every_s: float = 5.0
    deadline_s: float | None = None
    fail_after: int = 1

    def __post_init__(self) -> None:
        Declaration.__post_init__(self)
        paces = (self.every_s, DEFAULT_DEADLINE_S if self.deadline_s is None else self.deadline_s, self.fail_after)
        if not all(isinstance(pace, (int, float)) and pace > 0 for pace in paces) or self.fail_after < 1:
            raise CatalogError(f"check {self.name!r} needs every_s > 0, deadline_s > 0 and fail_after >= 1")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Cursor(Declaration):
    """How far a consumer has read the event log, and the gauges that say so.

    ``position`` and ``lag_events`` are labelled ``consumer``; ``lag_seconds`` likewise. ``consumer`` is
    the value of that label.
    """

    consumer: str
    position: Gauge[...]
    lag_events: Gauge[...]
    lag_seconds: Gauge[...]

    def __post_init__(self) -> None:
        Declaration.__post_init__(self)
        for gauge in (self.position, self.lag_events, self.lag_seconds):
            if gauge.label_names != ("consumer",):
                raise CatalogError(
                    f"cursor {self.name!r} writes {gauge!r} by consumer, but that has labels {gauge.label_names!r}; "
                    "give it the label consumer and no other"
                )
            listed = gauge.labels[0].values
            if listed and self.consumer not in listed:
                raise CatalogError(f"cursor {self.name!r} is of {self.consumer!r}, which {gauge!r} does not list: {listed!r}")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Loop(Declaration):
    """A critical loop: its name is the ``loop`` label, ``span`` covers one iteration.

    ``also`` are the loop's second names in ``requirements.md``: a histogram takes the duration, a counter
    with ``result`` every run, a counter with ``error_class`` each failure. ``stalled_after_s`` without
    progress while work is pending means wedged; ``failed`` is the line a failed iteration writes.
    """

    span: SpanKind[...]
    also: tuple[Family[...], ...] = ()
    cursor: Cursor | None = None
    failed: LogEvent[...] | None = None
    stalled_after_s: float = 60.0
    is_critical: bool = True

    def __post_init__(self) -> None:
        Declaration.__post_init__(self)
        for family in self.also:
            if not isinstance(family, (Counter, Histogram)):
                raise CatalogError(f"loop {self.name!r}: {family.name!r} must be a counter or a histogram")
            _require_labels(self.name, family, {"result", "error_class"})


def log_event(
    name: str,
    *,
    serves: tuple[str, ...],
    level: Level = Level.INFO,
    plane: Plane = Plane.COMMON,
    components: tuple[str, ...] = (),
    stability: Stability | Deprecated = Stability.STABLE,
) -> Callable[[Callable[P, None]], LogEvent[P]]:
    """Declare a log event from a signature of fields; the docstring is its message."""

    def declare(function: Callable[P, None]) -> LogEvent[P]:
        return LogEvent(
            name=name, help=sentence(function), plane=plane, serves=serves, components=components,
            stability=stability, signature=function, fields=_fields(name, function), level=level,
        )  # fmt: skip

    return declare


def span_kind(
    name: str,
    *,
    serves: tuple[str, ...],
    plane: Plane = Plane.COMMON,
    components: tuple[str, ...] = (),
    stability: Stability | Deprecated = Stability.STABLE,
) -> Callable[[Callable[P, None]], SpanKind[P]]:
    """Declare a span from a signature of attributes; the docstring is its help."""

    def declare(function: Callable[P, None]) -> SpanKind[P]:
        return SpanKind(
            name=name, help=sentence(function), plane=plane, serves=serves, components=components,
            stability=stability, signature=function, fields=_fields(name, function),
        )  # fmt: skip

    return declare


def _fields(declaration: str, function: Callable[..., None]) -> tuple[Field, ...]:
    found = []
    for parameter in parameters(function):
        declared = next((a for a in parameter.annotations if isinstance(a, Field)), None)
        if declared is None:
            raise CatalogError(f"{declaration!r}: parameter {parameter.name!r} is not annotated with a Field of the catalog")
        if declared.name != parameter.name:
            raise CatalogError(f"{declaration!r}: parameter {parameter.name!r} is annotated with field {declared.name!r}")
        found.append(declared)
    return tuple(found)


def _require_labels(owner: str, family: Family[...], allowed: set[str]) -> None:
    extra = set(family.label_names) - allowed
    if extra:
        raise CatalogError(f"{owner!r} cannot fill {sorted(extra)!r} of {family.name!r}; it knows {sorted(allowed)!r}")
