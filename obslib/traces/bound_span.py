"""A declared span, bound: what components use, typed by its declaration and made current while it runs.

A room of its own because it joins what the other parts keep apart: the declaration's attributes, OpenTelemetry's context
(so that ``get_current_span()`` and any library see our span) and the ambient log fields (linked traces).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from contextvars import Token
from itertools import islice
from types import TracebackType
from typing import Final, Generic, ParamSpec, Self

from opentelemetry.context import Context

from obslib import context as ambient
from obslib.catalog.signals import SpanKind
from obslib.guard import Guard
from obslib.traces.attributes import PLAIN_TEXT, exported_name
from obslib.traces.span import CONTEXT, SPAN_KEY, LightSpan, LinkRecord, Scope, SpanParent
from obslib.traces.traceparent import Parent, parse

__all__ = ["ActiveSpan", "BoundSpan"]

P = ParamSpec("P")

_AMBIENT_LINKS = 8
_MOST_HEADERS = 1_024


class _Current:
    """Stands for "whatever span is current when this one is entered"."""


_CURRENT: Final = _Current()


class ActiveSpan(LightSpan):
    """One run of a bound span: a context manager that is OpenTelemetry's current span inside its block."""

    is_declared = True
    _token: Token[Context] | None = None
    _restores_also: tuple[Token[Context], ...] = ()
    _fields: AbstractContextManager[None] | None = None

    def __init__(self, bound: BoundSpan[...], attributes: dict[str, object]) -> None:
        # What LightSpan.__init__ does, written out: one call less for every span.
        self.scope = bound.scope
        self.name = bound.name
        self.attributes = attributes
        self._bound = bound
        for value in attributes.values():
            kind = type(value)
            if kind is not int and (kind is not str or len(value) > PLAIN_TEXT):  # type: ignore[arg-type]  # exact str
                self._set_again(attributes)
                return
        if not bound.allowed.issuperset(attributes):
            self._set_again(attributes)

    def set(self, **attributes: object) -> None:
        """Attach declared attributes; an undeclared one is left out and counted as ``undeclared_field``."""
        for key, value in attributes.items():
            if key in self._bound.allowed:
                self.set_attribute(key, value)  # type: ignore[arg-type]  # held() takes any object
            else:
                self.scope.guard.note("undeclared_field", f"{self.name}: {exported_name(key, self.scope.redactor)}")

    def link_to(self, traceparents: Sequence[str]) -> None:
        """Point at traces that turn out to have caused this work; bad headers are left out.

        A lone header may be given as it is. What cannot be read, and what comes after 1 024 headers, is left out and
        counted. The first ones to come also go to the lines written from now on, as ``linked_trace_ids``.
        """
        with self.scope.guard.quiet("traces"):
            self.link(_links(traceparents, self.scope.guard))
            if self.links and self._token is not None and self._fields is None:
                self._bind_links()

    def fail(self, error: BaseException | None = None) -> None:
        """Mark the span failed without an exception leaving its block; without ``error`` the class is ``internal``."""
        if not self.is_ended:
            with self.scope.guard.quiet("traces"):
                self.note_failure(error)

    def __enter__(self) -> Self:
        try:
            context = CONTEXT.get()
            if self.trace is None:
                parent = self._bound.parent
                self.begin(context.get(SPAN_KEY) if parent is _CURRENT else parent)  # type: ignore[arg-type]  # only spans are kept there
                if self.links:
                    self._bind_links()
            self._token = CONTEXT.set(Context({**context, SPAN_KEY: self}))
        except Exception as error:
            self.scope.guard.note("traces", error)
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        if self._fields is not None:
            with self.scope.guard.quiet("traces"):
                self._fields.__exit__(None, None, None)
        token = self._token
        if token is not None:
            self._token = None
            try:
                if self._restores_also or CONTEXT.get().get(SPAN_KEY) is not self:
                    self._restore(token)
                else:
                    CONTEXT.reset(token)
            except (ValueError, RuntimeError) as error:
                # A generator finalised in another context, which had lost the span already.
                self.scope.guard.note("traces", error)
        if exc_val is not None:
            self._left_by(exc_val)
        self.end()

    def _set_again(self, attributes: dict[str, object]) -> None:
        self.attributes = {}
        self.set(**attributes)

    def _bind_links(self) -> None:
        linked = list(dict.fromkeys(f"{link.to.trace_id:032x}" for link in self.links))[:_AMBIENT_LINKS]
        self._fields = ambient.bound(linked_trace_ids=linked)
        self._fields.__enter__()

    def _restore(self, token: Token[Context]) -> None:
        above = CONTEXT.get().get(SPAN_KEY)
        while above is not self and type(above) is ActiveSpan and above._token is not None:
            # Left before a span that was entered inside it: that one goes on, and restores for both when it is left.
            below = above._token.old_value.get(SPAN_KEY)
            if below is self:
                above._restores_also = (token, *self._restores_also)
                return
            above = below
        for restored in (token, *self._restores_also):
            CONTEXT.reset(restored)

    def _left_by(self, error: BaseException) -> None:
        if isinstance(error, Exception):
            self.fail(error)
        else:
            # Cancellation and exit are no failures of the work; the span says that it was cut short.
            self.set_attribute("cancelled", True)


