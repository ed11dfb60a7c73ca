"""Liveness and readiness of one component (HLT-01, HLT-02).

A scheduler thread refreshes the checks in the background, so that asking costs nothing and hangs on
nothing: ``/readyz`` reads the latest results, ``/livez`` reads only the process itself.
"""

from __future__ import annotations

import asyncio
import inspect
import math
import os
import threading
import typing
import weakref
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future, wait
from typing import Any, TypeVar

from obslib.catalog.catalog import Catalog
from obslib.catalog.signals import DEFAULT_DEADLINE_S, Check, Importance, Loop
from obslib.clock import Clock
from obslib.guard import Guard
from obslib.health.flight import AsyncPilot, ThreadPilot
from obslib.health.probe import Pace, Probe
from obslib.health.snapshot import CheckState, Snapshot
from obslib.health.verdict import Progress, Status, Verdict

__all__ = ["Health"]

F = TypeVar("F", bound=Callable[[], object])

_LONGEST_NAP_S = 1.0
_LOOP_PACE = Pace(every_s=1.0, deadline_s=1.0)
_NOT_REGISTERED = Verdict.unknown("not_registered", "declared for this component, but nothing checks it")


class Health:
    """The checks of one component.

    ``on_change(check, status, reason)`` and ``on_run(check, seconds)`` are called from the thread that finished
    a run; what they raise is swallowed and counted.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        component: str,
        clock: Clock,
        guard: Guard,
        on_change: Callable[[str, Status, str], None] | None = None,
        on_run: Callable[[str, float], None] | None = None,
    ) -> None:
        self.on_change = on_change
        self.on_run = on_run
        self._catalog = catalog
        self._component = component
        self._clock = clock
        self._guard = guard
        self._began = clock.monotonic()
        self._declared = {check.name: check.importance for check in catalog.of(Check, component)}
        self._probes: dict[str, Probe] = {}
        self._home: asyncio.AbstractEventLoop | None = None
        self._is_draining = False
        self._is_stopping = False
        self._thread: threading.Thread | None = None
        self._bell = threading.Event()
        renew = weakref.WeakMethod(self._renew)
        os.register_at_fork(after_in_child=lambda: (method := renew()) and method())

    def check(self, declaration: Check, *, every: float | None = None, deadline: float | None = None) -> Callable[[F], F]:
        """Register the decorated function, sync or async, without arguments, as ``declaration``.

        ``every`` and ``deadline`` in seconds override the declared ones; a deadline that nobody gives is 1 s. The
        function must return a ``Verdict``: a return annotation that says otherwise is a TypeError here, and so is a
        function that needs arguments; an answer that is something else makes the check unknown. A second
        registration replaces the first, so a component can override a shim's.
        """
        self._catalog.require(declaration, self._component, kind=Check)
        pace = Pace(
            every_s=declaration.every_s if every is None else every,
            deadline_s=_deadline_of(declaration) if deadline is None else deadline,
            fail_after=declaration.fail_after,
        )
        if not (_is_period(pace.every_s) and _is_period(pace.deadline_s)):
            raise ValueError(
                f"check {declaration.name!r} needs every > 0 and deadline > 0 seconds, not {every!r} and {deadline!r}"
            )

        def register(function: F) -> F:
            _require_callable(declaration.name, function)
            _require_verdict(declaration.name, function)
            self._add(declaration.name, declaration.importance, function, pace)
            return function

        return register

    def watch(self, declaration: Check | Loop, progress: Progress) -> None:
        """Let ``progress`` answer for a declared check, or a loop for itself as ``loop:<name>`` (STN-03).

        A critical loop degrades readiness; what must make the component not ready is a required check.
        """
        self._catalog.require(declaration, self._component, kind=(Check, Loop))
        if isinstance(declaration, Check):
            pace = Pace(every_s=declaration.every_s, deadline_s=_deadline_of(declaration), fail_after=declaration.fail_after)
            self._add(declaration.name, declaration.importance, progress.verdict, pace)
        else:
            importance = Importance.DEGRADES if declaration.is_critical else Importance.OPTIONAL
            self._add(f"loop:{declaration.name}", importance, progress.verdict, _LOOP_PACE)

    def start(self, home: asyncio.AbstractEventLoop | None = None) -> None:
        """Begin refreshing; asynchronous checks run on ``home``, by default the running loop.

        May be called again: with another loop, or in a forked child. Without a loop asynchronous checks are
        unknown, ``no_event_loop``.
        """
        self._home = home or _running_loop() or self._home
        if self._home is not None:
            for probe in list(self._probes.values()):
                probe.hasten(self._clock.monotonic())
        if self._thread is None or not self._thread.is_alive():
            self._is_stopping = False
            self._thread = threading.Thread(target=self._refresh_for_ever, name=f"obslib-health-{self._component}", daemon=True)
            self._thread.start()
        self._bell.set()

    def stop(self, timeout_s: float = 1.0) -> None:
        """End the refreshing; waits at most ``timeout_s`` for the scheduler, never for a check that hangs."""
        self._is_stopping = True
        self._bell.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout_s)
        for probe in list(self._probes.values()):
            probe.close()

    def drain(self) -> None:
        """Answer ``not_ready`` from now on, so that nobody sends new work to a component that is leaving."""
        self._is_draining = True

    def tick(self) -> float:
        """Start what is due and judge what is late; returns seconds until the next is. The scheduler's one step."""
        now = self._clock.monotonic()
        waits = [probe.advance(now, self._home) for probe in list(self._probes.values())]
        return min([_LONGEST_NAP_S, *waits])

    def run_now(self, timeout_s: float = 5.0) -> Snapshot:
        """Run every check once and wait for the answers, at most ``timeout_s``.

        On the thread of the checks' own event loop the asynchronous ones cannot be waited for: use ``refresh()``.
        """
        wait(self._begin_all(), timeout_s)
        return self.snapshot()

    async def refresh(self, timeout_s: float = 5.0) -> Snapshot:
        """Run every check once and wait for the answers without blocking the event loop, at most ``timeout_s``."""
        self._home = self._home or asyncio.get_running_loop()
        flights = [asyncio.wrap_future(flight) for flight in self._begin_all()]
        if flights:
            await asyncio.wait(flights, timeout=timeout_s)
        return self.snapshot()

    def snapshot(self) -> Snapshot:
        """Every check as it last answered; runs none. Declared checks that nobody registered are unknown."""
        now = self._clock.monotonic()
        states = {
            name: CheckState(verdict=_NOT_REGISTERED, importance=importance)
            for name, importance in self._declared.items()
            if name not in self._probes
        }
        states.update({name: probe.state(now) for name, probe in list(self._probes.items())})
        return Snapshot(component=self._component, checks=dict(sorted(states.items())), is_draining=self._is_draining)

    def livez(self) -> dict[str, object]:
        """What ``/livez`` answers: the process turns. Takes nothing that could look outside (HLT-01)."""
        uptime = max(0.0, self._clock.monotonic() - self._began)
        return {"status": "ok", "component": self._component, "uptime_seconds": round(uptime, 3)}

    def ready(self) -> float:
        """The value of ``health_ready``: 1 while ``/readyz`` answers 200, else 0."""
        return float(self.snapshot().is_ready)

    def statuses(self) -> Mapping[str, float]:
        """The values of ``health_check_status``: 1 ok, 0 failing; unknown and not applicable are absent."""
        known = {Status.OK: 1.0, Status.FAILING: 0.0}
        checks = self.snapshot().checks.items()
        return {name: known[state.verdict.status] for name, state in checks if state.verdict.status in known}

    def ages(self) -> Mapping[str, float]:
        """The values of ``health_check_age_seconds``; a check that never finished is absent."""
        return {name: s.age_seconds for name, s in self.snapshot().checks.items() if s.age_seconds is not None}

    def ran(self, check: str, seconds: float) -> None:
        """Pass a finished run on to ``on_run``."""
        if self.on_run is not None:
            self.on_run(check, seconds)

    def changed(self, check: str, status: Status, reason: str) -> None:
        """Pass a change of status on to ``on_change``."""
        if self.on_change is not None:
            self.on_change(check, status, reason)

    def _add(self, name: str, importance: Importance, function: Callable[[], object], pace: Pace) -> None:
        pilot = AsyncPilot(_as_coroutine(function)) if _is_async(function) else ThreadPilot(name, function)
        replaced = self._probes.get(name)
        self._probes[name] = Probe(name, importance, pilot, pace, clock=self._clock, guard=self._guard, listener=self)
        if replaced is not None:
            replaced.close()
        self._bell.set()

    def _begin_all(self) -> list[Future[None]]:
        now = self._clock.monotonic()
        begun = (probe.begin(now, self._home) for probe in list(self._probes.values()))
        return [flight for flight in begun if flight is not None]

    def _refresh_for_ever(self) -> None:
        while not self._is_stopping:
            self._bell.clear()
            nap = _LONGEST_NAP_S
            with self._guard.quiet("health"):
                nap = self.tick()
            self._bell.wait(max(nap, 0.005))

    def _renew(self) -> None:
        self._bell = threading.Event()
        self._thread = None
        for probe in self._probes.values():
            probe.renew()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _is_async(function: Callable[[], object]) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004 - asks whether the call is async, not whether there is one


