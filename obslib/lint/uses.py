"""What code does with telemetry, as rules see it: one kind of use for each thing a rule can have an opinion about."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from obslib.lint.calls import Arguments
from obslib.lint.evaluation import Evaluation
from obslib.lint.handlers import Function, is_handler, routes_of, routes_registered
from obslib.lint.lines import Lines
from obslib.lint.module import Module
from obslib.lint.parameter import is_private
from obslib.lint.scope import How, Scope
from obslib.lint.survey import Site
from obslib.lint.value import Value

__all__ = [
    "AttributeSet", "Binding", "CheckBound", "Declared", "EventCall", "FieldSet", "File", "Function", "FunctionDefined",
    "LabelDeclared", "LabelSet", "LogCall", "MetricCreated", "Printed", "SpanStarted", "Started", "Use",
]  # fmt: skip

_LONGEST_CHAIN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Something a file does with telemetry: ``node`` is where, ``site`` the scope and loop it stands in."""

    node: ast.AST
    site: Site

    @property
    def scope(self) -> Scope:
        """The scope in which its expressions have their meaning."""
        return self.site.scope

    def where(self, part: ast.expr) -> ast.AST:
        """Where to point for one of its arguments: at the argument, or at the use where a dict elsewhere gives it."""
        first, last = getattr(self.node, "lineno", 0), getattr(self.node, "end_lineno", 0)
        arguments: Arguments | None = getattr(self, "arguments", None)
        is_bound = arguments is not None and part in arguments.bound
        return part if is_bound or first <= part.lineno <= last else self.node


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding(Use):
    """``obs.metrics[key]``, ``obs.span(key)``, ``obs.log.event(key)`` and their like: a declaration is bound.

    ``through`` is ``metrics``, ``span``, ``operation``, ``loop``, ``check``, ``watch``, ``event`` or ``failure``; ``value``
    is what the key stands for.
    """

    through: str
    key: ast.expr
    value: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSet(Use):
    """Labels and their values: ``family.labels(kind=…)``, ``family.remove(…)``, a key of ``gauge.replace({…: 1})``.

    ``family`` is a FAMILY of ours, with its signal where known, or a PEER_METRIC; ``is_partial`` when more labels may come
    in a later call. ``through`` is the method they go in by: ``labels``, ``remove``, ``forget``, ``at``, ``replace``,
    ``callback``, ``mirror``, or ``add``, ``record`` and ``set`` of OpenTelemetry.
    """

    family: Value
    arguments: Arguments
    is_partial: bool = False
    through: str = "labels"

    @property
    def is_call(self) -> bool:
        """Whether it is a call with a keyword for each label."""
        return self.through in {"labels", "remove"}


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCall(Use):
    """``log.info(msg, …)``: ``logger`` is a LOG (ours), STRUCTLOG or STDLIB_LOG; ``level`` is as spelt."""

    logger: Value
    level: str
    message: ast.expr | None
    arguments: Arguments
    is_partial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventCall(Use):
    """``log.event(DECL, …)`` or ``log.failure(DECL, error, …)``: ``value`` is what the declaration stands for."""

    value: Value
    arguments: Arguments
    is_partial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSet(Use):
    """Fields bound to a logger or to the context: ``log.bind(…)``, ``obs.bind(…)``, ``obs.request(…)``."""

    arguments: Arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeSet(Use):
    """Attributes given to a span or operation: ``span(…)``, ``op.set(…)``, ``span.set_attribute(key, value)``.

    ``value`` carries the signal where it is known; ``key`` is the name of ``set_attribute`` where it is no keyword.
    """

    value: Value
    arguments: Arguments
    key: ast.expr | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanStarted(Use):
    """A span started by OpenTelemetry's own API, ``tracer.start_as_current_span(name)``, or renamed by ``update_name``."""

    name: ast.expr | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricCreated(Use):
    """A metric of prometheus_client or of OpenTelemetry: ``library`` says which, ``kind`` is its class or method name."""

    library: str
    kind: str
    name: ast.expr | None
    arguments: Arguments


