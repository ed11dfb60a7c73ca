"""A config is linked to the traces of what changed in it, and to no others."""

from miniplatform.edge.changes import changed_traces
from miniplatform.wire import EdgeBackend, EdgeConfig, EdgeRoute


def backend(name: str, *, state: str = "ready", trace: str = "") -> EdgeBackend:
    """A backend with the trace of its last change."""
    return EdgeBackend(instance_id=name, address="127.0.0.1", port=9000, state=state, traceparent=trace)  # type: ignore[arg-type]


def config(*backends: EdgeBackend, trace: str = "route") -> EdgeConfig:
    """One route with these backends."""
    route = EdgeRoute(
        route_id="rt_1", org_id="o", env_id="e", hostname="h", listener_port=80, protocol="tcp_raw", process_type="web",
        backends=backends, traceparent=trace,
    )  # fmt: skip
    return EdgeConfig.of([route], cursor_event_id=1, head_event_id=1)


def test_a_first_config_is_new_as_a_whole() -> None:
    """Every trace counts, each once."""
    assert changed_traces(None, config(backend("a", trace="one"), backend("b", trace="one"))) == ["route", "one"]


def test_only_what_differs_counts() -> None:
    """A backend that came, one that changed and one that went; not the route, and not the one that stayed."""
    old = config(backend("stays", trace="0"), backend("changes", trace="1"), backend("goes", trace="2"))
    new = config(backend("stays", trace="0"), backend("changes", state="draining", trace="3"), backend("comes", trace="4"))
    assert changed_traces(old, new) == ["3", "4", "2"]


def test_nothing_changed_is_nothing() -> None:
    """The same config has no cause."""
    assert changed_traces(config(backend("a")), config(backend("a"))) == []
