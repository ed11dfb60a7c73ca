"""OBS102: a signal that cannot be followed to its declaration."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import ClassVar

from obslib.lint.rule import Problem, Rule
from obslib.lint.uses import Binding, File, LabelSet
from obslib.lint.value import ANYTHING, Kind

__all__ = ["UnresolvedSignal"]

_FITS: dict[str, frozenset[str]] = {
    "span": frozenset({"SpanKind", "Declaration"}),
    "operation": frozenset({"Operation", "Declaration"}),
    "loop": frozenset({"Loop", "Declaration"}),
    "check": frozenset({"Check", "Declaration"}),
    "event": frozenset({"LogEvent", "Declaration"}),
    "failure": frozenset({"LogEvent", "Declaration"}),
}
_SPELT = {"metrics": "obs.metrics[…]", "event": "obs.log.event(…)", "failure": "obs.log.failure(…)"}
_IS_TEXT = frozenset({Kind.TEXT, Kind.TAINTED, Kind.STRING, Kind.NUMBER})


class UnresolvedSignal(Rule[Binding | LabelSet]):
    """A signal is bound whose declaration cannot be followed, or labels are given that cannot be taken apart.

    Why: what cannot be read here cannot be checked here: its labels, its budget, whether it exists at all. A typing error in
    it shows when the process starts, or, under ``**labels``, never.

    Fix: bind the declaration by its name, ``obs.span(s.BOOT)``. Code that works on any declaration takes it as an annotated
    parameter, ``family: Counter[...]``; labels are spelt as keywords, or collected in a literal ``{...}``.
    """

    code = "OBS102"
    name = "unresolved-signal"
    on = (Binding, LabelSet)
    good: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def wire(obs: Observability) -> None:
            boots, states = obs.operation(s.INSTANCE_BOOT), obs.metrics[s.AGENT_INSTANCES]
            with boots():
                states.labels(state="ready").set(1)
        """,
        """
        from obslib import Observability
        from obslib.catalog import Counter, SpanKind

        def bind(obs: Observability, family: Counter[...], kind: SpanKind[...]) -> None:
            obs.metrics[family]
            obs.span(kind)
        """,
        """
        from dataclasses import dataclass
        from obslib import Observability
        from obslib.catalog import LogEvent

        @dataclass
        class Job:
            done: LogEvent[...]

        def ran(obs: Observability, job: Job) -> None:
            obs.log.event(job.done)
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import edge

        RESULTS = {"good": edge.EDGE_UPSTREAM_CONNECTS, "bad": edge.EDGE_CONFIG_RELOADS}

        def wire(obs: Observability, which: str) -> None:
            obs.metrics[RESULTS[which]].labels(result="success").inc()
            [obs.metrics[family] for family in RESULTS.values()]
        """,
        """
        import functools
        from obslib import Observability
        from obslib.catalog.platform import resources as r

        def usage(obs: Observability) -> None:
            common = {"env_id": "env_1"}
            usage = functools.partial(obs.metrics[r.AGENT_INSTANCE_MEMORY_USAGE].labels, **common)
            usage(**{"process_type": "web"}).set(1)
        """,
        """
        class Registry:
            def span(self, name):
                return name

        def spans(names, registry: Registry):
            return [registry.span(name) for name in names]
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability

        def wire(obs: Observability, which) -> None:
            obs.metrics[which].labels().inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane

        class Agent:
            def __init__(self, obs: Observability, name: str) -> None:
                self._boot = obs.operation(getattr(data_plane, name))
        """,
        """
        from obslib import Observability

        def traced(obs: Observability):
            def decorate(function):
                def call():
                    with obs.span(function.kind)():
                        return function()
                return call
            return decorate
        """,
        """
        import obslib as o
        from functools import partial

        def events(obs: o.Observability, kinds) -> None:
            [partial(obs.log.event, kind)() for kind in kinds]
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def wire(obs: Observability) -> None:
            obs.loop("agent_reconcile", period=5)
            obs.span(s.INSTANCE_READY)
            obs.log.event(s.NO_SUCH_EVENT)
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import resources as r

        def usage(obs: Observability, **labels: str) -> None:
            obs.metrics[r.AGENT_INSTANCE_MEMORY_USAGE].labels(**labels).set(1)
        """,
    )

    def check(self, use: Binding | LabelSet, file: File) -> Iterator[Problem]:
        """Look at what is bound, and at ``**`` on labels."""
        if isinstance(use, LabelSet):
            yield from self._labels(use, file)
        elif use.through == "metrics":
            is_known = use.value.kind in {Kind.DECLARED, Kind.DECLARATION, Kind.MISSING} or isinstance(use.key, ast.JoinedStr)
            if not is_known and (use.value.kind not in _IS_TEXT or use.value is ANYTHING):
                yield self._unfollowed(use, file)
        elif use.through in _FITS:
            yield from self._other(use, file)

    def _labels(self, use: LabelSet, file: File) -> Iterator[Problem]:
        if use.family.signal is None or not use.is_call:
            return
        for spread in use.arguments.unclear:
            names = ", ".join(f"{name}=…" for name in use.family.signal.labels)
            yield Problem(
                spread,
                f"{file.source(spread)!r} cannot be taken apart into labels; spell them, labels({names}), or use a literal",
            )

    def _other(self, use: Binding, file: File) -> Iterator[Problem]:
        shown, value, fits = file.source(use.key), use.value, _FITS[use.through]
        if value.kind in {Kind.DECLARED, Kind.DECLARATION}:
            if value.name not in fits:
                yield Problem(use.key, f"{shown!r} is a {value.name}; {_spelt(use)} takes a {min(fits - {'Declaration'})}")
        elif value.kind is Kind.MISSING:
            home = value.name.rpartition(".")[0]
            yield Problem(use.key, f"{shown!r} is declared nowhere; declare it, or use one that {home!r} has")
        elif value.kind in _IS_TEXT and value is not ANYTHING:
            yield Problem(use.key, f"{shown} is text, not a declaration; {_spelt(use)} takes a {min(fits - {'Declaration'})}")
        else:
            yield self._unfollowed(use, file)

    def _unfollowed(self, use: Binding, file: File) -> Problem:
        return Problem(
            use.key,
            f"{file.source(use.key)!r} cannot be followed to a declaration; give {_spelt(use)} a declared name, "
            "or annotate where it comes from",
        )


def _spelt(use: Binding) -> str:
    return _SPELT.get(use.through, f"obs.{use.through}(…)")
