"""What a line says about an exception (LOG-08, LOG-09).

Frames are read by walking the traceback; source files are never opened, which is where the time of formatting
goes. Everything an exception says about itself is hostile until redacted: messages, notes, even file names.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import TracebackType
from typing import cast

from obslib.classify import Classifier
from obslib.errors import ErrorClass
from obslib.guard import Guard
from obslib.redaction import Redactor

__all__ = ["FailureReader", "error_in", "given"]

_LONGEST_MESSAGE = 1_024
_LONGEST_CODE = 64
_MOST_FRAMES = 50
_DEEPEST_CAUSE = 8
_MOST_GROUPED = 8
_MOST_NAMES = 4_096
_CLASSES = frozenset(member.value for member in ErrorClass)


class FailureReader:
    """Turns an exception into error fields and an ``exception`` object."""

    def __init__(self, classifier: Classifier, redactor: Redactor, guard: Guard) -> None:
        self._guard = guard
        self._classifier = classifier
        self._redactor = redactor
        self._names: dict[str, str] = {}

    def fields(self, error: BaseException) -> dict[str, object]:
        """``error_class``, ``error_message`` (redacted, at most 1 024 characters), ``retryable``, ``exception``.

        ``exception`` has type, message, frames (outermost first, the innermost 50) and, nested, what caused it.
        ``error_code`` joins them where the error has one.
        """
        try:
            error_class = self._classifier.error_class(error)
            is_retryable = self._classifier.is_retryable(error)
        except Exception:
            error_class, is_retryable = ErrorClass.INTERNAL, False
        exception = self._exception(error, set(), 0)
        found: dict[str, object] = {
            "error_class": error_class.value,
            "error_message": exception["message"],
            "retryable": is_retryable,
            "exception": exception,
        }
        code = _attribute(error, "error_code") or _attribute(error, "sqlstate")
        if isinstance(code, (str, int)) and not isinstance(code, bool):
            found["error_code"] = self._redactor.text(str(code))[:_LONGEST_CODE]
        return found

    def fields_without_exception(self, msg: object, named: Mapping[str, object]) -> dict[str, object]:
        """The same for a line at level error that has no exception; counted unless the caller named a class."""
        if "error_class" not in named:
            self._guard.note("no_exception", "a line at level error has no exception")
        error_class = ErrorClass(str(named.get("error_class", ErrorClass.INTERNAL)))
        return {
            "error_class": error_class.value,
            "error_message": self._sentence(msg if type(msg) is str else "unreadable message"),
            "retryable": error_class.is_retryable,
            **named,
        }

    def forget(self) -> None:
        """Redact file and function names anew, because what counts as a secret has changed."""
        self._names.clear()

    def _sentence(self, text: str) -> str:
        """``text`` as it may stand in ``error_message``."""
        clean = self._redactor.text(text)
        return clean if len(clean) <= _LONGEST_MESSAGE else clean[: _LONGEST_MESSAGE - 1] + "…"

    def _message(self, error: BaseException) -> str:
        """What the exception says, redacted and cut; its type when it says nothing or cannot."""
        try:
            text = str(error)
        except Exception:
            text = ""
        return self._sentence(text) or type(error).__name__

    def _exception(self, error: BaseException, seen: set[int], depth: int) -> dict[str, object]:
        seen.add(id(error))
        found: dict[str, object] = {"type": self._type_name(type(error)), "message": self._message(error)}
        frames, omitted = self._frames(error.__traceback__)
        found["frames"] = frames
        if omitted:
            found["frames_omitted"] = omitted
        notes = _attribute(error, "__notes__")
        if isinstance(notes, list):
            found["notes"] = [self._sentence(note) for note in notes[:_MOST_GROUPED] if isinstance(note, str)]
        if depth >= _DEEPEST_CAUSE:
            return found
        if isinstance(error, BaseExceptionGroup):
            found["exceptions"] = [
                self._exception(inner, seen, depth + 1) for inner in error.exceptions[:_MOST_GROUPED] if id(inner) not in seen
            ]
        cause, context = error.__cause__, error.__context__
        if cause is not None and id(cause) not in seen:
            found["cause"] = self._exception(cause, seen, depth + 1)
        elif context is not None and not error.__suppress_context__ and id(context) not in seen:
            found["context"] = self._exception(context, seen, depth + 1)
        return found

    def _frames(self, traceback: TracebackType | None) -> tuple[list[dict[str, object]], int]:
        links: list[TracebackType] = []
        while traceback is not None:
            links.append(traceback)
            traceback = traceback.tb_next
        kept = links[-_MOST_FRAMES:]
        return [self._frame(link) for link in kept], len(links) - len(kept)

    def _frame(self, link: TracebackType) -> dict[str, object]:
        code, known = link.tb_frame.f_code, self._names
        file, function = code.co_filename, code.co_qualname
        return {
            "file": known.get(file) or self._name(file),
            "line": link.tb_lineno,
            "function": known.get(function) or self._name(function),
        }

    def _name(self, name: str) -> str:
        """A file or function name, redacted once."""
        known = self._names.get(name)
        if known is None:
            if len(self._names) >= _MOST_NAMES:
                self._names.clear()
            known = self._names[name] = self._redactor.text(name)[:256]
        return known

    def _type_name(self, kind: type[BaseException]) -> str:
        module, name = kind.__module__, kind.__qualname__
        return self._name(name if module == "builtins" else f"{module}.{name}")


def _attribute(error: BaseException, name: str) -> object:
    try:
        return getattr(error, name, None)
    except Exception:
        return None


def error_in(fields: dict[str, object], level: str) -> BaseException | None:
    """The exception a call is about: ``error=``, ``exc_info=``, or at level error the one being handled.

    An exception given as ``error`` is taken out of ``fields``; any other value there is an ordinary field.
    """
    error = _as_error(fields.get("error"))
    if error is not None:
        del fields["error"]
        return error
    exc_info = fields.get("exc_info")
    error = _as_error(exc_info[1] if type(exc_info) is tuple and len(exc_info) == 3 else exc_info)
    if error is None and (level == "error" or exc_info is True):
        return sys.exc_info()[1]
    return error


def given(fields: Mapping[str, object], admitted: Mapping[str, object]) -> dict[str, object]:
    """The error fields the caller named, as admitted, where they are of the right form."""
    named: dict[str, object] = {}
    if "error_class" in fields and admitted.get("error_class") in _CLASSES:
        named["error_class"] = admitted["error_class"]
    if isinstance(fields.get("error_message"), str):
        named["error_message"] = str(admitted["error_message"])[:_LONGEST_MESSAGE]
    if isinstance(fields.get("retryable"), bool):
        named["retryable"] = fields["retryable"]
    return named


def _as_error(value: object) -> BaseException | None:
    """``value`` when it is an exception; asks its type, since an object may lie about its class or fail to tell."""
    return cast(BaseException, value) if issubclass(type(value), BaseException) else None
