"""OBS301: a span whose name is put together at runtime."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from obslib.lint.rule import Problem, Rule
from obslib.lint.uses import Declared, File, SpanStarted
from obslib.lint.value import Kind, Taint, Value

__all__ = ["RuntimeSpanName"]


class RuntimeSpanName(Rule[SpanStarted | Declared]):
    """A span is started, or renamed, under a name that is put together at runtime.

    Why: a span's name is what traces are grouped, sampled and compared by. A name with an id or a path in it makes every
    trace a group of its own, and stores index it as a label, without a bound.

    Fix: use a constant name, or better a declared span, ``obs.span(KIND)``, and hand over what varies as an attribute. A name
    that can only be one of a few texts, such as a Literal or an enumeration, is constant enough.
    """

    code = "OBS301"
    name = "runtime-span-name"
    on = (SpanStarted, Declared)
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
        """
        from obslib.catalog import span_kind

        def declared(name: str):
            @span_kind(f"shop.{name}", serves=("SHOP-1",))
            def STEP() -> None:
                \"\"\"One step.\"\"\"
            return STEP
        """,
    )

    def check(self, use: SpanStarted | Declared, file: File) -> Iterator[Problem]:
        """A name must be known, or known to be one of a few; of a declaration's, it must not be known to be anything else."""
        name = use.name if isinstance(use, SpanStarted) else _declared(use)
        value = file.value(name, use.scope)
        if name is None or value.kind is Kind.TEXT or (isinstance(use, Declared) and value.kind is not Kind.TAINTED):
            return
        yield Problem(name, f"the span's name is {_what(name, value)}; keep it constant and add an attribute")


def _declared(use: Declared) -> ast.expr | None:
    """The name in ``@span_kind(name)``."""
    if use.value.name != "SpanKind":
        return None
    return next((each.value for each in use.call.keywords if each.arg == "name"), use.call.args[0] if use.call.args else None)


def _what(node: ast.expr, value: Value) -> str:
    if isinstance(node, ast.JoinedStr):
        return "an f-string"
    if value.kind is Kind.TAINTED:
        return str(value.taint) if value.taint is Taint.FORMATTED else f"text from {value.taint}"
    return "not to be told from the source"
