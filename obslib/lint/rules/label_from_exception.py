"""OBS109: a label value that an exception says."""

from __future__ import annotations

from typing import ClassVar

from obslib.lint.bounds import LabelValueRule
from obslib.lint.value import Taint

__all__ = ["LabelFromException"]


class LabelFromException(LabelValueRule):
    """A label value comes from an exception: its text, its arguments, the name of its class.

    Why: messages hold file names, ids and figures, so that every failure is a series of its own, and sometimes a secret in
    ``/metrics``. Class names belong to whoever wrote the library; an upgrade renames them under your alert.

    Fix: ``error_class=obs.classifier.error_class(error)`` gives one of twelve classes; text and traceback go to the log with
    ``obs.log.failure(DECLARATION, error)``. A reason of your own is a ``Literal`` on your exception class.
    """

    code = "OBS109"
    name = "label-from-exception"
    taints = frozenset({Taint.EXCEPTION})
    way_out = "count 'error_class=obs.classifier.error_class(error)' and log the exception"
    good: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def reconcile(obs: Observability, work) -> None:
            try:
                work()
            except Exception as error:
                error_class = obs.classifier.error_class(error)
                obs.metrics[s.AGENT_RECONCILE_ERRORS].labels(error_class=error_class).inc()
                obs.log.error("not reconciled", error=error)
        """,
        """
        from obslib import ErrorClass, Observability
        from obslib.catalog.platform import data_plane as s

        CLASSES = {TimeoutError: ErrorClass.TIMEOUT, OSError: ErrorClass.DEPENDENCY}

        def reconcile(obs: Observability, work) -> None:
            try:
                work()
            except (TimeoutError, OSError) as error:
                error_class = CLASSES.get(type(error), ErrorClass.INTERNAL)
                obs.metrics[s.AGENT_RECONCILE_ERRORS].labels(error_class=error_class).inc()
        """,
        """
        from typing import Literal
        from obslib import Observability
        from obslib.catalog.platform import edge

        class Refused(Exception):
            def __init__(self, reason: Literal["timeout", "refused"]) -> None:
                super().__init__(f"upstream: {reason}")
                self.reason = reason

        def connect(obs: Observability, upstream) -> None:
            try:
                upstream.connect()
            except Refused as refused:
                obs.metrics[edge.EDGE_UPSTREAM_FAILURES].labels(reason=refused.reason).inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import edge as e

        def connect(obs: Observability, upstream) -> None:
            failures = obs.metrics[e.EDGE_UPSTREAM_FAILURES].labels
            try:
                upstream.connect()
            except OSError as error:
                failures(reason="timeout" if isinstance(error, TimeoutError) else "internal").inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform.data_plane import AGENT_BOOT_FAILURES
        from obslib.catalog.platform.terms import INSTANCE_REASONS

        def boot(obs: Observability, launcher) -> None:
            try:
                launcher.boot()
            except RuntimeError as error:
                obs.metrics[AGENT_BOOT_FAILURES].labels(reason=INSTANCE_REASONS.fold(str(error))).inc()
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def reconcile(obs: Observability, work) -> None:
            try:
                work()
            except Exception as error:
                obs.metrics[s.AGENT_RECONCILE_ERRORS].labels(error_class=type(error).__name__).inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import edge

        class Upstream:
            def __init__(self, obs: Observability) -> None:
                self._failures = obs.metrics[edge.EDGE_UPSTREAM_FAILURES]

            def connect(self, dial) -> None:
                try:
                    dial()
                except OSError as why:
                    reason = str(why).lower()
                    self._failures.labels(reason=reason).inc()
        """,
        """
        import functools
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def boot(obs: Observability, launcher) -> None:
            failed = functools.partial(obs.metrics[s.AGENT_BOOT_FAILURES].labels)
            try:
                launcher.boot()
            except ValueError as error:
                failed(reason=error.args[0]).inc()
        """,
        """
        import traceback
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def boot(obs: Observability, launcher) -> None:
            try:
                launcher.boot()
            except Exception:
                obs.metrics[s.AGENT_BOOT_FAILURES].labels(**{"reason": traceback.format_exc()}).inc()
        """,
        """
        from obslib import Observability
        from obslib.catalog.platform import data_plane as s

        def report(obs: Observability, errors: list[Exception]) -> None:
            def count(error: Exception) -> None:
                obs.metrics[s.AGENT_RECONCILE_ERRORS].labels(error_class=repr(error)).inc()

            [count(each) for each in errors]
        """,
        """
        from prometheus_client import Counter

        FAILED = Counter("failed_total", "Failures.", ["error"])

        def guard(function):
            def guarded():
                try:
                    return function()
                except Exception as error:
                    FAILED.labels(error.__class__.__name__).inc()
                    raise
            return guarded
        """,
    )
