"""What the components of one process share: settings, time, ids, redaction, counts and the ways out.

Apart from the runtime because it is wired once per process and not once per component, and because this
is where a wrong setting is refused.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

from obslib.catalog import Catalog, Component
from obslib.classify import Classifier
from obslib.clock import Clock, SystemClock
from obslib.errors import ErrorClass, SettingsError
from obslib.guard import Guard
from obslib.ids import IdSource, SystemIds, is_id
from obslib.redaction import Redactor
from obslib.settings import Settings
from obslib.sinks import Sink, StreamSink
from obslib.tally import Tally

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

__all__ = ["Process"]

_GRACE_S = 0.2
"""How much longer than its deadline a sink may take before it is left behind."""


class Process:
    """The shared parts. ``clock``, ``ids``, ``sink`` and ``exporter`` default to the machine's own, standard output
    and the OTLP endpoint of the settings; raises SettingsError when that exporter is not installed.
    """

    def __init__(
        self,
        catalog: Catalog,
        settings: Settings,
        *,
        errors: Mapping[type[BaseException], ErrorClass],
        clock: Clock | None = None,
        ids: IdSource | None = None,
        sink: Sink | None = None,
        exporter: SpanExporter | None = None,
    ) -> None:
        self.catalog = catalog
        self.settings = settings
        self.clock = clock or SystemClock()
        self.ids = ids or SystemIds(self.clock)
        self.classifier = Classifier(errors)
        self.tally = Tally()
        self.guard = Guard(self.tally)
        self.redactor = Redactor(self.tally)
        self.exporter = exporter or _otlp_exporter(settings)
        self.sink = sink or StreamSink(1, tally=self.tally, buffer_lines=settings.log_buffer_lines, clock=self.clock)
        self.begun = self.clock.monotonic()

    def constants(self, role: Component) -> dict[str, str]:
        """The constant labels and fields of a component beside its name; raises SettingsError for a bad node id."""
        node_id = self.settings.node_id
        if not role.has_node:
            return {}
        if not node_id:
            raise SettingsError(
                f"component {role.name!r} runs on a node, so it needs a node id; "
                "pass node_id=… to start() or set OBSLIB_NODE_ID (node_ and a ULID)"
            )
        if not is_id(node_id, "node"):
            raise SettingsError(f"node_id is {node_id!r}; it must be 'node_' and a ULID of 26 characters")
        return {"node_id": node_id}

    def close_sink(self, timeout_s: float) -> None:
        """Close the sink; one of the host's own that takes longer is left to itself, and counted."""

        def close() -> None:
            with self.guard.quiet("logs"):
                self.sink.close(timeout_s)

        closing = threading.Thread(target=close, name="obslib-sink-close", daemon=True)
        try:
            closing.start()
        except RuntimeError:  # no thread starts any more while the interpreter ends
            close()
            return
        closing.join(timeout_s + _GRACE_S)
        if closing.is_alive():
            self.guard.note("logs", f"the sink did not close within {timeout_s:g} s")

    @property
    def wants_console(self) -> bool:
        """Whether lines are for a person: asked for, or standard output is a terminal and nothing was asked for."""
        if self.settings.log_format == "auto":
            return sys.stdout is not None and sys.stdout.isatty()
        return bool(self.settings.log_format == "console")

    def describe_settings(self) -> dict[str, dict[str, object]]:
        """Every setting's effective value, free of secrets, and where it came from."""
        return {
            name: {"value": self.redactor.value(found.value, name), "origin": found.origin}
            for name, found in self.settings.resolved.items()
        }


def _otlp_exporter(settings: Settings) -> SpanExporter | None:
    if not settings.trace_otlp_endpoint:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError:
        raise SettingsError(
            f"trace_otlp_endpoint is {settings.trace_otlp_endpoint!r}, but the exporter is not installed; "
            "install platform-obslib[otlp], or leave the setting empty"
        ) from None
    return OTLPSpanExporter(endpoint=settings.trace_otlp_endpoint)
