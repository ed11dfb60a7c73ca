"""What is ambient: the fields bound to the work at hand.

Only two things are ambient in obslib, this context and the current span (which OpenTelemetry keeps).
It follows tasks by itself; ``carried`` takes it into a thread or an executor.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import ParamSpec, TypeVar

__all__ = ["Ambient", "bound", "carried", "current", "scope"]

P = ParamSpec("P")
R = TypeVar("R")

_EMPTY: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ambient:
    """The fields bound here. ``request_id`` is empty outside a request and a cycle (LOG-05).

    Frozen, and one object per binding, so that a reader may cache what it rendered by identity.
    """

    request_id: str = ""
    fields: Mapping[str, object] = field(default_factory=lambda: _EMPTY)


_NOTHING = Ambient()
_ambient: contextvars.ContextVar[Ambient] = contextvars.ContextVar("obslib_ambient", default=_NOTHING)


current: Callable[[], Ambient] = _ambient.get
"""The ambient context of this task or thread."""


@contextmanager
def bound(**fields: object) -> Iterator[None]:
    """Add fields to every line written inside the block; inner values win."""
    ambient = _ambient.get()
    token = _ambient.set(replace(ambient, fields=MappingProxyType({**ambient.fields, **fields})))
    try:
        yield
    finally:
        _ambient.reset(token)


@contextmanager
def scope(request_id: str, **fields: object) -> Iterator[None]:
    """Start afresh for one request or cycle: nothing bound outside shows inside, except by ``fields``."""
    token = _ambient.set(Ambient(request_id=request_id, fields=MappingProxyType(fields)))
    try:
        yield
    finally:
        _ambient.reset(token)


def carried(function: Callable[P, R]) -> Callable[P, R]:
    """``function``, run in a copy of the context in which ``carried`` was called; for threads and executors."""
    context = contextvars.copy_context()

    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        return context.copy().run(function, *args, **kwargs)

    return call
