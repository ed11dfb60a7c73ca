"""The globals of a Python process, taken over once and given back.

Root logging, warnings, the excepthooks and OpenTelemetry's tracer provider exist once per process. One
Observability may adopt them; a second is refused, and ``restore`` puts back what was there. Because
OpenTelemetry lets its global provider be set only once, it is set to a provider of ours that delegates
to whoever adopts, so that a process can stop and start again.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any

from opentelemetry import trace
from opentelemetry.util.types import Attributes

from obslib.errors import AlreadyAdopted

__all__ = ["Adoption"]

Report = Callable[[str, BaseException], None]
"""Writes one error line for an exception nobody caught."""


class Adoption:
    """The process's globals while one Observability owns them; raises AlreadyAdopted for a second owner."""

    _lock = threading.Lock()
    _owner: str | None = None

    def __init__(self, component: str, *, handler: logging.Handler, provider: trace.TracerProvider, report: Report) -> None:
        with Adoption._lock:
            if Adoption._owner is not None:
                instead = "pass that one on" if Adoption._owner == component else f"use its component({component!r})"
                raise AlreadyAdopted(
                    f"this process is already adopted by {Adoption._owner!r}; close() that one first, "
                    f"{instead}, or pass adopt_process=False"
                )
            Adoption._owner = component
        root = logging.getLogger()
        self._handlers, self._level = root.handlers[:], root.level
        root.handlers[:] = [handler]
        root.setLevel(handler.level)
        logging.captureWarnings(True)
        self._excepthook, self._threading_hook = sys.excepthook, threading.excepthook
        self._unraisable_hook = sys.unraisablehook
        self._report = report
        sys.excepthook = self._uncaught
        threading.excepthook = self._uncaught_in_thread
        sys.unraisablehook = self._unraisable
        _PROVIDER.delegate = provider
        if trace._TRACER_PROVIDER is None:
            trace.set_tracer_provider(_PROVIDER)

    def restore(self, told: BaseException | None = None) -> None:
        """Give every global back as it was found.

        ``told`` is an exception that is on its way out of the process and has its line already: the interpreter's
        traceback of it would show on standard error what the line has redacted, so that one alone stays quiet.
        """
        root = logging.getLogger()
        root.handlers[:] = self._handlers
        root.setLevel(self._level)
        logging.captureWarnings(False)
        threading.excepthook = self._threading_hook
        sys.excepthook = self._excepthook if told is None else _quiet_about(told, self._excepthook)
        sys.unraisablehook = self._unraisable_hook
        _PROVIDER.delegate = None
        with Adoption._lock:
            Adoption._owner = None

    def _uncaught(self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            self._excepthook(kind, error, traceback)
        else:
            self._report("uncaught exception", error)

    def _uncaught_in_thread(self, arguments: threading.ExceptHookArgs) -> None:
        if arguments.exc_value is not None and not isinstance(arguments.exc_value, SystemExit):
            self._report("uncaught exception in a thread", arguments.exc_value)

    def _unraisable(self, unraisable: Any) -> None:
        if isinstance(unraisable.exc_value, BaseException):
            self._report("exception that could not be raised", unraisable.exc_value)


def _quiet_about(told: BaseException, hook: Callable[..., object]) -> Callable[..., object]:
    def quiet(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        if error is not told:
            hook(kind, error, traceback)

    return quiet


class _DelegatingProvider(trace.TracerProvider):
    """OpenTelemetry's global provider for the life of the process; spans go to whoever adopts it."""

    delegate: trace.TracerProvider | None = None

    def get_tracer(
        self,
        instrumenting_module_name: str,
        instrumenting_library_version: str | None = None,
        schema_url: str | None = None,
        attributes: Attributes | None = None,
    ) -> trace.Tracer:
        return _DelegatingTracer(self, (instrumenting_module_name, instrumenting_library_version, schema_url, attributes))


class _DelegatingTracer(trace.Tracer):
    """A tracer that looks its provider up at each span, because libraries keep tracers across a restart."""

    def __init__(self, provider: _DelegatingProvider, arguments: tuple[Any, ...]) -> None:
        self._provider = provider
        self._arguments = arguments
        self._nothing = trace.NoOpTracer()

    def start_span(self, *args: Any, **kwargs: Any) -> trace.Span:
        return self._tracer().start_span(*args, **kwargs)

    def start_as_current_span(self, *args: Any, **kwargs: Any) -> Any:
        return self._tracer().start_as_current_span(*args, **kwargs)

    def _tracer(self) -> trace.Tracer:
        delegate = self._provider.delegate
        return self._nothing if delegate is None else delegate.get_tracer(*self._arguments)


_PROVIDER = _DelegatingProvider()
