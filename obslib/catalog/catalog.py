"""The catalog: one platform's declarations, checked together.

A declaration alone cannot know that its name is taken, that a component it names does not exist or
that a process would hold too many series. Building a catalog checks all of that and raises; a catalog
that exists is sound. Closed sets (components, loops, reasons) belong to the instance, so another
product can extend the platform's catalog without touching it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType, ModuleType
from typing import TypeVar

from obslib.catalog.budget import Existing, FamilyBudget, measure, prove, unlimited
from obslib.catalog.declaration import Declaration, Plane
from obslib.catalog.families import Counter, ExternalMetric, Family, Gauge
from obslib.catalog.labels import Joint, LabelUse, Pairs, Source
from obslib.catalog.signals import Check, Component, Field, LogEvent, Loop, Operation, ReasonSet, SpanKind
from obslib.catalog.soundness import NAMESPACES, require_sound
from obslib.errors import CatalogError, UnknownSignal

__all__ = ["Catalog", "declared_in"]

D = TypeVar("D", bound=Declaration)

_BINDERS: tuple[tuple[type[Declaration], str], ...] = (
    (Family, "obs.metrics[...]"), (LogEvent, "obs.log.event(...)"), (SpanKind, "obs.span(...)"),
    (Operation, "obs.operation(...)"), (Check, "obs.check(...)"), (Loop, "obs.loop(...)"),
)  # fmt: skip


def declared_in(*modules: ModuleType) -> tuple[Declaration, ...]:
    """Every declaration that the modules define, in the order they are written."""
    return tuple(value for module in modules for value in vars(module).values() if isinstance(value, Declaration))


class Catalog:
    """A checked set of declarations and the components that may use them.

    Raises CatalogError on a contradiction and CardinalityError when a budget cannot be kept.
    """

    def __init__(
        self,
        name: str,
        *,
        components: Iterable[Component] = (),
        signals: Iterable[Declaration] = (),
        fields: Iterable[Field] = (),
        reasons: Iterable[ReasonSet] = (),
    ) -> None:
        self.name = name
        roles = _only(Component, "components", components)
        self.components: Mapping[str, Component] = MappingProxyType(_unique("component", roles))
        self.fields: Mapping[str, Field] = MappingProxyType(_unique("field", _only(Field, "fields", fields)))
        sets = _only(ReasonSet, "reasons", reasons)
        self.reasons: Mapping[str, ReasonSet] = MappingProxyType(_unique("reason set", sets))
        self.signals: tuple[Declaration, ...] = tuple(dict.fromkeys(_only(Declaration, "signals", signals)))
        for noun, kinds in NAMESPACES.items():
            _unique(noun, (s for s in self.signals if isinstance(s, kinds)))
        self._members = frozenset(self.signals)
        require_sound(self)
        self._budgets = {component: self.measured(component) for component in self.components}
        prove(self.name, self._budgets)

    def __repr__(self) -> str:
        return f"<Catalog {self.name}: {len(self.signals)} signals, components {', '.join(self.components) or 'none'}>"

    def extend(
        self,
        name: str | None = None,
        *,
        components: Iterable[Component] = (),
        signals: Iterable[Declaration] = (),
        fields: Iterable[Field] = (),
        reasons: Iterable[ReasonSet] = (),
    ) -> Catalog:
        """Build a new catalog with more components, signals, fields and reasons; a clash of names is refused."""
        return Catalog(
            name or self.name,
            components=(*self.components.values(), *_only(Component, "components", components)),
            signals=(*self.signals, *_only(Declaration, "signals", signals)),
            fields=(*self.fields.values(), *_only(Field, "fields", fields)),
            reasons=(*self.reasons.values(), *_only(ReasonSet, "reasons", reasons)),
        )

    def component(self, name: str) -> Component:
        """The component called ``name``; raises UnknownSignal naming the ones there are."""
        try:
            return self.components[name]
        except KeyError:
            known = ", ".join(self.components) or "none"
            raise UnknownSignal(
                f"component {name!r} is not in catalog {self.name!r} (it has: {known}); "
                "use one of these, or pass catalog=CATALOG.extend(components=[Component(...)])"
            ) from None

    def require(self, signal: D, component: str, *, kind: type[Declaration] | tuple[type[Declaration], ...] = Declaration) -> D:
        """``signal``, when it is of ``kind`` and this catalog declares it for ``component``; raises UnknownSignal otherwise."""
        if not isinstance(signal, kind):
            wanted = " or ".join(each.__name__ for each in (kind if isinstance(kind, tuple) else (kind,)))
            place = next((binder for bound, binder in _BINDERS if isinstance(signal, bound)), "")
            way_out = f"bind this one with {place}" if place else "hand over one that the catalog declares"
            raise UnknownSignal(f"{signal!r} is no {wanted}; {way_out}")
        if signal not in self._members:
            raise UnknownSignal(
                f"{signal!r} is not in catalog {self.name!r}; "
                "add it with CATALOG.extend(signals=[...]) and pass catalog= to start()"
            )
        if not self.exports(signal, component):
            owner = ", ".join(signal.components) or f"plane {signal.plane.value}"
            raise UnknownSignal(f"{signal!r} is declared for {owner}, not for component {component!r}")
        return signal

    def exports(self, signal: Declaration, component: str) -> bool:
        """Whether ``component`` may use ``signal``: named by it, or its own plane, ``common`` or ``tenant``."""
        if signal.components:
            return component in signal.components
        return signal.plane in (Plane.COMMON, self.components[component].plane)

    def of(self, kind: type[D], component: str | None = None) -> tuple[D, ...]:
        """All declarations of a kind, or those that ``component`` may use."""
        found = tuple(signal for signal in self.signals if isinstance(signal, kind))
        return found if component is None else tuple(signal for signal in found if self.exports(signal, component))

    def values(self, use: LabelUse, component: str) -> tuple[str, ...]:
        """The closed values of a label in ``component``; empty when the label is open."""
        match use.label.source:
            case Source.LOOPS:
                return tuple(loop.name for loop in self.of(Loop, component))
            case Source.CHECKS:
                return (
                    *(check.name for check in self.of(Check, component)),
                    *(f"loop:{x.name}" for x in self.of(Loop, component)),
                )
            case Source.FAMILIES:
                return tuple(family.name for family in self.of(Family, component) if family.labels)
            case Source.MEASURED:
                return tuple(family.name for family in self.of(Family, component) if isinstance(family, (Counter, Gauge)))
            case Source.LABELS:
                return tuple(dict.fromkeys(use.name for family in self.of(Family, component) for use in family.labels))
        return use.values

    def joint(self, joint: Joint, component: str) -> Joint:
        """A joint domain as it is in ``component``: with the pairs, when they are the catalog's own."""
        if joint.source is not Pairs.CARRIED:
            return joint
        carried = tuple((family.name, use.name) for family in self.of(Family, component) for use in family.labels)
        return replace(joint, source=None, reserved=carried)

    def budget(self, component: str) -> tuple[FamilyBudget, ...]:
        """The proven worst case of each family ``component`` exports."""
        return self._budgets[self.component(component).name]

    def worst_case(self, component: str) -> int:
        """The largest number of series one process of ``component`` can hold."""
        return sum(budget.series for budget in self.budget(component))

    def measured(self, component: str, existing: Existing = unlimited) -> tuple[FamilyBudget, ...]:
        """The worst case of each family ``component`` exports, on a platform where ``existing`` limits what there is."""
        exported: list[Family[...] | ExternalMetric] = [*self.of(Family, component), *self.of(ExternalMetric, component)]
        return tuple(
            measure(family, lambda use: len(self.values(use, component)), existing, lambda joint: self.joint(joint, component))
            for family in exported
        )


N = TypeVar("N", Component, Field, ReasonSet, Declaration)


def _only(kind: type[N], argument: str, given: Iterable[N]) -> tuple[N, ...]:
    try:
        listed = tuple(given)
    except TypeError:
        raise CatalogError(f"{argument}= takes a list, not {given!r}; put it in brackets") from None
    for item in listed:
        if not isinstance(item, kind):
            raise CatalogError(f"{argument}= holds {item!r}, which is no {kind.__name__}; declare it as one first")
    return listed


def _unique(kind: str, named: Iterable[N]) -> dict[str, N]:
    found: dict[str, N] = {}
    for item in named:
        if found.setdefault(item.name, item) is not item:
            raise CatalogError(f"two {kind} declarations are called {item.name!r}; rename one or share the object")
    return found
