"""OBS201: a log message that is put together at runtime."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from obslib.lint.rule import Problem, Repair, Rule
from obslib.lint.scope import Scope
from obslib.lint.uses import File, LogCall
from obslib.lint.value import Kind

__all__ = ["FormattedMessage"]

_MADE_TEXT = frozenset({"builtins.str", "builtins.repr", "builtins.ascii", "builtins.format", "json.dumps"})
_OWN_WORDS = {ord("s"): "%s", ord("r"): "%r", ord("a"): "%a"}


class FormattedMessage(Rule[LogCall]):
    """A log message is put together at runtime instead of being constant.

    Why: lines of the same event no longer have the same message, so nobody can count, group or alert on them, and the values
    in the text cannot be searched as fields. What is formatted into the text also escapes the checks of field names, which
    know that ``password=`` holds a secret.

    Fix: keep the message constant and hand the values over as fields: ``log.info("order placed", order_id=order_id)``. With
    the standard library's logging, ``log.info("order %s placed", order_id)`` is fine, since its message stays constant;
    ``obs.log`` has fields for that. What plain libraries write with the standard library's logging is left alone: the rule
    looks at that in components only.
    """

    code = "OBS201"
    name = "formatted-message"
    on = LogCall
    good: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability

        def placed(obs: Observability, order: str) -> None:
            obs.log.info("order placed", order_id=order)
        """,
        """
        import logging
        import obslib

        logging.getLogger(__name__).info("order %s placed", "o1")
        """,
        """
        import structlog

        log = structlog.get_logger()
        log.info("a long message "
                 "in two constant parts")
        log.info(f"an f-string without anything in it")
        """,
        """
        import structlog

        PREFIX = "order "
        structlog.get_logger().warning(PREFIX + "placed")
        """,
        """
        import logging

        def told(self, message: str) -> None:
            logging.getLogger("shop").info(f"told {message}")
        """,
        """
        from functools import partial
        from obslib import Observability

        def wire(obs: Observability) -> None:
            warn = partial(obs.log.warn, "stock is low")
            [warn(article=each) for each in ("a", "b")]
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability

        def placed(obs: Observability, order: str) -> None:
            obs.log.info(f"order {order} placed")
        """,
        """
        import logging as stdlib
        import obslib

        def placed(order):
            stdlib.warning("order %s placed" % order)
        """,
        """
        from structlog import get_logger as logger_of

        log = logger_of("shop")

        def placed(order):
            message = "order {} placed".format(order)
            log.bind(order_id=order).info(message)
        """,
        """
        import obslib

        class Shop:
            def __init__(self, obs: obslib.Observability) -> None:
                self._log = obs.log

            def placed(self, order: str) -> None:
                self._log.info("order " + order)
        """,
        """
        from functools import partial
        from obslib import Observability

        def wire(obs: Observability, name: str):
            return partial(obs.log.warn, f"{name} is low")
        """,
        """
        from obslib import Observability

        def placed(obs: Observability, orders) -> None:
            [obs.log.info("order %s placed", order) for order in orders]
        """,
        """
        import logging
        import obslib

        def refused(error: Exception) -> None:
            def later() -> None:
                logging.getLogger().error(str(error), exc_info=error)
            later()
        """,
        """
        import structlog

        def said(*words: str) -> None:
            structlog.get_logger().info(" ".join(words) if words else "nothing")
        """,
        """
        from obslib import Observability

        def told(obs: Observability, template, order) -> None:
            obs.log.info(template % order)
            obs.log.info(repr(order))
        """,
    )

    def check(self, use: LogCall, file: File) -> Iterator[Problem]:
        """Look at the message, through the names it was given before."""
        if use.message is None or (use.logger.kind is Kind.STDLIB_LOG and not file.is_component):
            return
        how = next((how for each, scope in file.written(use.message, use.scope) if (how := _formatting(each, scope, file))), "")
        if how:
            yield Problem(
                use.message,
                f"the message is {how}; keep it constant and hand the values over as fields, "
                'as in info("order placed", order_id=order_id)',
                _repairs(use, file),
            )
        elif use.logger.kind is Kind.LOG and len(use.arguments.positional) > _place(use) + 1:
            yield Problem(
                use.arguments.positional[_place(use) + 1],
                "values are formatted into the message by their place; hand them over as fields, where they can be searched",
            )


def _place(use: LogCall) -> int:
    return 1 if use.level == "log" else 0


def _formatting(node: ast.expr, scope: Scope, file: File) -> str:
    """How the expression puts a text together; empty when it is constant, or nothing is known of it."""
    match node:
        case ast.JoinedStr(values=parts):
            return "an f-string" if any(isinstance(part, ast.FormattedValue) for part in parts) else ""
        case ast.BinOp(op=ast.Mod()):
            return "formatted by %"
        case ast.IfExp(body=body, orelse=orelse):
            return _formatting(body, scope, file) or _formatting(orelse, scope, file)
        case ast.BoolOp(values=values):
            return next((how for each in values if (how := _formatting(each, scope, file))), "")
        case ast.Call(func=ast.Attribute(attr="format" | "format_map" | "join" as name)):
            return f"built by .{name}()"
    value = file.value(node, scope)
    if value.kind is Kind.TEXT:
        return ""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return "put together by +"
    if value.kind is Kind.EXCEPTION:
        return "an exception"
    if value.kind is Kind.TAINTED:
        return f"text from {value.taint}"
    is_made = isinstance(node, ast.Call) and bool(node.args) and file.value(node.func, scope).name in _MADE_TEXT
    return "a value made into text" if is_made else ""


def _repairs(use: LogCall, file: File) -> tuple[Repair, ...]:
    """For the standard library's logger: the same text with its values behind it, where the line says the same."""
    message, given = use.message, use.arguments
    is_last = given.positional[_place(use) :] == (message,) and not given.unclear
    if use.logger.kind is not Kind.STDLIB_LOG or message is None or not is_last or message.lineno != message.end_lineno:
        return ()
    match message:
        case ast.BinOp(op=ast.Mod(), left=ast.Constant(value=str()) as left, right=ast.Tuple(elts=values)) if values:
            if not any(isinstance(value, ast.Starred) for value in values):
                return (Repair(node=message, text=", ".join(map(file.source, (left, *values)))),)
        case ast.JoinedStr(values=parts):
            template = "".join(map(_template, parts))
            values = [part.value for part in parts if isinstance(part, ast.FormattedValue)]
            if all(map(_is_certain, parts)):
                return (Repair(node=message, text=", ".join((_quoted(template), *map(ast.unparse, values)))),)
    return ()


def _is_certain(part: ast.expr) -> bool:
    """``{x!s}`` and ``{x!r}`` are what %s and %r give; ``{x}`` is whatever x makes of it."""
    return not isinstance(part, ast.FormattedValue) or (part.conversion in _OWN_WORDS and part.format_spec is None)


def _template(part: ast.expr) -> str:
    if isinstance(part, ast.FormattedValue):
        return _OWN_WORDS.get(part.conversion, "%s")
    return str(part.value).replace("%", "%%") if isinstance(part, ast.Constant) else ""


def _quoted(text: str) -> str:
    return f'"{text}"' if text.isprintable() and not {'"', "\\"}.intersection(text) else repr(text)
