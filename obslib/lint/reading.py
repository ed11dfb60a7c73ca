"""From a surveyed file to its uses of telemetry: every call and subscript is asked once what it does."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from obslib.lint import uses
from obslib.lint.calls import Arguments, arguments_of, taken_apart
from obslib.lint.declaring import declared_by, decorator_of, label_name
from obslib.lint.keys import KEYED, keys_of
from obslib.lint.known import PEER_METRICS, is_obslib
from obslib.lint.scope import Scope
from obslib.lint.survey import Site
from obslib.lint.uses import File, Use
from obslib.lint.value import Kind, Value

__all__ = ["read"]

_LEVELS = frozenset({
    "debug", "info", "warn", "warning", "error", "exception", "critical", "fatal", "log", "msg", "adebug", "ainfo", "awarning",
    "aerror", "aexception", "acritical", "afatal",
})  # fmt: skip
_MEASURING = frozenset({"inc", "dec", "set", "observe"})
"""What a family without labels does itself; one that has some needs them first."""
_BINDERS = frozenset({"span", "operation", "loop", "check", "watch"})
_PARTIALS = frozenset({"functools.partial", "functools.partialmethod"})
_DECLARING = frozenset({"Check", "Loop", "Operation", "Cursor", "ExternalMetric"})
_BINDING = frozenset({
    "structlog.contextvars.bind_contextvars", "structlog.contextvars.bound_contextvars",
    "structlog.threadlocal.bind_threadlocal", "structlog.threadlocal.bound_threadlocal",
})  # fmt: skip
_PRINTING = frozenset({
    "builtins.print", "pprint.pprint", "pprint.pp", "rich.print", "traceback.print_exc", "traceback.print_exception",
    "traceback.print_stack",
    *(
        f"sys.{stream}.{method}"
        for stream in ("stdout", "stderr", "__stdout__", "__stderr__")
        for method in ("write", "writelines", "buffer.write")
    ),
})  # fmt: skip
_ONCE = frozenset({
    "opentelemetry.trace.get_tracer", "opentelemetry.metrics.get_meter", "structlog.get_logger", "structlog.getLogger",
    "structlog.stdlib.get_logger", "prometheus_client.start_http_server",
    "opentelemetry.sdk.trace.TracerProvider", "opentelemetry.sdk.metrics.MeterProvider",
})  # fmt: skip


def read(file: File) -> Iterator[Use]:
    """Every use of telemetry in the file, in the order of its source."""
    reader = _Reader(file)
    for site in file.module.survey.sites:
        match site.node:
            case ast.Call():
                yield from reader.call(site, site.node)
            case ast.Subscript():
                yield from reader.subscript(site, site.node)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield from reader.function(site, site.node)


class _Reader:
    def __init__(self, file: File) -> None:
        self.file = file
        self.look = file.look
        self.home = file.module

    def subscript(self, site: Site, node: ast.Subscript) -> Iterator[Use]:
        if self.look.value(node.value, site.scope).kind is Kind.METRICS:
            key = node.slice
            yield uses.Binding(node=node, site=site, through="metrics", key=key, value=self.look.value(key, site.scope))

    def function(self, site: Site, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[Use]:
        declared = decorator_of(self.look, node, site.scope, self.home)
        if declared is not None and (signal := declared_by(self.look, node, site.scope, self.home)) is not None:
            value = Value(Kind.DECLARED, name=signal.kind, signal=signal)
            yield uses.Declared(node=node, site=site, value=value, call=declared[1], parameters=tuple(node.args.kwonlyargs))
            return
        yield uses.FunctionDefined(node=node, site=site, function=node, routes=self.file.routes(node))

    def call(self, site: Site, node: ast.Call) -> Iterator[Use]:
        callee = self.look.value(node.func, site.scope)
        if callee.kind in {Kind.UNKNOWN, Kind.UNTYPED}:
            return
        arguments = Arguments()
        is_partial = False
        if callee.kind is Kind.IMPORTED and callee.name in _PARTIALS and node.args:
            callee, is_partial = self.look.value(node.args[0], site.scope), True
            bound = ast.copy_location(ast.Call(func=node.func, args=node.args[1:], keywords=node.keywords), node)
            arguments = arguments_of(self.look, bound, site.scope, self.home)
        elif callee.kind is Kind.PARTIAL:
            arguments = self._given(node, site.scope)
        while callee.kind is Kind.PARTIAL and callee.base is not None:
            is_partial = is_partial or callee.home[0] is not self.home
            arguments = self._bound(callee).before(arguments or Arguments())
            callee = callee.base
        if not is_partial and not arguments.positional and not arguments.named and not arguments.unclear:
            arguments = self._given(node, site.scope)
        yield from self._use(site, node, callee, arguments, is_partial)

    def _given(self, node: ast.Call, scope: Scope) -> Arguments:
        return arguments_of(self.look, node, scope, self.home)

    def _bound(self, partial: Value) -> Arguments:
        """What a partial has bound already, when it was made in this file; what another file bound was reported there."""
        home, scope = partial.home
        node = partial.node
        if not isinstance(node, ast.Call) or home is not self.home:
            return Arguments()
        bound = ast.copy_location(ast.Call(func=node.func, args=node.args[1:], keywords=node.keywords), node)
        return arguments_of(self.look, bound, scope, home)

    def _use(self, site: Site, node: ast.Call, callee: Value, arguments: Arguments, is_partial: bool) -> Iterator[Use]:
        match callee.kind:
            case Kind.METHOD if callee.base is not None:
                yield from self._method(site, node, callee.base, callee.name, arguments, is_partial)
            case Kind.IMPORTED:
                yield from self._imported(site, node, callee.name, arguments, is_partial)
            case Kind.SPAN | Kind.OPERATION:
                yield uses.AttributeSet(node=node, site=site, value=callee, arguments=arguments)

    def _method(
        self, site: Site, node: ast.Call, base: Value, name: str, arguments: Arguments, is_partial: bool
    ) -> Iterator[Use]:
        match base.kind:
            case Kind.FAMILY | Kind.PEER_METRIC:
                yield from self._labelled(site, node, base, name, arguments, is_partial)
            case Kind.LOG | Kind.STRUCTLOG | Kind.STDLIB_LOG:
                yield from self._log(site, node, base, name, arguments, is_partial)
            case Kind.OBSERVABILITY:
                yield from self._observability(site, node, name, arguments, is_partial)
            case Kind.METER if name.startswith("create_"):
                yield uses.MetricCreated(
                    node=node, site=site, library="opentelemetry", kind=name, name=arguments.get("name", 0), arguments=arguments
                )
            case Kind.TRACER if name in {"start_span", "start_as_current_span"}:
                yield uses.SpanStarted(node=node, site=site, name=arguments.get("name", 0))
                attributes = arguments.get("attributes", 3)
                yield from self._attributes(site, node, base, attributes)
            case Kind.ACTIVE_SPAN:
                yield from self._active_span(site, node, base, name, arguments)

    def _labelled(
        self, site: Site, node: ast.Call, base: Value, name: str, arguments: Arguments, is_partial: bool
    ) -> Iterator[Use]:
        if name in {"labels", "remove"}:
            yield uses.LabelSet(node=node, site=site, family=base, arguments=arguments, is_partial=is_partial, through=name)
        elif base.signal is not None and name in _MEASURING and base.signal.labels:
            yield uses.LabelSet(node=node, site=site, family=base, arguments=Arguments())
        elif base.name == "opentelemetry" and name in {"add", "record", "set"}:
            given = arguments.get("attributes", 1)
            if given is not None:
                taken = taken_apart(self.look, given, site.scope, self.home)
                yield uses.LabelSet(node=node, site=site, family=base, arguments=taken, is_partial=True, through=name)
        elif base.signal is not None and name in KEYED and arguments.positional:
            for key in keys_of(self.look, name, arguments.positional, site, self.home, tuple(base.signal.labels)):
                yield uses.LabelSet(
                    node=node, site=key.site, family=base, arguments=key.arguments, is_partial=key.is_partial, through=name
                )

    def _active_span(self, site: Site, node: ast.Call, base: Value, name: str, arguments: Arguments) -> Iterator[Use]:
        if name == "set":
            yield uses.AttributeSet(node=node, site=site, value=base, arguments=arguments)
        elif name == "set_attribute":
            yield uses.AttributeSet(node=node, site=site, value=base, arguments=arguments, key=arguments.get("key", 0))
        elif name == "add_event":
            yield from self._attributes(site, node, Value(Kind.ACTIVE_SPAN), arguments.get("attributes", 1))
        elif name == "set_attributes":
            yield from self._attributes(site, node, base, arguments.get("attributes", 0))
        elif name == "update_name":
            yield uses.SpanStarted(node=node, site=site, name=arguments.get("name", 0))

    def _attributes(self, site: Site, node: ast.Call, value: Value, given: ast.expr | None) -> Iterator[Use]:
        """Attributes handed over as a dict, taken apart like ``**given``."""
        if given is not None:
            spread = ast.copy_location(ast.Call(func=node.func, args=[], keywords=[ast.keyword(arg=None, value=given)]), node)
            yield uses.AttributeSet(node=node, site=site, value=value, arguments=self._given(spread, site.scope))

    def _log(self, site: Site, node: ast.Call, base: Value, name: str, arguments: Arguments, is_partial: bool) -> Iterator[Use]:
        if name in _LEVELS:
            message = arguments.get("event" if base.kind is Kind.STRUCTLOG else "msg", 1 if name == "log" else 0)
            yield uses.LogCall(
                node=node, site=site, logger=base, level=name, message=message, arguments=arguments, is_partial=is_partial
            )
        elif name in {"bind", "new"}:
            yield uses.FieldSet(node=node, site=site, arguments=arguments)
        elif name in {"event", "failure"} and base.kind is Kind.LOG and arguments.positional:
            key = arguments.positional[0]
            value = self.look.value(key, site.scope)
            yield uses.Binding(node=node, site=site, through=name, key=key, value=value)
            yield uses.EventCall(node=node, site=site, value=value, arguments=arguments, is_partial=is_partial)

    def _observability(self, site: Site, node: ast.Call, name: str, arguments: Arguments, is_partial: bool) -> Iterator[Use]:
        if name in {"bind", "request"}:
            yield uses.FieldSet(node=node, site=site, arguments=arguments)
        if name not in _BINDERS or not arguments.positional:
            return
        key = arguments.positional[0]
        value = self.look.value(key, site.scope)
        yield uses.Binding(node=node, site=site, through=name, key=key, value=value)
        if name == "check" and not is_partial:
            yield uses.CheckBound(node=node, site=site, value=value, arguments=arguments, function=self._decorated_by(node))

    def _imported(self, site: Site, node: ast.Call, dotted: str, arguments: Arguments, is_partial: bool) -> Iterator[Use]:
        last = dotted.rpartition(".")[2]
        given = (
            self.look.value(arguments.positional[0], site.scope) if dotted == "builtins.map" and arguments.positional else None
        )
        if dotted in _PRINTING or (given is not None and given.name in _PRINTING):
            yield uses.Printed(node=node, site=site, call=node)
        elif dotted in PEER_METRICS and not is_partial:
            yield uses.MetricCreated(
                node=node, site=site, library="prometheus_client", kind=last, name=arguments.get("name", 0), arguments=arguments
            )
        elif dotted.startswith("logging.") and last in _LEVELS:
            logger = Value(Kind.STDLIB_LOG)
            yield uses.LogCall(
                node=node, site=site, logger=logger, level=last,
                message=arguments.get("msg", 1 if last == "log" else 0), arguments=arguments, is_partial=is_partial,
            )  # fmt: skip
        elif dotted in _BINDING:
            yield uses.FieldSet(node=node, site=site, arguments=arguments)
        elif dotted in _ONCE:
            yield uses.Started(node=node, site=site, what=dotted)
        elif is_obslib(dotted):
            yield from self._obslib(site, node, dotted, last)

    def _obslib(self, site: Site, node: ast.Call, dotted: str, last: str) -> Iterator[Use]:
        if dotted in {"obslib.start", "obslib.runtime.start"}:
            yield uses.Started(node=node, site=site, what="obslib.start")
        elif last in _DECLARING:
            yield uses.Declared(node=node, site=site, value=self.look.value(node, site.scope), call=node)
        elif label_name(self.look, node, site.scope, self.home) is not None:
            name = label_name(self.look, node, site.scope, self.home)
            yield uses.LabelDeclared(node=node, site=site, name=name, call=node)

    def _decorated_by(self, call: ast.Call) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        if not hasattr(self, "_decorators"):
            self._decorators = {
                id(decorator): site.node
                for site in self.home.survey.sites
                if isinstance(site.node, (ast.FunctionDef, ast.AsyncFunctionDef))
                for decorator in site.node.decorator_list
            }
        return self._decorators.get(id(call))
