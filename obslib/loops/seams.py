"""What loops and operations need of logs, metrics and traces.

A loop is where the signals meet, so it speaks to all of them, through these seams: the rooms stay
exchangeable, and a test hands in three small fakes.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import Any, ParamSpec, Protocol, Self

from obslib.catalog.signals import LogEvent, SpanKind

__all__ = ["BoundSpan", "Families", "OpenSpan", "Record", "Spans"]

P = ParamSpec("P")


class Record(Protocol):
    """Writes declared events; obslib.logs.Logger does."""

    def event(self, declaration: LogEvent[...], /, **fields: Any) -> None:
        """Write one line."""
        ...

    def failure(self, declaration: LogEvent[...], error: BaseException, /, **fields: Any) -> None:
        """Write one line about ``error``, with its class."""
        ...


class Families(Protocol):
    """Binds metric families; obslib.metrics.Registry does.

    ``Any``, because a loop finds its families in the declaration and fills their labels by name: there is no
    signature to carry.
    """

    def __getitem__(self, declaration: Any, /) -> Any:
        """The family, ready for ``labels(...)`` or ``callback(...)``."""
        ...


class OpenSpan(Protocol):
    """A span, used as a context manager."""

    def set(self, **attributes: Any) -> None:
        """Attach declared attributes."""
        ...

    def link_to(self, traceparents: Sequence[str], /) -> None:
        """Point at traces that turn out to have caused it."""
        ...

    def fail(self, error: BaseException | None = None) -> None:
        """Mark it failed."""
        ...

    def __enter__(self) -> Self:
        """Make it current."""
        ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        """End it."""
        ...


class BoundSpan(Protocol[P]):
    """A declared span, ready to be opened many times."""

    def __call__(self, *_: P.args, **attributes: P.kwargs) -> OpenSpan:
        """Make one span; it begins when entered."""
        ...

    def under(self, parent: str, /) -> BoundSpan[P]:
        """The same below a remote parent; an empty header begins a new trace."""
        ...

    def linked(self, traceparents: Sequence[str], /) -> BoundSpan[P]:
        """The same with links to the traces that caused it."""
        ...


class Spans(Protocol):
    """Binds declared spans; obslib.traces.Tracing does."""

    def span(self, kind: SpanKind[P], /) -> BoundSpan[P]:
        """The span, ready to be opened."""
        ...
