"""OBS302: a declared span that is given other attributes than it declares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from obslib.lint.nearest import nearest
from obslib.lint.rule import Problem, Rule
from obslib.lint.signal import Signal
from obslib.lint.uses import AttributeSet, File
from obslib.lint.value import Kind

__all__ = ["UndeclaredAttribute"]


class UndeclaredAttribute(Rule[AttributeSet]):
    """A declared span or operation is given an attribute it does not declare.

    Why: the attribute is left out of the span and counted; the trace arrives without what its author meant to say. An
    attribute whose very name varies cannot be searched for at all.

    Fix: add the attribute to the span's declaration, or spell it as the declaration does.
    """

    code = "OBS302"
    name = "undeclared-attribute"
    on = AttributeSet
    good: ClassVar[tuple[str, ...]] = (
        """
        from typing import Annotated
        from obslib import Observability
        from obslib.catalog import Field, span_kind

        ORDER_ID = Field(name="order_id", help="Id of the order.")

        @span_kind("shop.checkout", serves=("SHOP-1",))
        def CHECKOUT(*, order_id: Annotated[str, ORDER_ID] = "") -> None:
            \"\"\"One checkout.\"\"\"

        def checkout(obs: Observability) -> None:
            with obs.span(CHECKOUT)(order_id="ord_1") as span:
                span.set(order_id="ord_2")
                span.set_attribute("order_id", "ord_3")
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        class Boots:
            def __init__(self, obs: Observability) -> None:
                self.boot = obs.operation(s.INSTANCE_BOOT)

            def run(self) -> None:
                with self.boot() as run:
                    run.fail("image_fetch_failed")
        """,
        """
        from opentelemetry import trace

        with trace.get_tracer("shop").start_as_current_span("checkout", attributes={"colour": "red"}) as span:
            span.set_attribute("size", 3)
        """,
        """
        from functools import partial
        from obslib import Observability

        def wire(obs: Observability, kind, attributes):
            return [partial(obs.span(kind), **each) for each in attributes]
        """,
        """
        from opentelemetry import trace as t

        KEY = "colour"

        def told() -> None:
            def inner() -> None:
                t.get_current_span().set_attribute(KEY, "red")
            inner()
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        from typing import Annotated
        from obslib import Observability
        from obslib.catalog import Field, span_kind

        ORDER_ID = Field(name="order_id", help="Id of the order.")

        @span_kind("shop.checkout", serves=("SHOP-1",))
        def CHECKOUT(*, order_id: Annotated[str, ORDER_ID] = "") -> None:
            \"\"\"One checkout.\"\"\"

        def checkout(obs: Observability) -> None:
            with obs.span(CHECKOUT)(oder_id="ord_1"):
                pass
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform.data_plane import INSTANCE_BOOT as BOOT

        class Boots:
            def __init__(self, obs: Observability) -> None:
                self.boot = obs.operation(BOOT)

            def run(self) -> None:
                with self.boot() as run:
                    run.set(flavour="large")
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def boots(obs: Observability, names) -> None:
            boot = obs.operation(s.INSTANCE_BOOT).reraising
            [boot(**{"flavour": name}) for name in names]
        """,
        """
        from functools import partial
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def wire(obs: Observability):
            return partial(obs.operation(s.INSTANCE_BOOT), flavour="large")
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def boot(obs: Observability) -> None:
            with obs.operation(s.INSTANCE_BOOT)() as run:
                def later() -> None:
                    run.set_attribute("flavour", "large")
                later()
        """,
        """
        from opentelemetry import trace as t

        def told(user: str) -> None:
            t.get_current_span().set_attribute(f"user.{user}", True)
        """,
    )

    def check(self, use: AttributeSet, file: File) -> Iterator[Problem]:
        """Compare with the declaration, where that is known whole."""
        signal = use.value.signal
        if use.key is not None:
            yield from self._keyed(use, signal, file)
        elif signal is not None and signal.is_whole:
            for name, value in use.arguments.named:
                if name not in signal.fields:
                    yield Problem(use.where(value), _undeclared(signal, name))
            for each in use.arguments.unclear:
                yield Problem(each, f"it cannot be told which attributes {signal.name!r} is given; write them out")

    def _keyed(self, use: AttributeSet, signal: Signal | None, file: File) -> Iterator[Problem]:
        assert use.key is not None
        key = file.value(use.key, use.scope)
        if key.kind is Kind.TAINTED:
            yield Problem(use.key, f"the attribute's name is {key.taint}; keep it constant and put what varies into the value")
        elif signal is not None and signal.is_whole:
            for name in sorted((key.texts or frozenset()) - signal.fields):
                yield Problem(use.key, _undeclared(signal, name))


def _undeclared(signal: Signal, name: str) -> str:
    return f"{signal.name!r} does not declare attribute {name!r}, so it is left out{nearest(name, signal.fields)}"
