"""Declared events, made ready for writing: their level, their message and the fields they may carry."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from obslib.catalog import Catalog, LogEvent
from obslib.errors import UnknownSignal
from obslib.guard import Guard
from obslib.redaction import Redactor

__all__ = ["EventPlan", "EventPlans"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPlan:
    """One declared event; ``message`` is its help and its dotted name, rendered."""

    level: str
    help: str
    message: str
    names: frozenset[str]


class EventPlans:
    """The plans of one component, made on first use."""

    def __init__(self, catalog: Catalog, component: str, *, redactor: Redactor, guard: Guard) -> None:
        self._catalog = catalog
        self._component = component
        self._redactor = redactor
        self._guard = guard
        self._plans: dict[LogEvent[...], EventPlan] = {}

    def plan(self, declaration: LogEvent[...]) -> EventPlan:
        """The plan; an event that is not this component's is written all the same, and counted."""
        found = self._plans.get(declaration)
        if found is None:
            try:
                self._catalog.require(declaration, self._component)
            except UnknownSignal:
                self._guard.note("undeclared_field", f"{declaration.name} is not an event of {self._component}")
            found = EventPlan(
                level=declaration.level.value,
                help=declaration.help,
                message=(orjson.dumps(declaration.help) + b',"event":' + orjson.dumps(declaration.name)).decode(),
                names=frozenset(field.name for field in declaration.fields),
            )
            self._plans[declaration] = found
        return found

    def declared(self, plan: EventPlan, fields: dict[str, object]) -> dict[str, object]:
        """The declared ones of ``fields``; the others are counted."""
        for name in fields.keys() - plan.names:
            self._guard.note("undeclared_field", f"a declared event does not have field {self._redactor.name(name)}")
        return {name: value for name, value in fields.items() if name in plan.names}