class BoundSpan(Generic[P]):
    """A declared span of one component. Bind it once, then ``with span(attribute=…) as s:``.

    ``under`` and ``linked`` give a new bound span and may be chained.
    """

    __slots__ = ("_kind", "_links", "allowed", "name", "parent", "scope")

    def __init__(
        self,
        scope: Scope,
        kind: SpanKind[P],
        *,
        parent: SpanParent | _Current = _CURRENT,
        links: tuple[LinkRecord, ...] = (),
    ) -> None:
        self.scope = scope
        self.name = kind.name
        self.allowed = frozenset(field.name for field in kind.fields)
        self.parent = parent
        self._kind = kind
        self._links = links

    def __call__(self, *_: P.args, **attributes: P.kwargs) -> ActiveSpan:
        """Make a span; it starts when its block is entered. Undeclared attributes are left out and counted."""
        span = ActiveSpan(self, attributes)
        if self._links:
            span.link(self._links)
        return span

    def under(self, parent: str | Parent | None, tracestate: str = "") -> BoundSpan[P]:
        """Run under a span elsewhere: a ``traceparent``, or what ``Tracing.extract`` found.

        A bad or empty header begins a new trace, whatever span is current here.
        """
        remote = parse(parent, tracestate) if isinstance(parent, str) else parent
        return BoundSpan(self.scope, self._kind, parent=remote, links=self._links)

    def linked(self, traceparents: Sequence[str]) -> BoundSpan[P]:
        """Point at the traces that caused this work without being its parent; bad headers are left out.

        A lone header may be given as it is. What cannot be read, and what comes after 1 024 headers, is left out and
        counted. At most 128 links are kept on the span, and the first 8 distinct trace ids are bound to log lines as
        ``linked_trace_ids``.
        """
        links = (*self._links, *_links(traceparents, self.scope.guard))
        return BoundSpan(self.scope, self._kind, parent=self.parent, links=links)


def _links(traceparents: Iterable[str], guard: Guard) -> tuple[LinkRecord, ...]:
    """Read the headers; whatever was given instead of a sequence neither raises nor keeps the caller waiting."""
    links: list[LinkRecord] = []
    with guard.quiet("traces"):
        headers = iter((traceparents,) if isinstance(traceparents, (str, bytes)) else traceparents)
        for place, header in enumerate(islice(headers, _MOST_HEADERS + 1)):
            if place == _MOST_HEADERS:
                guard.note("traces", f"links past {_MOST_HEADERS} headers were left out")
            elif (found := parse(header)) is not None:
                links.append(LinkRecord(found, {}))
    return tuple(links)
