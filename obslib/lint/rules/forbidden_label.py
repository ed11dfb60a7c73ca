"""OBS105: a label whose values have no bound by nature."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import ClassVar

from obslib.catalog.labels import FORBIDDEN
from obslib.lint.bounds import caret
from obslib.lint.rule import Problem, Rule
from obslib.lint.uses import Declared, File, LabelDeclared, LabelSet, MetricCreated
from obslib.lint.value import Kind

__all__ = ["ForbiddenLabel"]

Use = Declared | LabelDeclared | LabelSet | MetricCreated

_PER_INSTANCE = "instance_id"
_SEMANTIC = {
    "url_full": "url", "http_url": "url", "http_target": "path", "url_path": "path", "url_query": "query",
    "host_name": "hostname", "client_address": "ip", "net_peer_ip": "ip", "enduser_id": "user_id", "user_email": "email",
    "exception_message": "error_message",
}  # fmt: skip
"""What OpenTelemetry's semantic conventions call the same."""

_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class ForbiddenLabel(Rule[Use]):
    """A label is one of those that no metric may have: a host, a URL, a user, a request, an error's text.

    Why: its values have no bound by nature, so one busy day makes more series than Prometheus can hold. The catalog refuses the
    name, and the process does not start (CARD-01).

    Fix: take a label with a bound (``org_id``, ``env_id``, ``process_type``, ``node_id``, ``path_template``,
    ``error_class``); write the value to a log line, or show it in ``platform describe`` (CARD-07).
    """

    code = "OBS105"
    name = "forbidden-label"
    on = (Declared, LabelDeclared, LabelSet, MetricCreated)
    good: ClassVar[tuple[str, ...]] = (
        """
        from obslib.catalog import Label

        REGION = Label.budgeted("region", 12, why="regions we sell in")
        ORG = Label.budgeted("org_id", 500, why="customers", id_prefix="org")
        """,
        """
        from typing import Annotated
        from obslib.catalog import counter
        from obslib.catalog.platform.terms import NODE_ID

        @counter("node_reboots_total", serves=("OPS-1",))
        def REBOOTS(*, node_id: Annotated[str, NODE_ID]) -> None:
            "Reboots by node."
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import control_plane as cp

        class Log:
            def __init__(self, obs: Observability) -> None:
                self._obs, self._appends = obs, obs.metrics[cp.EVENT_APPENDS]

            def appended(self, request) -> None:
                self._obs.log.info("appended", user_id=request.user.id, url=str(request.url))
                self._appends.labels(result="success").inc()
        """,
        """
        from typing import Annotated
        from obslib.catalog import Field, log_event

        USER = Field(name="user_id", help="Who did it.")

        @log_event("user.added", serves=("USR-1",))
        def ADDED(*, user_id: Annotated[str, USER]) -> None:
            "User added."
        """,
        """
        from functools import partial
        from obslib import Observability
        from prometheus_client import Counter

        def of_library(obs: Observability) -> None:
            names = ["kind", "result"]
            counter = partial(Counter, labelnames=names, registry=None)
            obs.metrics.include(counter("library_jobs_total", "Jobs."))
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        from obslib.catalog import Label

        USER = Label.budgeted("user_id", 100, why="a hundred users at most")
        """,
        """
        from typing import Annotated
        from obslib.catalog import counter as count
        from obslib.catalog.platform.terms import PATH_TEMPLATE

        @count("pages_total", serves=("WEB-1",))
        def PAGES(*, url: Annotated[str, PATH_TEMPLATE]) -> None:
            "Pages by address."
        """,
        """
        from functools import partial
        from obslib.catalog.labels import Label as L

        closed = partial(L.closed, at_most=3)
        HOST = closed("hostname")
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import control_plane as cp

        class Log:
            def __init__(self, obs: Observability) -> None:
                self._appends = obs.metrics[cp.EVENT_APPENDS].labels

            def appended(self, requests) -> None:
                [self._appends(result="success", **{"request_id": request.id}).inc() for request in requests]
        """,
        """
        import prometheus_client as prom

        LABELS = ("kind", "email")
        MAILS = prom.Counter("mails_total", "Mails.", LABELS)
        """,
        """
        from opentelemetry.metrics import get_meter

        def traced(function):
            calls = get_meter("shop").create_counter("calls")

            def call(user):
                calls.add(1, attributes={"user.id": user.name})
                return function(user)
            return call
        """,
    )

    def check(self, use: Use, file: File) -> Iterator[Problem]:
        """Look at every name that becomes a label's."""
        for name, node in _names(use, file):
            forbidden = forbidden_name(name)
            if forbidden is not None:
                shown = repr(name) if forbidden == name else f"{name!r} ({forbidden})"
                yield Problem(
                    node, f"label {shown} has values without a bound; use a bounded one, and log the value (CARD-01, CARD-07)"
                )


def forbidden_name(name: str) -> str | None:
    """The forbidden label that ``name`` spells, in whichever spelling; ``instance_id`` has a rule of its own."""
    plain = _CAPITAL.sub("_", name).lower().replace(".", "_").replace("-", "_")
    plain = _SEMANTIC.get(plain, plain)
    return plain if plain in FORBIDDEN and plain != _PER_INSTANCE else None


def _names(use: Use, file: File) -> Iterator[tuple[str, ast.AST]]:
    match use:
        case Declared(value=value, parameters=parameters) if value.signal is not None and value.signal.is_metric:
            yield from ((parameter.arg, parameter) for parameter in parameters)
        case LabelDeclared(name=ast.expr() as node):
            yield from ((text, node) for text in file.value(node, use.scope).texts or ())
        case MetricCreated():
            yield from file.label_names(use)
        case LabelSet(family=family) if family.kind is Kind.FAMILY or family.name == "opentelemetry":
            known = family.signal.labels if family.signal is not None else {}
            for name, node in use.arguments.named:
                if name not in known:
                    yield name, caret(node, use)
