"""A declaration as the linter sees it: whether it was built by an import or read from source text.

The platform's catalog is imported, because it comes with the library. A project's own declarations are read from their
source, so that linting never runs the project's code; both end up as the same ``Signal``.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from obslib import catalog
from obslib.catalog import Declaration, Domain, Family, LabelUse

__all__ = ["LabelShape", "Signal", "signal_of"]

_NOTHING: Mapping[str, LabelShape] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelShape:
    """What may stand under a label.

    ``values`` are those written down, None where they are not; ``is_open`` when only their number is bounded.
    """

    name: str
    values: frozenset[str] | None = None
    is_open: bool = False
    is_id: bool = False
    is_per_instance: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One declared signal: its ``kind`` is the name of its declaration class (``Counter``, ``LogEvent``, ``Check``).

    ``labels`` are those of a metric, ``fields`` those of a log event or the attributes of a span, ``required`` those of
    them that have no default. A name that the source
    does not give away is empty; ``is_whole`` is False when its labels or fields could not be read, so that nothing is said
    about what is missing from it.
    """

    kind: str
    name: str
    labels: Mapping[str, LabelShape] = field(default_factory=lambda: _NOTHING, hash=False)
    fields: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    has_deadline: bool = False
    is_whole: bool = True

    @property
    def is_metric(self) -> bool:
        """Whether it is one of the metric kinds."""
        return self.kind in {"Counter", "Gauge", "Histogram", "InstanceMetric"}


def signal_of(declaration: Declaration) -> Signal:
    """The signal of a declaration that was imported."""
    described = declaration.span if isinstance(declaration, catalog.Operation) else declaration
    fields = required = frozenset[str]()
    if isinstance(described, (catalog.LogEvent, catalog.SpanKind)):
        fields = frozenset(each.name for each in described.fields)
        parameters = inspect.signature(described.signature).parameters.values()
        required = frozenset(each.name for each in parameters if each.default is inspect.Parameter.empty)
    return Signal(
        kind=type(declaration).__name__,
        name=declaration.name,
        labels={use.name: _shape(use) for use in declaration.labels} if isinstance(declaration, Family) else _NOTHING,
        fields=fields,
        required=required,
        has_deadline=isinstance(declaration, catalog.Check) and declaration.deadline_s is not None,
    )


def _shape(use: LabelUse) -> LabelShape:
    label = use.label
    is_open = label.domain is Domain.BUDGETED
    return LabelShape(
        name=use.name,
        values=frozenset(use.values) if use.values and not is_open else None,
        is_open=is_open,
        is_id=bool(label.id_prefix),
        is_per_instance=label.is_per_instance,
    )
