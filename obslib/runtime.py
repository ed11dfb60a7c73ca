"""``start()`` and what it returns: the one place where the rooms meet.

An ``Observability`` belongs to one component of one process. It introduces the rooms to each other (log
lines get their trace ids, health and the tally their gauges) and is handed on; there is no default
instance. Wiring is loud: a wrong declaration, setting or component raises here, with what to do. Once
it runs, no telemetry call raises into the component.
"""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, Self, TypeVar

from obslib import catalog as declared
from obslib import context
from obslib.admin import AdminServer, admin_app
from obslib.adoption import Adoption
from obslib.catalog import common
from obslib.classify import Classifier
from obslib.clock import Clock
from obslib.errors import Closed, ErrorClass
from obslib.guard import Guard
from obslib.health import Health, Snapshot, Status
from obslib.ids import IdSource, mint
from obslib.logs import Logger, LogPipeline, StdlibHandler, logger
from obslib.loops import BoundLoop, BoundOperation, Loops
from obslib.metrics import Registry
from obslib.process import Process
from obslib.redaction import Redactor
from obslib.settings import resolve
from obslib.sinks import Sink
from obslib.tally import Tally
from obslib.traces import BoundSpan, Tracing

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

    from obslib.retention.policy import Policy

__all__ = ["Observability", "launch", "start"]

P = ParamSpec("P")
R = TypeVar("R")
Raised = TypeVar("Raised", bound=BaseException)
_LONGEST_CLOSE_S = 3_600.0

Kind = TypeVar("Kind", bound="Observability")


def start(
    component: str,
    *,
    catalog: declared.Catalog | None = None,
    errors: Mapping[type[Raised], ErrorClass] | None = None,
    adopt_process: bool = True,
    clock: Clock | None = None,
    ids: IdSource | None = None,
    sink: Sink | None = None,
    exporter: SpanExporter | None = None,
    **settings: object,
) -> Observability:
    """Turn everything on for one component: logs, ``/metrics``, ``/livez``, ``/readyz``, traces and loop watch.

    ``component`` must be in ``catalog`` (default: the platform's). ``errors`` gives the component's own
    exceptions a class. ``adopt_process`` takes over root logging, warnings, excepthooks and OpenTelemetry's
    provider until ``close()``. ``settings`` are those of ``obslib.settings.SETTINGS``; each wins over its
    ``OBSLIB_*`` variable. Raises UnknownSignal, SettingsError, AddressInUse or AlreadyAdopted, each saying
    what to do; nothing is left running then.
    """
    return launch(
        Observability, component, catalog=catalog, errors=errors, adopt_process=adopt_process, clock=clock, ids=ids, sink=sink,
        exporter=exporter, settings=settings,
    )  # fmt: skip


def launch(
    kind: type[Kind],
    component: str,
    *,
    catalog: declared.Catalog | None,
    errors: Mapping[type[Raised], ErrorClass] | None,
    adopt_process: bool,
    clock: Clock | None,
    ids: IdSource | None,
    sink: Sink | None,
    exporter: SpanExporter | None,
    settings: Mapping[str, object],
) -> Kind:
    """``start()`` for a subclass of Observability; see there."""
    known = _platform() if catalog is None else catalog
    role = known.component(component)
    process = Process(
        known, resolve(settings), errors=dict((errors or {}).items()), clock=clock, ids=ids, sink=sink, exporter=exporter
    )
    obs = kind(process, role)
    try:
        obs._serve()
        if adopt_process:
            obs._adopt()
        obs.begin()
    except BaseException:
        obs.close()
        raise
    atexit.register(obs.close)
    obs.log.event(common.COMPONENT_STARTED, version=process.settings.version, address=obs.admin_address)
    return obs


