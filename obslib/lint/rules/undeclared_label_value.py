"""OBS104: a constant that is not in a label's closed set."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from difflib import get_close_matches
from typing import ClassVar

from obslib.lint.bounds import caret, told
from obslib.lint.rule import Problem, Repair, Rule
from obslib.lint.uses import File, LabelSet
from obslib.lint.value import Kind

__all__ = ["UndeclaredLabelValue"]

_MOST_SHOWN = 12


class UndeclaredLabelValue(Rule[LabelSet]):
    """A closed label is given a value that its set does not hold.

    Why: at runtime the value becomes ``_other``, so the series you look for never moves, and an alert on it never fires.

    Fix: use one of the declared values, or add the new one to the ``Literal`` in the declaration, where the budget is proved
    again.
    """

    code = "OBS104"
    name = "undeclared-label-value"
    on = LabelSet
    good: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def states(obs: Observability) -> None:
            for state in ("booting", "ready"):
                obs.metrics[s.AGENT_INSTANCES].labels(state=state).set(1)
        """,
        """
        from functools import partial
        from obslib import ErrorClass, Observability
        from obslib.catalog.platform import data_plane as s

        def failed(obs: Observability) -> None:
            errors = partial(obs.metrics[s.AGENT_RECONCILE_ERRORS].labels, error_class=ErrorClass.TIMEOUT)
            errors().inc()
        """,
        """
        from typing import Annotated, Literal
        from obslib import Observability
        from obslib.catalog import Label, counter

        KIND = Label.closed("kind", at_most=2)

        @counter("invoices_total", serves=("BILL-1",))
        def INVOICES(*, kind: Annotated[Literal["final", "refund"], KIND]) -> None:
            "Invoices sent."

        class Billing:
            KINDS = {1: "final", 2: "refund"}

            def __init__(self, obs: Observability) -> None:
                self._invoices = {kind: obs.metrics[INVOICES].labels(kind=kind) for kind in self.KINDS.values()}
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import edge

        def accepted(obs: Observability, is_known: bool) -> None:
            labels = {"listener_port": "443", "result": "proxied" if is_known else "no_route"}
            obs.metrics[edge.EDGE_CONNECTIONS].labels(**labels).inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import control_plane as cp

        def pool(obs: Observability, figures: dict[str, float]) -> None:
            obs.metrics[cp.DB_POOL_CONNECTIONS].callback(lambda: {name: figures[name] for name in ("in_use", "idle")})
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def states(obs: Observability) -> None:
            obs.metrics[s.AGENT_INSTANCES].labels(state="running").set(1)
        """,
        """
        from functools import partial
        from obslib import Observability
        from obslib.catalog.platform import control_plane as cp

        def appended(obs: Observability) -> None:
            sucess = partial(obs.metrics[cp.EVENT_APPENDS].labels, result="sucess")
            sucess().inc()
        """,
        """
        from typing import Annotated, Literal
        from obslib import Observability
        from obslib.catalog import Label, counter

        KIND = Label.closed("kind", at_most=2)

        @counter("invoices_total", serves=("BILL-1",))
        def INVOICES(*, kind: Annotated[Literal["final", "refund"], KIND]) -> None:
            "Invoices sent."

        def sent(obs: Observability, is_monthly: bool) -> None:
            def kind() -> str:
                return "monthly" if is_monthly else "final"

            obs.metrics[INVOICES].labels(kind=kind()).inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import edge

        class Proxy:
            RESULT = "forwarded"

            def __init__(self, obs: Observability) -> None:
                self._clients = obs.metrics[edge.EDGE_CONNECTIONS]

            def accepted(self) -> None:
                self._clients.labels(**{"listener_port": "443", "result": self.RESULT}).inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import control_plane as cp

        def pool(obs: Observability, figures) -> None:
            obs.metrics[cp.DB_POOL_CONNECTIONS].callback(lambda: {"in_use": figures.used, "free": figures.free})
        """,
        """
        from enum import StrEnum
        from obslib import Observability
        from obslib.catalog.platform import resources as r

        class Found(StrEnum):
            HIT = "hit"
            STALE = "stale"

        def wire(obs: Observability) -> None:
            [obs.metrics[r.AGENT_IMAGE_CACHE_REQUESTS].labels(result=found) for found in Found]
        """,
    )

    def check(self, use: LabelSet, file: File) -> Iterator[Problem]:
        """Compare every value that is known with the label's set."""
        signal = use.family.signal
        for name, node in use.arguments.named if signal is not None else ():
            shape, value = signal.labels.get(name) if signal is not None else None, file.value(node, use.scope)
            if shape is None or shape.values is None or value.kind is not Kind.TEXT or value.texts is None:
                continue
            texts = value.texts - {"None"} if len(value.texts) > 1 else value.texts
            wrong = sorted(texts - shape.values)
            if wrong:
                yield self._problem(use, name, node, wrong[0], shape.values, file)

    def _problem(self, use: LabelSet, name: str, node: ast.expr, wrong: str, values: frozenset[str], file: File) -> Problem:
        near = get_close_matches(wrong, sorted(values), n=2, cutoff=0.8)
        repairs: tuple[Repair, ...] = ()
        if len(near) == 1 and isinstance(node, ast.Constant) and caret(node, use) is node:
            repairs = (Repair(node=node, text=_quoted(near[0], file.source(node))),)
        shown = "" if isinstance(node, ast.Constant) else f" of {told(node, use, file)}"
        meant = f"did you mean {near[0]!r}?" if near else f"it has {_listed(values)}"
        return Problem(caret(node, use), f"label {name!r} has no value {wrong!r}{shown}; {meant}", repairs)


def _listed(values: frozenset[str]) -> str:
    shown = ", ".join(map(repr, sorted(values)[:_MOST_SHOWN]))
    return shown if len(values) <= _MOST_SHOWN else f"{shown} and {len(values) - _MOST_SHOWN} more"


def _quoted(text: str, like: str) -> str:
    quote = "'" if like.startswith("'") else '"'
    return f"{quote}{text}{quote}"
