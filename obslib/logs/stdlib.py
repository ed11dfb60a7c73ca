"""Other people's logging, in our shape (LOG-01)."""

from __future__ import annotations

import logging

from obslib.logs.binding import Binding
from obslib.logs.pipeline import LogPipeline

__all__ = ["StdlibHandler"]

_OWN = frozenset({*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName"})
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
_UNBOUND = Binding({})


class StdlibHandler(logging.Handler):
    """Turns every record of the standard library's logging into a line with a ``logger`` field.

    It holds no lock, survives records whose arguments do not fit or fail, and drops (and counts) what is logged
    while a line is being written, so that a sink or a ``__repr__`` that logs cannot recurse for ever.
    """

    def __init__(self, pipeline: LogPipeline) -> None:
        super().__init__(_LEVELS[pipeline.level])
        self._pipeline = pipeline

    def createLock(self) -> None:
        """Do without a lock: the pipeline needs none, and a forked child cannot inherit a held one."""
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        """Write the record unless a filter holds it back; a filter may give another record (3.12)."""
        kept: bool | logging.LogRecord = self.filter(record)
        if kept:
            self.emit(kept if isinstance(kept, logging.LogRecord) else record)
        return bool(kept)

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record."""
        pipeline = self._pipeline
        msg = pipeline.formatted(record.msg, _arguments(record)) if record.args else record.msg
        fields: dict[str, object] = {"logger": record.name}
        fields.update((name, value) for name, value in record.__dict__.items() if name not in _OWN)
        if record.exc_info:
            fields["exc_info"] = record.exc_info
        if record.stack_info:
            fields["stack"] = record.stack_info
        if record.levelno >= logging.ERROR:
            pipeline.write_failure(_UNBOUND, msg, fields)
        else:
            pipeline.write(_level(record.levelno), _UNBOUND, msg, fields)


def _arguments(record: logging.LogRecord) -> tuple[object, ...]:
    return record.args if isinstance(record.args, tuple) else (record.args,)


def _level(number: int) -> str:
    if number >= logging.WARNING:
        return "warn"
    return "info" if number >= logging.INFO else "debug"
