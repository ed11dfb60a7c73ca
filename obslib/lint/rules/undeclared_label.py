"""OBS103: labels that are not those of the metric."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from difflib import get_close_matches
from typing import ClassVar

from obslib.catalog.labels import FORBIDDEN
from obslib.lint.bounds import caret
from obslib.lint.rule import Problem, Repair, Rule
from obslib.lint.signal import Signal
from obslib.lint.uses import File, LabelSet

__all__ = ["UndeclaredLabel"]


class UndeclaredLabel(Rule[LabelSet]):
    """A metric is given a label that it does not have, is not given one that it has, or is given values without names.

    Why: telemetry never raises into the component, so the sample is counted, but under ``_other`` where a label is missing and
    without the label that is unknown. The dashboard that asks for it stays empty.

    Fix: name each label of the declaration once, as a keyword. A label that is new belongs in the declaration first, with its
    bound.
    """

    code = "OBS103"
    name = "undeclared-label"
    on = LabelSet
    good: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability
        from obslib.catalog.platform import edge

        def accepted(obs: Observability) -> None:
            obs.metrics[edge.EDGE_CONNECTIONS].labels(listener_port="443", result="proxied").inc()
            obs.metrics[edge.EDGE_UPSTREAM_CONNECT_DURATION].labels().observe(0.1)
        """,
        """
        from functools import partial
        from obslib import Observability
        from obslib.catalog.platform import edge as e

        class Proxy:
            def __init__(self, obs: Observability) -> None:
                self._on = partial(obs.metrics[e.EDGE_CONNECTIONS].labels, listener_port="443")

            def accepted(self) -> None:
                self._on(result="proxied").inc()
        """,
        """
        from typing import Annotated, Literal
        from obslib import Observability
        from obslib.catalog import Label, counter as count

        KIND = Label.closed("kind", at_most=2)

        @count("invoices_total", serves=("BILL-1",))
        def INVOICES(*, kind: Annotated[Literal["final", "refund"], KIND]) -> None:
            "Invoices sent."

        def sent(obs: Observability) -> None:
            labels = dict(kind="final")
            obs.metrics[INVOICES].labels(**labels).inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import resources as r

        def usage(obs: Observability, groups) -> None:
            memory = obs.metrics[r.AGENT_INSTANCE_MEMORY_USAGE]
            memory.replace({(group.env_id, group.process_type): 1.0 for group in groups})
            memory.remove(env_id="env_1", process_type="web")
            memory.forget("env_id", "env_1")
        """,
        """
        from obslib import Observability
        from obslib.catalog import Family
        from obslib.catalog.platform import data_plane as s, edge

        def any_of(obs: Observability, family: Family[...]) -> None:
            obs.metrics[family].labels(whatever="x")
            for each in (s.AGENT_INSTANCES, edge.EDGE_BACKENDS):
                obs.metrics[each].labels(state="ready")
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def states(obs: Observability) -> None:
            obs.metrics[s.AGENT_INSTANCES].labels(status="ready").set(1)
        """,
        """
        import functools
        from obslib import Observability
        from obslib.catalog.platform import edge

        class Proxy:
            def __init__(self, obs: Observability) -> None:
                self._proxied = functools.partial(obs.metrics[edge.EDGE_CONNECTIONS].labels, result="proxied")

            def accepted(self) -> None:
                self._proxied().inc()
        """,
        """
        from typing import Annotated, Literal
        from obslib import Observability
        from obslib.catalog import Label, counter as count

        KIND = Label.closed("kind", at_most=2)

        @count("invoices_total", serves=("BILL-1",))
        def INVOICES(*, kind: Annotated[Literal["final", "refund"], KIND]) -> None:
            "Invoices sent."

        def sent(obs: Observability) -> None:
            invoices = obs.metrics[INVOICES]

            def count_one() -> None:
                invoices.labels(kind="final", **{"country": "de"}).inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import control_plane as cp

        def appended(obs: Observability) -> None:
            obs.metrics[cp.EVENT_APPENDS].labels("success").inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import resources as r

        def usage(obs: Observability, envs) -> None:
            memory = obs.metrics[r.AGENT_INSTANCE_MEMORY_USAGE]
            memory.replace({("env_1",): 1.0})
            [memory.labels(env_id=env.env_id).set(1) for env in envs]
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import edge

        def gone(obs: Observability) -> None:
            obs.metrics[edge.EDGE_CONNECTIONS].forget("listener", "443")
        """,
    )

    def check(self, use: LabelSet, file: File) -> Iterator[Problem]:
        """Hold the names against the declaration, where it is known whole."""
        signal = use.family.signal
        if signal is None or not signal.is_metric or not signal.is_whole:
            return
        given = {name for name, _ in use.arguments.named}
        unknown = [(name, node) for name, node in use.arguments.named if name not in signal.labels]
        missing = [name for name in signal.labels if name not in given]
        if use.arguments.positional:
            yield self._nameless(use, signal, file)
        for name, node in unknown:
            if name not in FORBIDDEN:
                yield self._unknown(use, signal, name, node, missing, file)
        if missing and not (unknown or use.arguments.positional or use.arguments.unclear or use.is_partial):
            yield Problem(use.node, f"metric {signal.name!r} needs label {_listed(missing)}; without it the sample is '_other'")

    def _nameless(self, use: LabelSet, signal: Signal, file: File) -> Problem:
        values = use.arguments.positional
        if not use.is_call:
            count = "1 value" if len(values) == 1 else f"{len(values)} values"
            return Problem(
                values[0], f"a key of {count} does not fit metric {signal.name!r}, whose labels are {_labels(signal)}"
            )
        repairs: tuple[Repair, ...] = ()
        if len(values) == len(signal.labels) == 1 and not use.arguments.named and _is_argument(values[0], use):
            repairs = (Repair(node=values[0], text=f"{next(iter(signal.labels))}={_verbatim(values[0], file)}"),)
        return Problem(caret(values[0], use), f"metric {signal.name!r} takes its labels by name: {_spelt(signal)}", repairs)

    def _unknown(self, use: LabelSet, signal: Signal, name: str, node: ast.expr, missing: list[str], file: File) -> Problem:
        near = get_close_matches(name, missing, n=2, cutoff=0.7)
        meant = f"; did you mean {near[0]!r}?" if near else f"; its labels are {_labels(signal)}"
        keyword = _keyword(use, name)
        repairs: tuple[Repair, ...] = ()
        is_only = sum(each not in signal.labels for each, _ in use.arguments.named) == len(missing) == 1
        if near and is_only and keyword is not None:
            repairs = (Repair(node=keyword, text=f"{near[0]}={_verbatim(keyword.value, file)}"),)
        place = keyword or (
            use.node.args[0] if use.through == "forget" and isinstance(use.node, ast.Call) else caret(node, use)
        )
        return Problem(place, f"metric {signal.name!r} has no label {name!r}{meant}", repairs)


def _keyword(use: LabelSet, name: str) -> ast.keyword | None:
    """The keyword of this very call."""
    keywords = use.node.keywords if isinstance(use.node, ast.Call) else []
    return next((each for each in keywords if each.arg == name), None)


def _is_argument(node: ast.expr, use: LabelSet) -> bool:
    return isinstance(use.node, ast.Call) and len(use.node.args) == 1 and use.node.args[0] is node


def _verbatim(node: ast.expr, file: File) -> str:
    return ast.get_source_segment(file.module.text, node) or ast.unparse(node)


def _labels(signal: Signal) -> str:
    return _listed(list(signal.labels)) if signal.labels else "none"


def _spelt(signal: Signal) -> str:
    return f"labels({', '.join(f'{name}=…' for name in signal.labels)})"


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names))
