"""What has to hold between declarations, so that each can be believed alone.

Each name and each label has one meaning, each reference leads somewhere, each signal has somebody who can emit it. A room of
its own, because the catalog answers questions and this one asks them. Whatever does not hold is refused in one sentence
that names the declaration and the way out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import TYPE_CHECKING

from obslib.catalog import upkeep
from obslib.catalog.declaration import Declaration, Deprecated, Plane
from obslib.catalog.families import ExternalMetric, Family, InstanceMetric
from obslib.catalog.labels import Domain, Joint, Label
from obslib.catalog.signals import NO_REASON, Check, Cursor, LogEvent, Loop, Operation, SpanKind
from obslib.errors import CatalogError

if TYPE_CHECKING:
    from obslib.catalog.catalog import Catalog

__all__ = ["NAMESPACES", "require_sound"]

NAMESPACES: dict[str, tuple[type[Declaration], ...]] = {
    "metric": (Family, ExternalMetric), "log event": (LogEvent,), "span": (SpanKind,), "operation": (Operation,),
    "check": (Check,), "loop": (Loop,), "cursor": (Cursor,), "alert": (upkeep.Alert,), "dashboard": (upkeep.Dashboard,),
    "runbook": (upkeep.Runbook,), "retention": (upkeep.Retention,),
}  # fmt: skip
"""The kinds of signal, each with names of its own: a span and a log event may share one, two metrics may not."""

_EMITTED = (Family, LogEvent, SpanKind, Check, Loop, Operation, Cursor)


def require_sound(catalog: Catalog) -> None:
    """Raise CatalogError at the first contradiction between the declarations of ``catalog``."""
    _require_one_exposed_name(catalog)
    _require_one_bound(catalog)
    members = frozenset(catalog.signals)
    for signal in catalog.signals:
        if not signal.serves:
            raise CatalogError(f"{signal!r} serves no requirement; name the rows it answers in serves=(...)")
        _require_emitter(catalog, signal)
        _require_successor(catalog, signal)
        for part in _references(signal):
            if part not in members:
                raise CatalogError(
                    f"{signal!r} refers to {part!r}, which is not in catalog {catalog.name!r}; add it with signals=[...]"
                )
            _require_together(catalog, signal, part)
        _require_own_fields(catalog, signal)
        _require_own_reasons(catalog, signal)
        _require_free_labels(catalog, signal)


def _references(signal: Declaration) -> tuple[Declaration, ...]:
    """The other declarations that ``signal`` is made of, or speaks of."""
    match signal:
        case Operation():
            parts: tuple[Declaration | None, ...] = (signal.span, signal.duration, signal.failed, *signal.outcomes)
        case Loop():
            parts = (signal.span, signal.cursor, signal.failed, *signal.also)
        case Cursor():
            parts = (signal.position, signal.lag_events, signal.lag_seconds)
        case InstanceMetric():
            parts = (signal.aggregate,)
        case upkeep.Alert():
            parts = (signal.runbook, *signal.metrics)
        case upkeep.Dashboard():
            parts = signal.metrics
        case _:
            parts = ()
    return tuple(part for part in parts if part is not None)


def _require_one_exposed_name(catalog: Catalog) -> None:
    exposed: dict[str, str] = {}
    for family in catalog.of(Family):
        first = exposed.setdefault(family.name.removesuffix("_total"), family.name)
        if first != family.name:
            raise CatalogError(
                f"metrics {first!r} and {family.name!r} are one name in OpenMetrics, which drops '_total'; rename one"
            )


_NARROWED = frozenset({"values", "at_most", "why"})
"""What a closed label of the same name may have otherwise elsewhere."""


def _require_one_bound(catalog: Catalog) -> None:
    """A label, and a joint domain, of one name is bounded in one way, whatever family carries it.

    Two closed labels of one name may list as many values as each likes: every family narrows them to its own.
    """
    known: dict[tuple[type, str], tuple[Label | Joint, Family[...]]] = {}
    for family in catalog.of(Family):
        bounds: tuple[Label | Joint, ...] = (*(use.label for use in family.labels), *family.joints)
        for bound in bounds:
            first, earlier = known.setdefault((type(bound), bound.name), (bound, family))
            differences = tuple(_differences(first, bound))
            if differences:
                noun = "label" if isinstance(bound, Label) else "joint domain"
                raise CatalogError(
                    f"{noun} {bound.name!r} of {earlier!r} and of {family!r} are declared differently "
                    f"({', '.join(differences)}); share one {type(bound).__name__}, or rename one"
                )


def _differences(one: Label | Joint, other: Label | Joint) -> Iterator[str]:
    is_narrowed = isinstance(one, Label) and one.domain is Domain.CLOSED
    for field in fields(one):
        if is_narrowed and field.name in _NARROWED:
            continue
        ours, theirs = getattr(one, field.name), getattr(other, field.name)
        if ours != theirs:
            yield f"{field.name} is {ours!r} there and {theirs!r} here"


def _require_emitter(catalog: Catalog, signal: Declaration) -> None:
    for component in signal.components:
        if component not in catalog.components:
            raise CatalogError(
                f"{signal!r} is declared for component {component!r}, which catalog {catalog.name!r} does not have; "
                "add that one with components=[...], or name one there is"
            )
        own = catalog.components[component].plane
        if signal.plane not in (own, Plane.COMMON, Plane.TENANT):
            raise CatalogError(
                f"{signal!r} belongs to plane {signal.plane.value!r}, but {component!r} exports {own.value!r}; "
                "name a component of that plane, or give it another plane"
            )
    if catalog.components and isinstance(signal, _EMITTED) and not any(catalog.exports(signal, c) for c in catalog.components):
        raise CatalogError(
            f"{signal!r} can be emitted by nobody: it names no component, and none of catalog {catalog.name!r} has plane "
            f"{signal.plane.value!r}; name its components, or add one of that plane"
        )


def _require_successor(catalog: Catalog, signal: Declaration) -> None:
    """A deprecated signal names one of its own kind that can be used in its place."""
    if not isinstance(signal.stability, Deprecated):
        return
    name = signal.stability.replaced_by
    noun, kinds = next((noun, kinds) for noun, kinds in NAMESPACES.items() if isinstance(signal, kinds))
    found = next((other for other in catalog.signals if other.name == name and isinstance(other, kinds)), None)
    if found is None:
        raise CatalogError(
            f"{signal!r} is replaced by {name!r}, which is no {noun} of catalog {catalog.name!r}; "
            "declare that one too, or name the one that takes its place"
        )
    if isinstance(found.stability, Deprecated):
        raise CatalogError(
            f"{signal!r} is replaced by {name!r}, which is deprecated itself; name the {noun} that takes the place of both"
        )


def _require_together(catalog: Catalog, signal: Declaration, part: Declaration) -> None:
    """Whoever emits the whole has to be able to emit its parts."""
    if not isinstance(signal, _EMITTED):
        return
    for component in catalog.components:
        if catalog.exports(signal, component) and not catalog.exports(part, component):
            raise CatalogError(
                f"{signal!r} is emitted by {component!r}, but its part {part!r} cannot be; "
                f"add {component!r} to the components of the part, or take it from those of the whole"
            )


def _require_own_fields(catalog: Catalog, signal: Declaration) -> None:
    for field in signal.fields if isinstance(signal, (LogEvent, SpanKind)) else ():
        if catalog.fields.get(field.name) is not field:
            raise CatalogError(
                f"{signal!r} uses field {field.name!r}, which is not in catalog {catalog.name!r} as this object; "
                "use the catalog's own, or add this one with fields=[...]"
            )


def _require_own_reasons(catalog: Catalog, signal: Declaration) -> None:
    """The reasons of an operation are a set of the catalog's, and its counters list every one of them."""
    if not isinstance(signal, Operation) or signal.reasons is None:
        return
    reasons = signal.reasons
    if catalog.reasons.get(reasons.name) is not reasons:
        raise CatalogError(
            f"{signal!r} uses reason set {reasons.name!r}, which is not in catalog {catalog.name!r}; add it with reasons=[...]"
        )
    for family in signal.outcomes:
        for use in family.labels:
            missing = [value for value in reasons.values if use.name == "reason" and use.values and value not in use.values]
            if missing:
                raise CatalogError(
                    f"{signal!r} can fail for {missing!r}, which {family!r} does not list; "
                    f"add it to the label, or take it out of reason set {reasons.name!r}"
                )
            if use.name == "reason" and "result" in family.label_names and use.values and NO_REASON not in use.values:
                raise CatalogError(
                    f"{signal!r} counts successes in {family!r}, whose reason has no {NO_REASON!r} for them; add it there"
                )


def _require_free_labels(catalog: Catalog, signal: Declaration) -> None:
    """No label says again what every sample of the process says."""
    for use in signal.labels if isinstance(signal, Family) else ():
        for component in catalog.components.values():
            constant = ("component", "node_id") if component.has_node else ("component",)
            if use.name in constant and catalog.exports(signal, component.name):
                raise CatalogError(
                    f"metric {signal.name!r} has label {use.name!r}, which {component.name!r} puts on every sample; "
                    "drop the label, the constant one says the same"
                )
