"""Where a label combination ends up: under its own name, or under ``_other``.

A family's labels fall into units that are admitted or folded as a whole: a joint domain, or a single label, each
with the labels it determines. That is how the catalog multiplies the worst case, so what is admitted here can
never pass what is proven there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from obslib.catalog import OVERFLOW, Domain, Family, Joint, Label, LabelUse
from obslib.catalog.shapes import Refusal, refused_shape
from obslib.ids import is_id
from obslib.metrics.cells import Redacts
from obslib.metrics.domains import Domains, Slots

__all__ = ["Admission", "Fault", "Report"]

Fault = Refusal | Literal["absent", "overflow"]
"""Why a value was folded: its shape, nothing usable was given, or its domain does not hold it."""

Report = Callable[[str, Fault, str], None]
"""Told of each folded value: label, fault, value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One label of the family: where it stands, what it may hold and the domain that limits it."""

    position: int
    label: Label
    allowed: frozenset[str] | None
    pattern: re.Pattern[str] | None
    slots: Slots | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """Labels that are folded together: ``keys`` limited by ``slots``, and ``followers`` as (column, determiner)."""

    keys: tuple[Column, ...]
    followers: tuple[tuple[Column, Column], ...]
    slots: Slots | None

    @property
    def offender(self) -> Column:
        """The label to blame when the unit's domain is full: its first open one."""
        return next((column for column in self.keys if column.allowed is None), self.keys[0])

    def key(self, values: tuple[str, ...]) -> tuple[str, ...]:
        """The part of ``values`` that the unit's domain holds."""
        return tuple(values[column.position] for column in self.keys)


class Admission:
    """Places the label combinations of one family; the caller holds the registry's lock."""

    def __init__(
        self,
        family: Family[...],
        *,
        values: Callable[[LabelUse], tuple[str, ...]],
        joints: Callable[[Joint], Joint],
        domains: Domains,
        redactor: Redacts | None,
        report: Report,
    ) -> None:
        self._ties = domains.ties
        self._redactor = redactor
        self._report = report
        columns = {use.name: _column(position, use, values, domains) for position, use in enumerate(family.labels)}
        self._units = tuple(_units(family, columns, domains, joints))
        self._width = len(columns)

    def place(self, values: tuple[str | None, ...]) -> tuple[str, ...]:
        """Where ``values`` belong; each unit that cannot be admitted is ``_other`` and reported."""
        texts = tuple(value or "" for value in values)
        placed = [OVERFLOW] * self._width
        for unit in self._units:
            self._place_unit(unit, texts, placed)
        return tuple(placed)

    def hold(self, placed: tuple[str, ...]) -> None:
        """Take the places a new series needs."""
        for unit in self._admitted(placed):
            if unit.slots is not None:
                unit.slots.take(unit.key(placed))
            for column, determiner in unit.followers:
                value = placed[column.position]
                self._ties.take(_tie(column, determiner, placed), value)
                if column.slots is not None and value != OVERFLOW:
                    column.slots.take((value,))

    def release(self, placed: tuple[str, ...]) -> None:
        """Free the places of a series that is gone."""
        for unit in self._admitted(placed):
            if unit.slots is not None:
                unit.slots.release(unit.key(placed))
            for column, determiner in unit.followers:
                value = placed[column.position]
                self._ties.release(_tie(column, determiner, placed))
                if column.slots is not None and value != OVERFLOW:
                    column.slots.release((value,))

    def _admitted(self, placed: tuple[str, ...]) -> Iterable[Unit]:
        return (unit for unit in self._units if placed[unit.keys[0].position] != OVERFLOW)

    def _place_unit(self, unit: Unit, values: tuple[str, ...], placed: list[str]) -> None:
        for column in unit.keys:
            value = values[column.position]
            fault = self._fault(column, value)
            if fault is not None:
                self._report(column.label.name, fault, value)
                return
        key = unit.key(values)
        if unit.slots is not None and not unit.slots.has_room(key):
            self._report(unit.offender.label.name, "overflow", values[unit.offender.position])
            return
        proposed = list(placed)
        for column, value in zip(unit.keys, key, strict=True):
            proposed[column.position] = value
        for column, determiner in unit.followers:
            if not self._follow(column, determiner, values[column.position], proposed):
                return
        placed[:] = proposed

    def _follow(self, column: Column, determiner: Column, value: str, proposed: list[str]) -> bool:
        """Put a determined value in its place; False when it contradicts what is known, so that the unit folds."""
        name = column.label.name
        if proposed[determiner.position] == OVERFLOW:
            return True
        fault = self._fault(column, value)
        tied = self._ties.tied(_tie(column, determiner, proposed))
        if fault is None and tied is None and column.slots is not None and not column.slots.has_room((value,)):
            fault = "overflow"
        if fault is None and tied not in (None, OVERFLOW, value):
            self._report(name, "overflow", value)
            return False
        if fault is not None:
            self._report(name, fault, value)
            value = OVERFLOW
        proposed[column.position] = value if tied is None else tied
        return True

    def _fault(self, column: Column, value: str) -> Fault | None:
        """What is wrong with a value by itself, whoever else is admitted."""
        if value in ("", OVERFLOW):
            return "absent"
        if column.allowed is not None and value in column.allowed:
            return None
        is_declared = _has_declared_shape(column, value)
        refusal = None if is_declared else refused_shape(value)
        if refusal is not None:
            return refusal
        if not (is_declared and column.label.id_prefix) and self._redactor is not None and self._redactor.text(value) != value:
            return "secret"
        is_open = column.allowed is None and not column.label.id_prefix and column.pattern is None
        return None if is_declared or is_open else "overflow"


def _has_declared_shape(column: Column, value: str) -> bool:
    if column.label.id_prefix:
        return is_id(value, column.label.id_prefix)
    return column.pattern is not None and column.pattern.fullmatch(value) is not None


def _tie(column: Column, determiner: Column, values: tuple[str, ...] | list[str]) -> tuple[str, str, str]:
    return determiner.label.name, values[determiner.position], column.label.name


def _column(position: int, use: LabelUse, values: Callable[[LabelUse], tuple[str, ...]], domains: Domains) -> Column:
    label = use.label
    is_closed = label.domain is Domain.CLOSED
    return Column(
        position=position,
        label=label,
        allowed=frozenset(values(use)) if is_closed else None,
        pattern=re.compile(label.pattern) if label.pattern else None,
        slots=None if is_closed else domains.of(label),
    )


def _units(
    family: Family[...], columns: dict[str, Column], domains: Domains, joints: Callable[[Joint], Joint]
) -> Iterable[Unit]:
    joined = {name for joint in family.joints for name in joint.labels}
    determined = {name for use in family.labels for name in use.label.determines}
    followed = set(joined)
    for joint in family.joints:
        keys = tuple(columns[name] for name in joint.labels)
        yield Unit(keys=keys, followers=tuple(_followers(keys, columns, followed)), slots=domains.of(joints(joint)))
    for name, column in columns.items():
        if name not in joined and name not in determined:
            yield Unit(keys=(column,), followers=tuple(_followers((column,), columns, followed)), slots=column.slots)


def _followers(keys: tuple[Column, ...], columns: dict[str, Column], followed: set[str]) -> Iterable[tuple[Column, Column]]:
    """Every label the keys determine, directly or in turn, each once in the family and after its determiner."""
    ahead = list(keys)
    while ahead:
        determiner = ahead.pop(0)
        for name in determiner.label.determines:
            if name in columns and name not in followed:
                followed.add(name)
                ahead.append(columns[name])
                yield columns[name], determiner
