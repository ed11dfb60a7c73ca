"""OBS114: a metric whose name does not say what it is in."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import ClassVar

from obslib.catalog.families import RESERVED_SUFFIXES
from obslib.catalog.units import require_unit, unit_of
from obslib.errors import CatalogError
from obslib.lint.rule import Problem, Repair, Rule
from obslib.lint.uses import Declared, File, MetricCreated

__all__ = ["MetricName"]

_KINDS = {
    "Counter": "counter", "Gauge": "gauge", "InstanceMetric": "gauge", "Histogram": "histogram", "Summary": "histogram",
}  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class MetricName(Rule[Declared | MetricCreated]):
    """A metric's name has no unit where it needs one, a wrong one, the suffix of another kind, or capitals.

    Why: whoever writes a query sees nothing but the name. ``_total`` promises ``rate()`` a counter, ``_seconds`` says what the
    axis is in; in milliseconds or percent every sum and threshold is off by a factor. The catalog refuses such a name.

    Fix: ``lower_snake_case`` in a base unit (``_seconds``, ``_bytes``, ``_ratio``) at the end; counters end in ``_total`` and
    nothing else does. ``_bucket``, ``_sum``, ``_count``, ``_created`` and ``_info`` belong to the exposition format.
    """

    code = "OBS114"
    name = "metric-name"
    on = (Declared, MetricCreated)
    good: ClassVar[tuple[str, ...]] = (
        """
        from obslib.catalog import counter, gauge, histogram

        @counter("mail_sent_total", serves=("MAIL-1",))
        def SENT() -> None:
            "Messages sent."

        @gauge("mail_oldest_timestamp_seconds", serves=("MAIL-2",))
        def OLDEST() -> None:
            "When the oldest waiting message came."

        @histogram("mail_size_bytes", serves=("MAIL-3",))
        def SIZE() -> None:
            "Size of a message."
        """,
        """
        from obslib.catalog import gauge as g

        @g("mail_queue_fill_ratio", serves=("MAIL-1",))
        def FILL() -> None:
            "How full the queue is."

        @g("mail_waiting", serves=("MAIL-2",))
        def WAITING() -> None:
            "Messages waiting."
        """,
        """
        from functools import partial
        from obslib.catalog import counter

        mail = partial(counter, serves=("MAIL-1",))

        @mail("mail_time_seconds_total")
        def TIME() -> None:
            "Time spent on sending."
        """,
        """
        from obslib.catalog import ExternalMetric, Plane, log_event, span_kind

        UP = ExternalMetric(name="node_load1", help="Load.", plane=Plane.COMMON, serves=("OPS-1",))

        @log_event("mail.sentAt", serves=("MAIL-1",))
        def SENT() -> None:
            "Message sent."

        @span_kind("mail.send_ms", serves=("MAIL-1",))
        def SEND() -> None:
            "Send one message."
        """,
        """
        class Catalog:
            def counter(self, name):
                return lambda function: function

        catalog = Catalog()

        @catalog.counter("sentMails")
        def sent():
            pass

        [Catalog().counter(name) for name in ("a_ms", "b_percent")]
        """,
        """
        from obslib.catalog import counter, gauge

        try:
            @counter("mail_sent_total", serves=("MAIL-1",))
            def SENT() -> None:
                "Messages sent."
        except ImportError:
            @gauge("mail_sent", serves=("MAIL-1",))
            def SENT() -> None:
                "Messages sent since the start, where nobody counts them."
        """,
    )
    bad: ClassVar[tuple[str, ...]] = (
        """
        from obslib.catalog import counter

        @counter("mail_sent", serves=("MAIL-1",))
        def SENT() -> None:
            "Messages sent."
        """,
        """
        from obslib import catalog as c

        @c.gauge(name="mail_age_ms", serves=("MAIL-1",))
        def AGE() -> None:
            "Age of the oldest message."
        """,
        """
        from functools import partial
        from obslib.catalog import gauge

        mail = partial(gauge, serves=("MAIL-1",))

        @mail("mail_waiting_total")
        def WAITING() -> None:
            "Messages waiting."
        """,
        """
        from obslib.catalog import histogram as measured

        NAME = "mail_delay"

        @measured(NAME, serves=("MAIL-1",), buckets=(1.0, 10.0))
        def DELAY() -> None:
            "How long sending takes."
        """,
        """
        from obslib.catalog import counter, gauge

        @counter("mailSent_total", serves=("MAIL-1",))
        def SENT() -> None:
            "Messages sent."

        @gauge("mail_waiting_count", serves=("MAIL-2",))
        def WAITING() -> None:
            "Messages waiting."
        """,
        """
        import prometheus_client as prom

        class Mail:
            GAUGES = [prom.Gauge(f"mail_{name}", "Mail.") for name in ("fill_percent",)]

            def __init__(self) -> None:
                self.size = prom.Summary("mail_size_kb", "Size.")
        """,
    )

    def check(self, use: Declared | MetricCreated, file: File) -> Iterator[Problem]:
        """Look at every name that is known."""
        if isinstance(use, Declared):
            kind = _KINDS.get(use.value.name, "")
            node = next(
                (each.value for each in use.call.keywords if each.arg == "name"), use.call.args[0] if use.call.args else None
            )
        else:
            kind = "" if file.is_of(use.library) else _KINDS.get(use.kind, "gauge")
            node = use.name
        if not kind or node is None:
            return
        is_declared = isinstance(use, Declared)
        for name in sorted(file.value(node, use.scope).texts or ()):
            spelt = name.replace(".", "_") if not is_declared else name
            fault = _fault(kind, spelt, is_declared=is_declared)
            if fault:
                yield Problem(node, fault, _repairs(kind, name, node) if is_declared else ())
                return


def _fault(kind: str, name: str, *, is_declared: bool) -> str | None:
    if not _NAME.match(name):
        return f"metric {name!r} must be lower_snake_case; call it {_CAPITAL.sub('_', name).lower().replace('-', '_')!r}"
    if name.endswith(RESERVED_SUFFIXES) and name != "build_info":
        suffix = next(each for each in RESERVED_SUFFIXES if name.endswith(each))
        return (
            f"metric {name!r} ends in {suffix!r}, which the exposition format reserves; call it {name.removesuffix(suffix)!r}"
        )
    if kind != "counter" and name.endswith("_total"):
        return f"{kind} {name!r} must not end in '_total'; that suffix promises a counter"
    try:
        require_unit(kind, name)
    except CatalogError as error:
        return str(error)
    if is_declared and kind == "counter" and not name.endswith("_total"):
        return f"counter {name!r} must end in '_total'; call it {f'{name}_total'!r}"
    if is_declared and kind == "histogram" and not unit_of(name):
        return f"histogram {name!r} must end in its base unit: _seconds, _bytes or _ratio"
    return None


def _repairs(kind: str, name: str, node: ast.expr) -> tuple[Repair, ...]:
    """A counter that lacks nothing but its suffix can only have been meant to have it."""
    fixed = f"{name}_total"
    if kind != "counter" or not isinstance(node, ast.Constant) or _fault(kind, fixed, is_declared=True) is not None:
        return ()
    return (Repair(node=node, text=f'"{fixed}"'),)
