"""Health of a component with three declared checks of different importance, and time that holds still."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from obslib.catalog import COMMON, Catalog, Check, Component, Importance, Loop, Plane, span_kind
from obslib.guard import Guard
from obslib.health import Health
from obslib.tally import Tally
from obslib.testing import FixedClock


def _check(name: str, importance: Importance, **options: Any) -> Check:
    return Check(name=name, help=f"The {name} works.", plane=Plane.COMMON, serves=("HLT-02",), importance=importance, **options)


@span_kind("shop.turn", serves=("STN-04",))
def TURN() -> None:
    """One turn."""


DATABASE = _check("database", Importance.REQUIRED)
CACHE = _check("cache", Importance.DEGRADES, fail_after=3)
MAILER = _check("mailer", Importance.OPTIONAL)
SHOP_LOOP = Loop(name="shop", help="Turns.", plane=Plane.COMMON, serves=("STN-03",), span=TURN)


@dataclass
class Rig:
    """Health of component ``shop``, its clock, its guard, and everything it announced."""

    health: Health
    clock: FixedClock
    guard: Guard
    catalog: Catalog
    changes: list[tuple[str, str, str]] = field(default_factory=list)
    runs: list[tuple[str, float]] = field(default_factory=list)
    database: Check = DATABASE
    cache: Check = CACHE
    mailer: Check = MAILER
    loop: Loop = SHOP_LOOP

    def verdicts(self) -> dict[str, tuple[str, str]]:
        """Status and reason by check."""
        checks = self.health.snapshot().checks.items()
        return {name: (state.verdict.status.value, state.verdict.reason) for name, state in checks}

    def register(self, check: Check, answer: Callable[[], object], **options: Any) -> None:
        """Register ``answer`` for ``check``."""
        self.health.check(check, **options)(answer)


@pytest.fixture
def rig() -> Iterator[Rig]:
    """Health that nobody has started; stopped at the end."""
    catalog = COMMON.extend(
        "shop",
        components=[Component(name="shop", plane=Plane.COMMON)],
        signals=[DATABASE, CACHE, MAILER, SHOP_LOOP, TURN],
    )
    clock, guard = FixedClock(), Guard(Tally())
    health = Health(catalog=catalog, component="shop", clock=clock, guard=guard)
    built = Rig(health, clock, guard, catalog)
    health.on_change = lambda check, status, reason: built.changes.append((check, status.value, reason))
    health.on_run = lambda check, seconds: built.runs.append((check, seconds))
    yield built
    health.stop()