@dataclass(frozen=True, slots=True, kw_only=True)
class Started(Use):
    """Something made once per process: ``what`` is ``obslib.start``, ``get_tracer`` or ``get_logger``."""

    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared(Use):
    """A declaration of this file: ``call`` is its decorator or constructor, ``parameters`` its labels or fields."""

    value: Value
    call: ast.Call
    parameters: tuple[ast.arg, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelDeclared(Use):
    """``Label.closed("kind", …)``, ``Label.budgeted(…)``, ``Label(…)``."""

    name: ast.expr | None
    call: ast.Call


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckBound(Use):
    """``obs.check(DECL, every=…, deadline=…)``: ``value`` is the declaration, ``function`` what it decorates, if any."""

    value: Value
    arguments: Arguments
    function: Function | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionDefined(Use):
    """A function: ``routes`` are the constant paths its decorators or a ``Route(…)`` give it."""

    function: Function
    routes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Printed(Use):
    """``print(…)``, ``sys.stdout.write(…)``, ``traceback.print_exc()`` and their like."""

    call: ast.Call


@dataclass(slots=True)
class File:
    """What a rule may ask about the file it looks at."""

    path: Path
    module: Module
    look: Evaluation
    is_component: bool = False
    _registered: Mapping[int, tuple[str, ...]] | None = None
    _lines: Lines | None = None

    def value(self, node: ast.AST | None, scope: Scope) -> Value:
        """What an expression stands for."""
        return self.look.value(node, scope)

    def source(self, node: ast.AST) -> str:
        """The source text of a node, on one line."""
        if self._lines is None:
            self._lines = Lines(self.module.text)
        return self._lines.text(node)

    def written(self, node: ast.expr, scope: Scope, depth: int = 0) -> Iterator[tuple[ast.expr, Scope]]:
        """The expressions that a name was given in this file, each with the scope it stands in; any other node is itself."""
        given = [each for each in scope.find(node.id) if each.how is How.ASSIGNED] if isinstance(node, ast.Name) else []
        found = [(each.node, each.scope) for each in given if isinstance(each.node, ast.expr) and not each.index]
        if not found or depth >= _LONGEST_CHAIN:
            yield node, scope
        for inner, home in found if depth < _LONGEST_CHAIN else ():
            yield from self.written(inner, home, depth + 1)

    def handed_on(self, node: ast.expr, scope: Scope) -> frozenset[str] | None:
        """The names that callers give to the ``**node`` of a private function; None where not every one is in sight."""
        for binding in scope.find(node.id) if isinstance(node, ast.Name) else []:
            function = binding.scope.node
            if isinstance(function, Function) and binding.node is function.args.kwarg and is_private(function, binding.scope):
                calls = self.look.call_sites(function.name, self.module)
                given = [call for call, at in calls if self.value(call.func, at).node is function]
                named = {keyword.arg for call in given for keyword in call.keywords}
                own = {each.arg for each in (*function.args.args, *function.args.kwonlyargs)}
                return None if None in named else frozenset(name for name in named if name is not None) - own
        return None

    def is_of(self, library: str) -> bool:
        """Whether the file is a part of the library itself, which may do as it likes."""
        return library in self.path.parts

    def label_names(self, created: MetricCreated) -> Iterator[tuple[str, ast.AST]]:
        """The label names that a metric of prometheus_client is created with, and where each stands."""
        given = created.arguments.get("labelnames", 2) if created.library == "prometheus_client" else None
        names = self.value(given, created.scope)
        if given is None or not isinstance(names.node, (ast.List, ast.Tuple, ast.Set)):
            return
        home, scope = names.home
        for element in names.node.elts:
            for text in self.look.value(element, scope, home).texts or ():
                yield text, element if names.node is given else given

    def routes(self, function: Function) -> tuple[str, ...]:
        """The constant paths that decorators, or calls such as ``Route("/livez", live)``, bind a function to."""
        if self._registered is None:
            self._registered = routes_registered(self.look)
        return (*routes_of(function), *self._registered.get(id(function), ()))

    def handler(self, use: Use) -> Function | None:
        """The request handler around a use: the innermost function that takes a request or is bound to a route."""
        scope: Scope | None = use.scope
        while scope is not None:
            node = scope.node
            if isinstance(node, Function) and (self.routes(node) or is_handler(self.look, node, scope)):
                return node
            scope = scope.parent
        return None
