"""From a call to one line of strict JSON in the sink, without ever raising into the component (LOG-01).

The way is fused on purpose: what is bound is rendered once per binding, a message once per text, a combination of
field names is judged once, and the values of a call are proven clean together. Only a line with something unusual
in it goes the long way, field by field.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import cast

import orjson

from obslib.catalog import Catalog, LogEvent
from obslib.classify import Classifier
from obslib.clock import Clock
from obslib.context import current
from obslib.guard import Guard
from obslib.ids import is_id
from obslib.logs.admission import Admission
from obslib.logs.binding import Binding, ContextRenderer, Rendered, members
from obslib.logs.declared import EventPlans
from obslib.logs.failure import FailureReader, error_in, given
from obslib.logs.stamp import Stamp
from obslib.redaction import Redactor
from obslib.sinks import MemorySink, Sink, StreamSink

__all__ = ["LEVELS", "LogPipeline"]

LEVELS = ("debug", "info", "warn", "error")
"""Lowest first."""

_NUMBERS = frozenset({int, float, bool, type(None)})
_LONGEST_QUICK = 8_192
_LONGEST_MESSAGE = 16_384
_LONGEST_KEPT_MESSAGE = 256
_MOST_MESSAGES = 2_048
_LONGEST_KEPT_VALUE = 64
_MOST_VALUES = 4_096
_DEEPEST = 3


class _Nesting(threading.local):
    depth = 0
    is_in_sink = False


class LogPipeline:
    """Everything that the loggers of one component share.

    ``constant`` fields stand in every line. ``trace_ids`` gives the current trace and span id in hex, or empty
    strings. ``level`` is the lowest that is written. With ``console``, lines are rendered for a person instead.
    Raises UnknownSignal for a component the catalog does not have and ValueError for an unknown level.
    """

    def __init__(
        self,
        *,
        catalog: Catalog,
        component: str,
        constant: Mapping[str, str],
        sink: Sink,
        redactor: Redactor,
        clock: Clock,
        guard: Guard,
        level: str,
        trace_ids: Callable[[], tuple[str, str]],
        classifier: Classifier,
        console: bool = False,
    ) -> None:
        catalog.component(component)
        if level not in LEVELS:
            raise ValueError(f"log level {level!r} is unknown; use one of {', '.join(LEVELS)}")
        self.level = level
        self._guard = guard
        self._redactor = redactor
        self._is_clean = redactor.is_clean
        self._trace_ids = trace_ids
        self._stamp = Stamp(clock)
        self._admission = Admission(fields=catalog.fields, constant=constant.keys(), redactor=redactor, guard=guard)
        self._context = ContextRenderer(constant=constant, admission=self._admission, redactor=redactor, guard=guard)
        self._failures = FailureReader(classifier, redactor, guard)
        self._plans = EventPlans(catalog, component, redactor=redactor, guard=guard)
        who = f'","component":{orjson.dumps(component).decode()},"msg":'
        self._heads = {name: f'","level":"{name}{who}' for name in LEVELS}
        self._constant = members(constant)
        self._messages: dict[str, str] = {}
        self._clean_values: set[str] = set()
        self._nesting = _Nesting()
        self._offer = self._way_out(sink, console)
        redactor.on_register(self._forget)

    def is_enabled(self, level: str) -> bool:
        """Whether lines of this level are written."""
        return LEVELS.index(level) >= LEVELS.index(self.level)

    def write(self, level: str, binding: Binding, msg: object, fields: dict[str, object]) -> None:
        """Write one free-text line below level error; ``fields`` is taken over. Never raises."""
        try:
            message = self._messages.get(msg) if type(msg) is str else None
            if message is None:
                message = self._message(msg)
            context = binding.last
            if context.ambient is not current() or context.epoch is not self._context.epoch:
                context = self._context(binding)
            own = self._quick(context, fields) if fields else ""
            if own is None:
                self._write_in_full(level, message, context, fields, msg)
            else:
                self._finish(level, message, context.request, context.members, own)
        except Exception as trouble:
            self._guard.note("logs", trouble)

    def write_failure(self, binding: Binding, msg: object, fields: dict[str, object]) -> None:
        """Write one free-text line at level error, with its error fields; ``fields`` is taken over. Never raises."""
        try:
            self._write_in_full("error", self._message(msg), self._context(binding), fields, msg)
        except Exception as trouble:
            self._guard.note("logs", trouble)

    def write_event(
        self,
        declaration: LogEvent[...],
        binding: Binding,
        fields: dict[str, object],
        error: BaseException | None = None,
    ) -> None:
        """Write a declared event; fields it does not declare are dropped and counted. Never raises."""
        try:
            plan = self._plans.plan(declaration)
            if not self.is_enabled(plan.level):
                return
            if not fields.keys() <= plan.names:
                fields = self._plans.declared(plan, fields)
            context = self._context(binding)
            is_failure = error is not None or plan.level == "error"
            own = "" if is_failure or not fields else self._quick(context, fields)
            if is_failure or own is None:
                self._write_in_full(plan.level, plan.message, context, fields, plan.help, error)
            else:
                self._finish(plan.level, plan.message, context.request, context.members, own)
        except Exception as trouble:
            self._guard.note("logs", trouble)

    def formatted(self, template: object, args: tuple[object, ...]) -> object:
        """``template % args`` as ``logging`` does it; the template alone when they do not fit. Never raises.

        Arguments that do not fit are not shown: apart from their place in the sentence nothing says what they are.
        """
        if not self._enter():
            return template
        try:
            return str(template) % (args[0] if len(args) == 1 and isinstance(args[0], Mapping) else args)
        except Exception as trouble:
            self._guard.note("logs", trouble)
            return template
        finally:
            self._nesting.depth -= 1

    def _enter(self) -> bool:
        """Whether code that may itself log can be run; False when logging has led back into logging too often."""
        nesting = self._nesting
        if nesting.depth >= _DEEPEST:
            self._guard.note("logs", "a line was cut short: writing it led back into logging")
            return False
        nesting.depth += 1
        return True

    def _forget(self) -> None:
        """Prove everything anew, because what counts as a secret has changed."""
        self._messages.clear()
        self._clean_values.clear()
        self._failures.forget()
        self._context.forget()

    def _quick(self, context: Rendered, fields: dict[str, object]) -> str | None:
        """The members of a line whose values are plain and provably clean; None when it must go the long way."""
        names = tuple(fields)
        try:
            shape = context.shapes[names]
        except KeyError:
            shape = self._context.fit(context, names)
        if shape is None:
            return None
        ids = ""
        if shape.ids:
            for name, prefix, opening in shape.ids:
                value = fields[name]
                if type(value) is not str or not is_id(value, prefix):
                    return None
                ids += f'{opening}{value}"'
            fields = {name: fields[name] for name in shape.others}
        clean = self._clean_values
        unknown = {}
        for name, value in fields.items():
            kind = type(value)
            if kind is str:
                if value not in clean:
                    unknown[name] = cast(str, value)
            elif kind not in _NUMBERS:
                return None
        try:
            if unknown and not self._cleans(unknown, fields):
                return None
            return f"{ids},{orjson.dumps(fields).decode()[1:-1]}" if fields else ids
        except (UnicodeEncodeError, orjson.JSONEncodeError):
            return None

    def _cleans(self, unknown: dict[str, str], fields: dict[str, object]) -> bool:
        """Prove these values clean, or else clean them in ``fields``; False when they are too long for that.

        The short ones that needed nothing are remembered, since most values come again.
        """
        joined = "|".join(unknown.values())
        if len(joined) > _LONGEST_QUICK:
            return False
        if not self._is_clean(joined):
            for name, value in list(unknown.items()):
                text = self._redactor.text(value)
                if text != value:
                    fields[name] = text
                    del unknown[name]
        if len(self._clean_values) >= _MOST_VALUES:
            self._clean_values.clear()
        self._clean_values.update(text for text in unknown.values() if len(text) <= _LONGEST_KEPT_VALUE)
        return True

    def _write_in_full(
        self,
        level: str,
        message: str,
        context: Rendered,
        fields: dict[str, object],
        msg: object,
        error: BaseException | None = None,
    ) -> None:
        if not self._enter():
            return
        try:
            error = error or error_in(fields, level)
            fields.pop("exc_info", None)
            values = context.values | self._admission.admit(fields)
            if error is not None:
                values |= self._failures.fields(error) | given(fields, values)
            elif level == "error":
                values |= self._failures.fields_without_exception(msg, given(fields, values))
            own = members(values)
        finally:
            self._nesting.depth -= 1
        self._finish(level, message, context.request, self._constant, own)

    def _message(self, msg: object) -> str:
        """The message, redacted and rendered; kept when it is short and needed no redaction."""
        if type(msg) is str:
            kept = self._messages.get(msg)
            return self._new_message(msg) if kept is None else kept
        value: object = None
        if self._enter():
            try:
                value = self._redactor.value(msg)
            finally:
                self._nesting.depth -= 1
        return orjson.dumps(value if type(value) is str else orjson.dumps(value).decode()).decode()

    def _new_message(self, msg: str) -> str:
        clean = self._redactor.text(msg)
        rendered = orjson.dumps(clean if len(clean) <= _LONGEST_MESSAGE else clean[:_LONGEST_MESSAGE] + "…").decode()
        if clean == msg and len(msg) <= _LONGEST_KEPT_MESSAGE:
            if len(self._messages) >= _MOST_MESSAGES:
                self._messages.clear()
            self._messages[msg] = rendered
        return rendered

    def _finish(self, level: str, message: str, request: str, bound: str, own: str) -> None:
        trace_id, span_id = self._trace_ids()
        span = f'","span_id":"{span_id}"' if span_id else '"'
        self._offer(
            f'{{"timestamp":"{self._stamp()}{self._heads[level]}{message}{request}'
            f',"trace_id":"{trace_id}{span}{bound}{own}}}'.encode()
        )

    def _way_out(self, sink: Sink, console: bool) -> Callable[[bytes], object]:
        offer: Callable[[bytes], object] = sink.offer
        if console:
            from obslib.logs.console import ConsoleFormat

            render = ConsoleFormat()
            own = offer
            offer = lambda line: own(render(line))  # noqa: E731 - a second name would say no more
        return offer if isinstance(sink, (StreamSink, MemorySink)) else self._guarded(offer)

    def _guarded(self, offer: Callable[[bytes], object]) -> Callable[[bytes], object]:
        """For a sink that may itself log: what it logs meanwhile in this thread is dropped and counted."""
        nesting, note = self._nesting, self._guard.note

        def offer_once(line: bytes) -> None:
            if nesting.is_in_sink:
                note("logs", "a line was dropped: the sink logged while it took a line")
                return
            nesting.is_in_sink = True
            try:
                offer(line)
            finally:
                nesting.is_in_sink = False

        return offer_once
