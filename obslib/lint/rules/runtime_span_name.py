"""OBS301: a span whose name is put together at runtime."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from obslib.lint.rule import Problem, Rule
from obslib.lint.uses import File, SpanStarted
from obslib.lint.value import Kind

__all__ = ["RuntimeSpanName"]


class RuntimeSpanName(Rule[SpanStarted]):
    """A span is started, or renamed, under a name that is put together at runtime.

    Why: a span's name is what traces are grouped, sampled and compared by. A name with an id or a path in it makes every
    trace a group of its own, and stores index it as a label, without a bound.

    Fix: use a constant name, or better a declared span, ``obs.span(KIND)``, and hand over what varies as an attribute. A name
    that can only be one of a few texts, such as a Literal or an enumeration, is constant enough.
    """

    code = "OBS301"
    name = "runtime-span-name"
    on = SpanStarted
    good: ClassVar[tuple[str, ...]] = (
        """
        from opentelemetry import trace

        with trace.get_tracer("shop").start_as_current_span("checkout"):
            pass
        """,
        """
        from opentelemetry.trace import get_tracer as tracer_of

        NAME = "checkout"
        span = tracer_of("shop").start_span(name=NAME)
        """,
        """
        from typing import Literal
        from opentelemetry import trace

        def called(method: Literal["GET", "POST"]) -> None:
            trace.get_current_span().update_name(f"HTTP {method}")
        """,
        """
        from opentelemetry import trace

        tracer = trace.get_tracer("shop")

        @tracer.start_as_current_span("checkout")
        def checkout() -> None:
            with tracer.start_as_current_span("pay" if tracer else "charge"):
                pass
        """,
        """
        from functools import partial
        from opentelemetry import trace

        class Shop:
            def __init__(self) -> None:
                self.tracer = trace.get_tracer("shop")
                self.begin = partial(self.tracer.start_as_current_span, "checkout")

            def steps(self):
                return [self.tracer.start_span(name) for name in ("pick", "pack")]
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        from opentelemetry import trace

        def checkout(order: str) -> None:
            with trace.get_tracer("shop").start_as_current_span(f"checkout {order}"):
                pass
        """,
        """
        from opentelemetry.trace import get_tracer as tracer_of

        def checkout(name):
            return tracer_of("shop").start_span(name=name)
        """,
        """
        from opentelemetry import trace

        def handle(request) -> None:
            trace.get_current_span().update_name(request.url.path)
        """,
        """
        from functools import partial
        from opentelemetry import trace

        class Shop:
            def __init__(self) -> None:
                self.tracer = trace.get_tracer("shop")

            def begin(self, order: str):
                return partial(self.tracer.start_as_current_span, "checkout %s" % order)
        """,
        """
        from opentelemetry import trace

        tracer = trace.get_tracer("shop")

        def traced(function):
            @tracer.start_as_current_span(function.__qualname__)
            def inner() -> None:
                function()
            return inner
        """,
        """
        from opentelemetry import trace

        def steps(names: list[str]):
            tracer = trace.get_tracer("shop")
            return [tracer.start_span("step " + name) for name in names]
        """,
    )

    def check(self, use: SpanStarted, file: File) -> Iterator[Problem]:
        """A name must be known, or known to be one of a few."""
        if use.name is None:
            return
        value = file.value(use.name, use.scope)
        if value.kind is not Kind.TEXT:
            yield Problem(use.name, f"the span's name is {_what(use.name, file, use)}; keep it constant and add an attribute")


def _what(node: ast.expr, file: File, use: SpanStarted) -> str:
    value = file.value(node, use.scope)
    if isinstance(node, ast.JoinedStr):
        return "an f-string"
    if value.kind is Kind.TAINTED:
        return f"text from {value.taint}" if value.taint != "formatted text" else "formatted text"
    return "not to be told from the source"