def _as_coroutine(function: Callable[[], object]) -> Callable[[], Coroutine[Any, Any, object]]:
    return typing.cast("Callable[[], Coroutine[Any, Any, object]]", function)


def _deadline_of(declaration: Check) -> float:
    return DEFAULT_DEADLINE_S if declaration.deadline_s is None else declaration.deadline_s


def _is_period(seconds: object) -> bool:
    return isinstance(seconds, (int, float)) and math.isfinite(seconds) and seconds > 0


def _require_callable(name: str, function: object) -> None:
    if not callable(function):
        raise TypeError(f"check {name!r} is answered by a function without arguments, not by {function!r}")
    try:
        signature = inspect.signature(function)
    except (ValueError, TypeError):  # a builtin that does not say
        return
    try:
        signature.bind()
    except TypeError as error:
        raise TypeError(
            f"check {name!r} is called without arguments, but {function!r} needs some ({error}); "
            "give them defaults, or register a lambda that passes them"
        ) from None


def _require_verdict(name: str, function: Callable[[], object]) -> None:
    try:
        promised = typing.get_type_hints(function).get("return", Verdict)
    except (NameError, TypeError):
        return
    if promised is not Verdict and promised is not Any:
        shown = getattr(promised, "__name__", str(promised))
        raise TypeError(
            f"check {name!r} promises {shown!r}; it must return obslib.Verdict, "
            "such as Verdict.ok() or Verdict.failing('disk_full')"
        )
