"""The logger a component holds: structlog's verbs over the pipeline.

Levels below the pipeline's are methods of a subclass that do nothing, so that a filtered call costs one empty call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ParamSpec

from obslib.catalog import LogEvent
from obslib.logs.binding import Binding
from obslib.logs.pipeline import LogPipeline

__all__ = ["Logger", "logger"]

P = ParamSpec("P")


class Logger:
    """Writes lines with the fields bound to it; get one from ``obslib.start()``, never make one.

    No method raises and none blocks. ``error=<exception>`` or ``exc_info=`` adds the exception at any level.
    """

    __slots__ = ("_binding", "_pipeline")

    def __init__(self, pipeline: LogPipeline, fields: Mapping[str, object]) -> None:
        self._pipeline = pipeline
        self._binding = Binding(fields)

    def debug(self, msg: object, /, *args: object, **fields: object) -> None:
        """Write a line for someone who is looking closely; ``args`` fill ``%s`` in ``msg``."""
        self._pipeline.write("debug", self._binding, self._pipeline.formatted(msg, args) if args else msg, fields)

    def info(self, msg: object, /, *args: object, **fields: object) -> None:
        """Write a line about something that happened as it should."""
        self._pipeline.write("info", self._binding, self._pipeline.formatted(msg, args) if args else msg, fields)

    def warn(self, msg: object, /, *args: object, **fields: object) -> None:
        """Write a line about something that someone should look at."""
        self._pipeline.write("warn", self._binding, self._pipeline.formatted(msg, args) if args else msg, fields)

    def warning(self, msg: object, /, *args: object, **fields: object) -> None:
        """Write as ``warn`` does."""
        self._pipeline.write("warn", self._binding, self._pipeline.formatted(msg, args) if args else msg, fields)

    def error(self, msg: object, /, *args: object, **fields: object) -> None:
        """Write a line about a failure, with ``error_class``, ``error_message`` and ``retryable`` (LOG-08, LOG-09).

        They come from ``error=``, ``exc_info=`` or the exception being handled; without one the class is
        ``internal``, or the ``error_class=`` given, and the lack is counted.
        """
        self._pipeline.write_failure(self._binding, self._pipeline.formatted(msg, args) if args else msg, fields)

    def exception(self, msg: object, /, *args: object, **fields: object) -> None:
        """Write as ``error`` does; the name says that an exception is being handled."""
        self._pipeline.write_failure(self._binding, self._pipeline.formatted(msg, args) if args else msg, fields)

    def event(self, declaration: LogEvent[P], /, *args: P.args, **fields: P.kwargs) -> None:
        """Write a declared event, at its own level, with its own message."""
        self._pipeline.write_event(declaration, self._binding, fields)

    def failure(self, declaration: LogEvent[P], error: BaseException | None, /, *args: P.args, **fields: P.kwargs) -> None:
        """Write a declared event about ``error``; with None, about the exception being handled."""
        self._pipeline.write_event(declaration, self._binding, fields, error)

    def bind(self, **fields: object) -> Logger:
        """Make a logger that adds these fields to every line; the given values win over those bound before."""
        return type(self)(self._pipeline, {**self._binding.fields, **fields})

    def new(self, **fields: object) -> Logger:
        """Make a logger with these fields alone."""
        return type(self)(self._pipeline, fields)

    def unbind(self, *names: str) -> Logger:
        """Make a logger without these fields; one that is not bound is no error."""
        return type(self)(self._pipeline, {k: v for k, v in self._binding.fields.items() if k not in names})

    try_unbind = unbind


def _nothing(self: Logger, msg: object, /, *args: object, **fields: object) -> None:
    """Do nothing: the level is not written."""


class _FromInfo(Logger):
    __slots__ = ()
    debug = _nothing


class _FromWarn(_FromInfo):
    __slots__ = ()
    info = _nothing


class _FromError(_FromWarn):
    __slots__ = ()
    warn = warning = _nothing


_KINDS: Mapping[str, type[Logger]] = {"debug": Logger, "info": _FromInfo, "warn": _FromWarn, "error": _FromError}


def logger(pipeline: LogPipeline, **fields: object) -> Logger:
    """Make a logger for ``pipeline`` that ignores the levels it does not write."""
    return _KINDS[pipeline.level](pipeline, fields)
