"""OBS203: a declared event that is given other fields than it declares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from obslib.lint.nearest import nearest
from obslib.lint.rule import Problem, Rule
from obslib.lint.signal import Signal
from obslib.lint.uses import EventCall, File

__all__ = ["UndeclaredField"]


class UndeclaredField(Rule[EventCall]):
    """A declared event is written with a field it does not declare, or without one that it needs.

    Why: the pipeline drops a field that the event does not declare, and counts it; the line arrives without what its author
    meant to say. A field that is missing breaks whoever looks for it, at the moment when the line is needed.

    Fix: add the field to the event's declaration, spell it as the declaration does, or hand over what is missing. Fields from
    a dict can be checked only where the dict is written out: ``event(DECL, **{"order_id": order.id})``.
    """

    code = "OBS203"
    name = "undeclared-field"
    on = EventCall
    good: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def ready(obs: Observability) -> None:
            obs.log.event(s.INSTANCE_READY, boot_seconds=1.5)
        """,
        """
        from functools import partial
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def wire(obs: Observability) -> None:
            ready = partial(obs.log.event, s.INSTANCE_READY)
            ready(boot_seconds=1.5)
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform.data_plane import INSTANCE_READY as READY

        def ready(obs: Observability, seconds: list[float]) -> None:
            [obs.log.event(READY, **{"boot_seconds": each}) for each in seconds]
        """,
        """
        from typing import Annotated
        from obslib import Observability
        from obslib.catalog import Field, log_event

        ORDER_ID = Field(name="order_id", help="Id of the order.")
        ATTEMPT = Field(name="attempt", help="Which try it was.")

        @log_event("order.placed", serves=("SHOP-1",))
        def PLACED(*, order_id: Annotated[str, ORDER_ID], attempt: Annotated[int, ATTEMPT] = 1) -> None:
            \"\"\"Order placed.\"\"\"

        class Orders:
            def __init__(self, obs: Observability) -> None:
                self.log = obs.log

            def placed(self, order_id: str) -> None:
                self.log.event(PLACED, order_id=order_id)
        """,
        """
        from obslib import Observability

        def forward(obs: Observability, declaration, **fields) -> None:
            obs.log.event(declaration, **fields)
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def _told(obs: Observability, attempt: int, **fields) -> None:
            obs.log.event(s.INSTANCE_READY, **fields)

        def ready(obs: Observability) -> None:
            _told(obs, attempt=1, boot_seconds=1.5)
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def ready(obs: Observability) -> None:
            obs.log.event(s.INSTANCE_READY, boot_seconds=1.5, colour="red")
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def ready(obs: Observability) -> None:
            obs.log.event(s.INSTANCE_READY)
        """,
        """
        from functools import partial
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def wire(obs: Observability) -> None:
            ready = partial(obs.log.event, s.INSTANCE_READY)
            ready(boot_second=1.5)
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform.data_plane import INSTANCE_READY as READY

        def ready(obs: Observability, seconds: list[float]) -> None:
            fields = dict(boot_seconds=1.5, size_bytes=3)
            def later() -> None:
                obs.log.event(READY, **fields)
            later()
        """,
        """
        from typing import Annotated
        from obslib import Observability
        from obslib.catalog import Field, log_event

        ORDER_ID = Field(name="order_id", help="Id of the order.")

        @log_event("order.lost", serves=("SHOP-1",))
        def LOST(*, order_id: Annotated[str, ORDER_ID]) -> None:
            \"\"\"Order lost.\"\"\"

        class Orders:
            def __init__(self, obs: Observability) -> None:
                self.log = obs.log

            def lost(self, error: Exception) -> None:
                self.log.failure(LOST, error, oder_id="ord_1")
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def ready(obs: Observability, **fields) -> None:
            obs.log.event(s.INSTANCE_READY, **fields)
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def _told(obs: Observability, **fields) -> None:
            obs.log.event(s.INSTANCE_READY, **fields)

        def ready(obs: Observability) -> None:
            _told(obs, boot_second=1.5)
        """,
    )

    def check(self, use: EventCall, file: File) -> Iterator[Problem]:
        """Compare with the declaration, where that is known whole."""
        signal = use.value.signal
        if signal is None or signal.kind != "LogEvent" or not signal.is_whole:
            return
        given = use.arguments
        for name, value in given.named:
            if name not in signal.fields:
                yield Problem(use.where(value), _undeclared(signal, name))
        for each in given.unclear:
            names = file.handed_on(each, use.scope)
            if names is None:
                yield Problem(each, f"it cannot be told which fields {signal.name!r} is given; write them out")
            for name in sorted((names or frozenset()) - signal.fields):
                yield Problem(each, _undeclared(signal, name))
        missing = signal.required - {name for name, _ in given.named}
        if missing and not use.is_partial and not given.unclear:
            listed = ", ".join(repr(name) for name in sorted(missing))
            yield Problem(use.node, f"{signal.name!r} needs {listed}; hand it over, or give it a default in the declaration")


def _undeclared(signal: Signal, name: str) -> str:
    return f"{signal.name!r} does not declare {name!r}, so it is dropped{nearest(name, signal.fields)}"
