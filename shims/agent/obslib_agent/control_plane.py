"""Calls to the control plane, the plan they bring and the reports they take (TRC-06, DBG-2-01, DBG-3-05)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from obslib import ErrorClass, Observability, Verdict
from obslib.catalog.platform import data_plane as s
from obslib.catalog.platform.consumers import EXTERNAL_CALL

__all__ = ["Calls", "Plans", "StatusReports"]

_REFUSALS = frozenset({ErrorClass.UNAUTHORIZED, ErrorClass.FORBIDDEN})


class Calls:
    """Every call this node makes to the control plane; remembers whether the last answer accepted the node."""

    def __init__(self, obs: Observability) -> None:
        self._traces = obs.traces
        self._span = obs.span(EXTERNAL_CALL)
        self._is_accepted: bool | None = None

    @contextmanager
    def call(self, *, under: str = "") -> Iterator[dict[str, str]]:
        """One call; yields the headers that carry its trace. ``under`` is the ``traceparent`` it belongs to, if another.

        An exception that carries ``error_class`` ``unauthorized`` or ``forbidden`` means that the node is not
        accepted; a control plane that cannot be reached says nothing about that.
        """
        span = self._span.under(under) if under else self._span
        with span(operation="agent_rpc", peer_component="control-plane") as active:
            headers: dict[str, str] = {}
            self._traces.inject(headers)
            try:
                yield headers
            except Exception as error:
                active.set(result="failure")
                if getattr(error, "error_class", None) in _REFUSALS:
                    self._is_accepted = False
                raise
            self._is_accepted = True
            active.set(result="success")

    def verdict(self) -> Verdict:
        """Whether the node is enrolled and authenticated, as far as the last answer tells."""
        if self._is_accepted is None:
            return Verdict.unknown("no_answer_yet", "the control plane has not answered this node since it started")
        if self._is_accepted:
            return Verdict.ok()
        return Verdict.failing("refused", "the control plane refused this node's token; enroll the node again")


class Plans:
    """Node plans taken over."""

    def __init__(self, obs: Observability) -> None:
        self._log = obs.log
        self._span = obs.span(s.AGENT_CONFIG_APPLY)

    @contextmanager
    def applying(self, *, plan_id: str, event_id: int, count: int, causes: Sequence[str]) -> Iterator[None]:
        """Take over a plan of ``count`` instances; ``causes`` are the traceparents of what changed in it."""
        with self._span.linked(causes)(applied_event_id=event_id, plan_id=plan_id):
            yield
            self._log.event(s.AGENT_CONFIG_APPLIED, plan_id=plan_id, applied_event_id=event_id, count=count)


class StatusReports:
    """Instance reports on their way to the control plane."""

    def __init__(self, obs: Observability) -> None:
        reports = obs.metrics[s.AGENT_STATUS_REPORTS]
        self._accepted = reports.labels(result="success")
        self._failed = reports.labels(result="failure")

    def accepted(self) -> None:
        """The control plane took a report."""
        self._accepted.inc()

    def failed(self) -> None:
        """It did not; the report waits, or is given up if it was refused for good."""
        self._failed.inc()