class Observability:
    """Everything one component emits. Made by ``start()``; a context manager, sync or async.

    ``retention`` is the policy for the records this component keeps.
    ``log`` writes lines, ``metrics[DECL]`` binds a family, ``span``, ``loop``, ``operation`` and ``check`` bind
    the rest. Entering the ``with`` block starts the readiness checks on the running event loop; leaving it
    closes within ``close_timeout_s``.
    """

    def __init__(self, process: Process, role: declared.Component, *, root: Observability | None = None) -> None:
        settings, constant, name = process.settings, process.constants(role), role.name
        self._process = process
        self._root = root or self
        self._parts: list[Observability] = [self]
        self._server: AdminServer | None = None
        self._adoption: Adoption | None = None
        self._is_closed = False
        tally = Tally() if root else process.tally
        self._guard = Guard(tally) if root else process.guard
        self.component_name = name
        self.catalog = process.catalog
        self.settings = settings
        self.retention: Policy = _policy(process, name)
        self.clock = process.clock
        self.ids = process.ids
        self.traces: Tracing = (
            root.traces.component(name, constant=constant, version=settings.version)
            if root
            else _tracing(process, name, constant)
        )
        self._pipeline = LogPipeline(
            catalog=self.catalog, component=name, constant=constant, sink=process.sink, redactor=process.redactor,
            clock=self.clock, guard=self._guard, level=settings.log_level, trace_ids=self.traces.current_ids,
            classifier=process.classifier, console=process.wants_console,
        )  # fmt: skip
        self.log: Logger = logger(self._pipeline)
        self.metrics = Registry(
            catalog=self.catalog, component=name, constant=constant, tally=tally, guard=self._guard,
            redactor=process.redactor, clock=self.clock,
        )  # fmt: skip
        duration = self.metrics[common.HEALTH_CHECK_DURATION]
        self.health = Health(
            catalog=self.catalog, component=name, clock=self.clock, guard=self._guard, on_change=self._check_changed,
            on_run=lambda check, seconds: duration.labels(check=check).observe(seconds),
        )  # fmt: skip
        self.loops = Loops(
            catalog=self.catalog, component=name, log=self.log, metrics=self.metrics, tracing=self.traces,
            classifier=process.classifier, clock=self.clock, ids=self.ids, guard=self._guard, on_new=self.health.watch,
        )  # fmt: skip
        self.metrics[common.HEALTH_READY].callback(self.health.ready)
        self.metrics[common.HEALTH_CHECK_STATUS].callback(self.health.statuses)
        self.metrics[common.HEALTH_CHECK_AGE].callback(self.health.ages)
        self.metrics[common.BUILD_INFO].labels(version=settings.version).set(1)

    def __repr__(self) -> str:
        return f"<Observability {self.component_name} at {self.admin_address or 'no address'}>"

    # --- binding --------------------------------------------------------------------------------

    def span(self, kind: declared.SpanKind[P]) -> BoundSpan[P]:
        """Bind a span: ``with obs.span(KIND)(attribute=…):``. Bind once, enter often."""
        return self.traces.span(kind)

    def operation(self, declaration: declared.Operation[P]) -> BoundOperation[P]:
        """Bind an operation; its ``with`` block contains exceptions and tells them in ``run.ok`` and ``run.error``."""
        self._require_open()
        return self.loops.operation(declaration)

    def loop(self, declaration: declared.Loop, *, period: float | None = None) -> BoundLoop:
        """Bind a loop: ``async for it in obs.loop(LOOP, period=5):``, or ``.iteration()`` for one on demand."""
        self._require_open()
        return self.loops.loop(declaration, period=period)

    def check(
        self, declaration: declared.Check, *, every: float | None = None, deadline: float | None = None
    ) -> Callable[[Callable[[], Any]], Callable[[], Any]]:
        """Register the function that answers a declared readiness check; ``every`` and ``deadline`` are seconds."""
        self._require_open()
        return self.health.check(declaration, every=every, deadline=deadline)

    # --- context --------------------------------------------------------------------------------

    def bind(self, **fields: object) -> AbstractContextManager[None]:
        """Add fields to every line of the block; they follow tasks, and threads through ``carry``.

        Fields that name a tenant are left out and counted: those come only through ``with_tenant`` (LOG-06).
        """
        return context.bound(**self._without_tenant(fields))

    def request(self, request_id: str = "", **fields: object) -> AbstractContextManager[None]:
        """Open the context of one request; without an id from the client, or with one that is no text, one is minted."""
        given = request_id if type(request_id) is str else ""
        return context.scope(given or self.mint("req"), **self._without_tenant(fields))

    def with_tenant(self, org_id: str) -> AbstractContextManager[None]:
        """Let the lines of the block carry ``org_id``; the only way it gets into a platform log (LOG-06)."""
        return context.bound(org_id=org_id)

    def carry(self, function: Callable[P, R]) -> Callable[P, R]:
        """``function`` with the present context, for a thread or an executor."""
        return context.carried(function)

    def mint(self, prefix: str) -> str:
        """A fresh id, such as ``inst_01J…``."""
        return mint(prefix, self.ids)

    # --- the process ----------------------------------------------------------------------------

    @property
    def classifier(self) -> Classifier:
        """Gives an exception its error class, as lines, spans and loops do."""
        return self._process.classifier

    @property
    def redactor(self) -> Redactor:
        """Replaces secrets in values, as lines and spans do."""
        return self._process.redactor

    def component(self, name: str) -> Observability:
        """Another component in this process; it shares the sink, the admin endpoint and the clock.

        Its lines and metrics carry its own name, its checks appear in ``/readyz`` as ``<component>/<check>``.
        Asked for the same name again it gives the same object.
        Raises UnknownSignal for a component the catalog lacks.
        """
        self._require_open()
        known = {part.component_name: part for part in self._root._parts}
        if name in known:
            return known[name]
        part = Observability(self._process, self.catalog.component(name), root=self._root)
        self._root._parts.append(part)
        self._root.metrics.adjoin(part.metrics)
        part.begin()
        return part

    @property
    def admin_address(self) -> str:
        """``host:port`` of ``/metrics``, ``/livez`` and ``/readyz``; empty when none is served."""
        server = self._root._server
        return server.address if server else ""

    @property
    def admin_app(self) -> Any:
        """The admin endpoint as an ASGI app, to mount in a server of the host's own."""
        return admin_app(
            exposition=self.metrics.exposition,
            snapshot=self._snapshot,
            livez=self.health.livez,
            debug={
                "loops": lambda: {name: facts for part in self._parts for name, facts in part.loops.describe().items()},
                "overflow": lambda: [asdict(offender) for part in self._parts for offender in part.metrics.offenders()],
                "catalog": lambda: [part._describe_catalog() for part in self._parts],
                "config": self._process.describe_settings,
            },
            on_error=lambda _, error: self._guard.note("health", error),
        )

    def close(self, timeout_s: float | None = None) -> None:
        """Stop checks and loops, flush spans and lines, stop serving; at most ``timeout_s``. Safe to call twice."""
        self._close(timeout_s, told=None)

    def _close(self, timeout_s: float | None, *, told: BaseException | None) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        longest: float = self.settings.close_timeout_s
        end = self.clock.monotonic() + (longest if timeout_s is None else min(max(timeout_s, 0.0), _LONGEST_CLOSE_S))

        def left() -> float:
            return max(0.1, end - self.clock.monotonic())

        steps: list[Callable[[], object]] = [partial(part._close, left(), told=None) for part in self._parts[1:]]
        steps += [self.health.drain, lambda: self.loops.stop(left()), lambda: self.health.stop(left())]
        if self._root is self:
            steps += [
                lambda: self.traces.close(left()),
                self._say_goodbye,
                partial(self._adoption.restore, told) if self._adoption else lambda: None,
                lambda: self._server.close(left()) if self._server else None,
                lambda: self._process.close_sink(left()),
                lambda: atexit.unregister(self.close),
            ]
        for step in steps:
            with self._guard.quiet("health"):
                step()

    def _say_goodbye(self) -> None:
        uptime = self.clock.monotonic() - self._process.begun
        self.log.event(common.COMPONENT_STOPPED, duration_seconds=round(uptime, 3))

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._close(None, told=self._tell(error))

    async def __aenter__(self) -> Self:
        self.begin()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._close, None, told=self._tell(error))

    def begin(self) -> None:
        """Start the checks and the loop watch; inside a running event loop asynchronous checks run there.

        ``start()`` and entering the ``with`` block both do this; calling it again is harmless.
        """
        self._require_open()
        self.health.start()
        self.loops.start()

    # --- inside ---------------------------------------------------------------------------------

    def _require_open(self) -> None:
        if self._is_closed:
            raise Closed(f"the Observability of {self.component_name!r} is closed; call obslib.start() for a new one")

    def _tell(self, error: BaseException | None) -> BaseException | None:
        """Write the line of an exception that ends the component, while lines can still be written."""
        if isinstance(error, Exception):
            self.log.failure(common.COMPONENT_FAILED, error)
            return error
        return None

    def _serve(self) -> None:
        if self.settings.admin_port >= 0:
            self._server = AdminServer(self.admin_app, self.settings.admin_host, self.settings.admin_port)

    def _adopt(self) -> None:
        self._adoption = Adoption(
            self.component_name,
            handler=StdlibHandler(self._pipeline),
            provider=self.traces.provider,
            report=lambda message, error: self.log.error(message, error=error),
        )

    def _snapshot(self) -> Snapshot:
        """Readiness of the process: our checks, and those of the other components under their names."""
        own = self.health.snapshot()
        others = {
            f"{part.component_name}/{name}": state
            for part in self._parts[1:]
            for name, state in part.health.snapshot().checks.items()
        }
        return replace(own, checks={**own.checks, **others}) if others else own

    def _without_tenant(self, fields: dict[str, object]) -> dict[str, object]:
        for name in [name for name in fields if name in self.catalog.fields and self.catalog.fields[name].is_tenant]:
            self._guard.note("undeclared_field", f"{name} is bound only by with_tenant()")
            del fields[name]
        return fields

    def _check_changed(self, check: str, status: Status, reason: str) -> None:
        self.log.event(common.CHECK_CHANGED, check=check, status=status.value, reason=reason)

    def _describe_catalog(self) -> object:
        return {
            "name": self.catalog.name,
            "component": self.component_name,
            "worst_case_series": self.catalog.worst_case(self.component_name),
            "families": {budget.family: budget.series for budget in self.catalog.budget(self.component_name)},
        }


def _tracing(process: Process, component: str, constant: Mapping[str, str]) -> Tracing:
    settings = process.settings
    return Tracing(
        catalog=process.catalog, component=component, constant=constant, clock=process.clock, ids=process.ids,
        tally=process.tally, guard=process.guard, classifier=process.classifier, redactor=process.redactor,
        success_ratio=settings.trace_success_ratio, slow_s=settings.trace_slow_seconds, enabled=settings.tracing_enabled,
        exporter=process.exporter, version=settings.version,
    )  # fmt: skip


def _policy(process: Process, component: str) -> Policy:
    from obslib.retention.policy import Policy

    return Policy.needed_by(component, catalog=process.catalog, path=process.settings.retention_policy)


def _platform() -> declared.Catalog:
    from obslib.catalog.platform import PLATFORM

    return PLATFORM
