"""OBS202: a secret that is about to be shown."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import ClassVar

from obslib.lint.rule import Problem, Rule
from obslib.lint.secrecy import is_harmless, secret_in
from obslib.lint.uses import AttributeSet, Declared, EventCall, FieldSet, File, LabelDeclared, LabelSet, LogCall, SpanStarted
from obslib.lint.value import Kind
from obslib.redaction.names import is_plural_name, is_secret_name

__all__ = ["SecretField"]

_Shown = LogCall | EventCall | FieldSet | LabelSet | AttributeSet
_NOT_FIELDS = frozenset({"exc_info", "stack_info", "stacklevel", "error", "exception", "msg"})


class SecretField(Rule[_Shown | Declared | LabelDeclared | SpanStarted]):
    """A secret is passed to a log line, a label or a span.

    Why: telemetry is read by more people, kept longer and copied further than any secret may be. The redactor replaces what
    it recognises, by the name of the field or the shape of the value; a token under another name, or in a message, is shown
    as it is on the day its shape is new.

    Fix: leave the value out; say that there is one (``has_token=True``), or which one (``token_id=…``, a fingerprint). Keep
    secrets in ``obslib.Secret``, which shows itself as ``[redacted:typed]`` wherever it goes.
    """

    code = "OBS202"
    name = "secret-field"
    on = (LogCall, EventCall, FieldSet, LabelSet, AttributeSet, Declared, LabelDeclared, SpanStarted)
    good: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability

        def signed_in(obs: Observability, token: str) -> None:
            obs.log.info("signed in", token_id="t1", token_count=3, has_token=bool(token), is_new=token is None)
        """,
        """
        import structlog
        from obslib import Secret

        password = Secret("correct horse")
        structlog.get_logger().info("connecting", password=password)
        """,
        """
        from dataclasses import dataclass
        from obslib import Observability, Secret

        @dataclass
        class Config:
            api_key: Secret[str]

        def started(obs: Observability, config: Config) -> None:
            with obs.bind(key=config.api_key):
                obs.log.info("started")
        """,
        """
        import logging
        from enum import StrEnum

        class Auth(StrEnum):
            PASSWORD = "password"
            TOKEN = "token"

        logging.getLogger().info("signed in by %s", Auth.PASSWORD, extra={"method": Auth.TOKEN})
        """,
        """
        import structlog

        def parsed(tokens: int, secret: bool, key: str) -> None:
            structlog.get_logger().info("parsed", tokens=tokens, secret=secret, monkey=key, keyboard=key)
        """,
        """
        import hashlib
        from opentelemetry import trace

        def fingerprint(token: bytes) -> None:
            with trace.get_tracer("shop").start_as_current_span("sign-in") as span:
                span.set_attribute("fingerprint", hashlib.sha256(token).hexdigest()[:8])
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability

        def signed_in(obs: Observability, password: str) -> None:
            obs.log.info("signed in", password=password)
        """,
        """
        import structlog as log_of

        def called(request) -> None:
            log_of.get_logger().info("called", caller=request.headers["authorization"])
        """,
        """
        import os
        from obslib import Observability

        def connected(obs: Observability) -> None:
            given = os.environ.get("DB_PASSWORD", "")
            fields = {"user": "shop", "with_": given}
            obs.log.info("connected", **fields)
        """,
        """
        import logging

        class Client:
            def __init__(self, api_key: str) -> None:
                self.api_key = api_key

            def call(self) -> None:
                logging.getLogger().debug("calling with %s", self.api_key)
        """,
        """
        from functools import partial
        from obslib import Observability

        def wire(obs: Observability, config):
            return partial(obs.log.info, "calling", key=config.client_secret)
        """,
        """
        from obslib import Observability, Secret

        def started(obs: Observability, key: Secret[str]) -> None:
            [obs.log.info("started", part=part) for part in (1, 2) if obs.log.bind(opened=key.reveal())]
        """,
        """
        from opentelemetry import trace

        def call(token: str) -> None:
            def inner() -> None:
                trace.get_current_span().set_attribute("http.request.header.authorization", "Bearer " + token)
            inner()
        """,
        """
        import structlog

        def failed(dsn: str) -> None:
            structlog.get_logger().error(f"cannot connect to {dsn}", exc_info=True)
        """,
        """
        from obslib.catalog import Label

        TOKEN = Label.budgeted("session_token", at_most=10)
        """,
        """
        import logging
        import os

        logging.info("started with %s", dict(os.environ))
        """,
        """
        import structlog

        STOCK = "postgres://shop:" + "hunter2hunter2" + "@stock.internal/shop"
        structlog.get_logger().info("connecting", to=STOCK)
        """,
        """
        from opentelemetry.trace import get_tracer

        def handle(request) -> None:
            with get_tracer("shop").start_as_current_span("call", attributes={"sent": request.cookies["session"]}):
                pass
        """,
    )

    def check(self, use: _Shown | Declared | LabelDeclared | SpanStarted, file: File) -> Iterator[Problem]:
        """Look at names first, then at where values come from."""
        match use:
            case LabelDeclared():
                yield from self._declared(use.call, file.value(use.name, use.scope).texts or ())
            case Declared():
                for parameter in use.parameters:
                    yield from self._declared(parameter, (parameter.arg,))
            case SpanStarted():
                yield from self._value(use.name, use, file)
            case _:
                for name, value in self._named(use, file):
                    yield from self._field(name, value, use, file)
                for value in self._unnamed(use):
                    yield from self._value(value, use, file)

    def _declared(self, node: ast.AST, names: Iterable[str]) -> Iterator[Problem]:
        for name in filter(is_secret_name, names):
            yield Problem(node, f"{name!r} is the name of a secret; declare an id, a count or a claim (has_…) instead")

    def _named(self, use: _Shown, file: File) -> Iterator[tuple[str, ast.expr]]:
        if isinstance(use, AttributeSet) and use.key is not None:
            value = use.arguments.get("value", 1)
            if value is not None:
                yield from ((name, value) for name in file.value(use.key, use.scope).texts or ("",))
            return
        yield from ((name, value) for name, value in use.arguments.named if name not in _NOT_FIELDS)

    def _unnamed(self, use: _Shown) -> Iterator[ast.expr]:
        """Message and arguments of a line; what an event's declaration and its error say is another matter."""
        if isinstance(use, LogCall):
            yield from use.arguments.positional
            yield from (value for name, value in use.arguments.named if name == "msg")
        elif isinstance(use, LabelSet):
            yield from use.arguments.positional
        yield from use.arguments.unclear

    def _field(self, name: str, value: ast.expr, use: _Shown, file: File) -> Iterator[Problem]:
        known = file.value(value, use.scope)
        if is_secret_name(name) and not is_harmless(known) and not (is_plural_name(name) and _is_count(value)):
            yield Problem(use.where(value), f"{name!r} is the name of a secret; leave it out, or say which one by its id")
        else:
            yield from self._value(value, use, file)

    def _value(self, value: ast.expr | None, use: _Shown | SpanStarted, file: File) -> Iterator[Problem]:
        if value is None or file.value(value, use.scope).kind is Kind.SECRET:
            return
        source = secret_in(value, use.scope, file)
        if source:
            yield Problem(
                use.where(value), f"{source!r} holds a secret; leave it out, or keep it in obslib.Secret, which cannot be shown"
            )


def _is_count(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in {"len", "sum"}
