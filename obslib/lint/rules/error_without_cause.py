"""OBS205: a line at level error that does not say what went wrong."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from obslib.lint.rule import Problem, Rule
from obslib.lint.scope import Scope
from obslib.lint.uses import File, Function, LogCall
from obslib.lint.value import Kind, Taint, Value

__all__ = ["ErrorWithoutCause"]

_ERRORS = frozenset({"error", "critical", "fatal", "aerror", "acritical", "afatal"})
_EXCEPTIONS = frozenset({"exception", "aexception"})
_LEVELS = ("logging.ERROR", "logging.CRITICAL", "logging.FATAL")
_CAUSES = frozenset({"exc_info", "exception", "error", "error_class"})
_AS_IT_LEAVES = frozenset({"__exit__", "__aexit__"})


class ErrorWithoutCause(Rule[LogCall]):
    """A line at level error carries neither an exception nor an error class.

    Why: every error line has a class that alerts, retries and the error budget go by. Without an exception the class is
    ``internal``, the line counts as a defect of ours, and whoever is woken by it has no traceback and no cause.

    Fix: hand over the exception, ``log.error("order failed", error=error)``, or write the line where it is handled. A failure
    without an exception names its class: ``error_class=ErrorClass.DEPENDENCY``. What is no failure is a warning.
    ``exception()`` belongs into an ``except`` block. Of the standard library's logging, the rule looks at lines of components.
    """

    code = "OBS205"
    name = "error-without-cause"
    on = LogCall
    good: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability

        def place(obs: Observability) -> None:
            try:
                raise OSError
            except OSError as error:
                obs.log.error("order failed", error=error)
            try:
                raise OSError
            except OSError:
                obs.log.exception("order failed again")
        """,
        """
        from obslib import ErrorClass, Observability

        def refused(obs: Observability) -> None:
            obs.log.error("payment refused", error_class=ErrorClass.DEPENDENCY)
        """,
        """
        import structlog as log_of

        log = log_of.get_logger()

        def finished(task) -> None:
            log.error("task failed", exc_info=task.exception())
        """,
        """
        import logging
        import obslib

        def failed(error: Exception) -> None:
            logging.getLogger().error("order failed: %s", error)
        """,
        """
        from functools import partial
        from obslib import Observability

        class Orders:
            def __init__(self, obs: Observability) -> None:
                self._fail = partial(obs.log.error, "order failed")
                self._log = obs.log

            def place(self) -> None:
                try:
                    raise OSError
                except OSError as error:
                    self._fail(error=error)
                    self._told()

            def _told(self) -> None:
                self._log.error("the order is lost")
        """,
        """
        import logging

        def refused() -> None:
            logging.getLogger("plain").error("no component, no classes")
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability

        def place(obs: Observability) -> None:
            obs.log.error("order failed", attempt=3)
        """,
        """
        import structlog as log_of

        log_of.get_logger().critical("the shop is on fire")
        """,
        """
        import logging as stdlib
        import obslib

        def place() -> None:
            stdlib.getLogger(__name__).error("order failed")
            stdlib.log(stdlib.ERROR, "order failed")
        """,
        """
        from functools import partial
        from obslib import Observability

        class Orders:
            def __init__(self, obs: Observability) -> None:
                self._fail = partial(obs.log.bind(attempt=1).error, "order failed")

            def lost(self, orders) -> None:
                [self._fail(order_id=order) for order in orders]
        """,
        """
        from obslib import Observability

        def place(obs: Observability) -> None:
            obs.log.exception("nothing is being handled here")
        """,
        """
        from obslib import Observability

        def place(obs: Observability) -> None:
            try:
                raise OSError
            except OSError:
                def later() -> None:
                    obs.log.error("order failed", **{"exc_info": False})
                return later
        """,
        """
        from obslib import Observability

        def refused(obs: Observability, error: Exception) -> None:
            obs.log.error("order failed", error=str(error))
        """,
    )

    def check(self, use: LogCall, file: File) -> Iterator[Problem]:
        """Look for the cause in the call, around it, and around the calls of its function."""
        is_exception = use.level in _EXCEPTIONS
        if not (is_exception or _is_error(use, file)) or (use.logger.kind is Kind.STDLIB_LOG and not file.is_component):
            return
        if use.is_partial or _names_cause(use, file) or use.site.caught is not None or _handles(use.scope, file):
            return
        if is_exception:
            yield Problem(use.node, "no exception is being handled here; hand one over with error=, or log in the except block")
        else:
            yield Problem(
                use.node,
                "a line at level error without its cause; hand over the exception with error=, or name its error_class=, "
                "or make it a warning",
            )


def _is_error(use: LogCall, file: File) -> bool:
    level = use.arguments.get("level", 0) if use.level == "log" else None
    return use.level in _ERRORS or (level is not None and file.value(level, use.scope).name in _LEVELS)


def _names_cause(use: LogCall, file: File) -> bool:
    given = use.arguments
    if given.unclear:
        return True
    if any(name in _CAUSES and _is_cause(name, value, use, file) for name, value in given.named):
        return True
    return use.logger.kind is not Kind.LOG and any(
        _tells_exception(file.value(each, use.scope)) for each in (*given.positional, *(value for _, value in given.named))
    )


def _is_cause(name: str, node: ast.expr, use: LogCall, file: File) -> bool:
    if isinstance(node, ast.Constant) and not node.value:
        return False
    value = file.value(node, use.scope)
    is_mere_text = value.kind in {Kind.TEXT, Kind.TAINTED} and name == "error"
    return not (is_mere_text and use.logger.kind is Kind.LOG)


def _tells_exception(value: Value) -> bool:
    return value.kind is Kind.EXCEPTION or value.taint is Taint.EXCEPTION


def _handles(scope: Scope, file: File) -> bool:
    """Whether the function around runs while an exception is handled: on the way out of a block, or called there."""
    function = scope.function
    node = None if function is None else function.node
    if not isinstance(node, Function):
        return False
    return node.name in _AS_IT_LEAVES or any(
        site.caught is not None and isinstance(site.node, ast.Call) and _last(site.node.func) == node.name
        for site in file.module.survey.sites
    )


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
