"""OBS112: a series for each instance."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from typing import ClassVar

from obslib.lint.bounds import caret
from obslib.lint.rule import Problem, Rule
from obslib.lint.signal import LabelShape
from obslib.lint.uses import Declared, File, LabelDeclared, LabelSet, MetricCreated
from obslib.lint.value import Kind

__all__ = ["PerInstanceLabel"]

Use = Declared | LabelDeclared | LabelSet | MetricCreated

_NAME = "instance_id"


class PerInstanceLabel(Rule[Use]):
    """A metric that is no ``InstanceMetric`` has a series for each instance.

    Why: instances come and go, and each leaves a series behind; after a week of deploys most of Prometheus' memory holds the
    dead. Only a metric with a quota, a cap and an aggregate form can promise a bound (CARD-02).

    Fix: aggregate by ``env_id`` and ``process_type``. What is needed per instance is an ``@instance_gauge`` with ``quota=``,
    ``max_series=`` and ``aggregate=``, or is shown by ``platform describe instance`` (CARD-07).
    """

    code = "OBS112"
    name = "per-instance-label"
    on = (Declared, LabelDeclared, LabelSet, MetricCreated)
    good: ClassVar[tuple[str, ...]] = (
        """
        from typing import Annotated
        from obslib.catalog import instance_gauge
        from obslib.catalog.platform.resources import AGENT_INSTANCE_MEMORY_MAX_RATIO, INSTANCE_ID

        @instance_gauge(
            "agent_instance_load_ratio", quota="max_instances", max_series=256, serves=("OPS-1",),
            aggregate=AGENT_INSTANCE_MEMORY_MAX_RATIO,
        )
        def LOAD(*, instance_id: Annotated[str, INSTANCE_ID]) -> None:
            "Load of each instance."
        """,
        """
        from obslib.catalog import Domain, Label

        WORKER = Label(name="instance_id", domain=Domain.BUDGETED, at_most=64, why="workers of a node", is_per_instance=True)
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import resources as r

        def ratios(obs: Observability, instances) -> None:
            ratio = obs.metrics[r.AGENT_INSTANCE_MEMORY_RATIO]
            [ratio.labels(instance_id=each.instance_id).set(each.ratio) for each in instances]
        """,
        """
        from typing import Annotated
        from obslib.catalog import log_event, span_kind
        from obslib.catalog.platform.terms import InstanceId

        @log_event("instance.seen", serves=("OPS-2",))
        def SEEN(*, instance_id: InstanceId) -> None:
            "Instance seen."

        @span_kind("instance.look", serves=("OPS-2",))
        def LOOK(*, instance_id: InstanceId) -> None:
            "One look at an instance."
        """,
        """
        from functools import partial
        from obslib import Observability
        from obslib.catalog.platform import resources as r

        def usage(obs: Observability) -> None:
            web = partial(obs.metrics[r.AGENT_INSTANCE_MEMORY_USAGE].labels, process_type="web")
            web(env_id="env_1").set(1)
            obs.log.info("measured", instance_id="inst_1")
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        from typing import Annotated
        from obslib.catalog import gauge
        from obslib.catalog.platform.resources import INSTANCE_ID

        @gauge("agent_instance_load_ratio", serves=("OPS-1",))
        def LOAD(*, instance_id: Annotated[str, INSTANCE_ID]) -> None:
            "Load of each instance."
        """,
        """
        from functools import partial
        from typing import Annotated
        from obslib.catalog import Label, counter

        WORKER = Label(name="worker", domain="budgeted", at_most=64, why="workers of a node", is_per_instance=True)
        restarts = partial(counter, serves=("OPS-1",))

        @restarts("worker_restarts_total")
        def RESTARTS(*, worker: Annotated[str, WORKER]) -> None:
            "Restarts of each worker."
        """,
        """
        from obslib.catalog.labels import Label as L

        INSTANCE = L.budgeted("instance_id", 256, why="as many as fit on a node")
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        class Agent:
            def __init__(self, obs: Observability) -> None:
                self._states = obs.metrics[s.AGENT_INSTANCES]

            def set(self, instances) -> None:
                for each in instances:
                    self._states.labels(**{"state": "ready", "instance_id": each.instance_id}).set(1)
        """,
        """
        from prometheus_client import Histogram

        BOOTS = Histogram("boots_seconds", "Boots.", labelnames=["kind", "instance_id"])
        """,
        """
        from opentelemetry import metrics

        def measured(function):
            load = metrics.get_meter("node").create_gauge("load")

            def measure(instance):
                load.set(function(instance), {"instance_id": instance})
            return measure
        """,
    )

    def check(self, use: Use, file: File) -> Iterator[Problem]:
        """Look at declarations, and at labels that are handed over without one."""
        for node, shown in self._found(use, file):
            yield Problem(
                node,
                f"{shown} makes a series of every instance; aggregate it, or declare an instance_gauge(...) (CARD-02, CARD-07)",
            )

    def _found(self, use: Use, file: File) -> Iterator[tuple[ast.AST, str]]:
        match use:
            case Declared(value=value, parameters=parameters) if value.signal is not None and value.signal.is_metric:
                labels = value.signal.labels if value.signal.kind != "InstanceMetric" else {}
                for parameter in parameters:
                    shape = labels.get(parameter.arg)
                    if shape is not None and (shape.is_per_instance or shape.name == _NAME):
                        yield parameter, f"label {parameter.arg!r} of metric {value.signal.name!r}"
            case LabelDeclared(name=ast.expr() as name, call=call):
                is_marked = any(keyword.arg in {"is_per_instance", None} for keyword in call.keywords)
                if not is_marked and _NAME in (file.value(name, use.scope).texts or ()):
                    yield name, f"label {_NAME!r} without is_per_instance=True"
            case MetricCreated():
                yield from ((node, f"label {_NAME!r}") for name, node in file.label_names(use) if name == _NAME)
            case LabelSet(family=family):
                yield from self._handed(use, family.signal.labels if family.signal is not None else None)

    def _handed(self, use: LabelSet, known: Mapping[str, LabelShape] | None) -> Iterator[tuple[ast.AST, str]]:
        is_foreign = use.family.name == "opentelemetry"
        is_other = use.family.kind is Kind.FAMILY and known is not None and _NAME not in known
        for name, node in use.arguments.named:
            if name in {_NAME, "instance.id"} and (is_foreign or is_other):
                yield caret(node, use), f"label {name!r}"
