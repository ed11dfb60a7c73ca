"""``start()`` turns everything on, refuses loudly, and gives everything back when it closes."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal
from urllib.request import urlopen

import pytest
from opentelemetry import trace

import obslib
from obslib.catalog import COMMON, Component, Label, Plane, counter
from obslib.catalog.platform import control_plane, data_plane
from obslib.sinks import MemorySink
from obslib.testing import NODE_ID, RETENTION_POLICY, FixedClock, FixedIds, observability

PURPOSE = Label.closed("purpose", at_most=3)


@counter("invoices_total", serves=("BILLING-1",))
def INVOICES(*, purpose: Annotated[Literal["monthly", "final"], PURPOSE]) -> None:
    """Invoices sent, by purpose."""


BILLING = COMMON.extend("billing", components=[Component(name="billing", plane=Plane.COMMON)], signals=[INVOICES])


@contextmanager
def started(component: str = "agent", **settings: Any) -> Iterator[obslib.Observability]:
    """An Observability with a real admin endpoint on a free port."""
    given = {
        "node_id": NODE_ID,
        "retention_policy": str(RETENTION_POLICY),
        "sink": MemorySink(),
        "log_format": "json",
        **settings,
    }
    obs = obslib.start(component, **given)
    try:
        yield obs
    finally:
        obs.close(1.0)


def fetch(obs: obslib.Observability, path: str) -> tuple[int, bytes]:
    """One GET on the admin endpoint."""
    from urllib.error import HTTPError

    try:
        with urlopen(f"http://{obs.admin_address}{path}", timeout=5) as reply:
            return reply.status, reply.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


def test_start_alone_turns_everything_on() -> None:
    """Logs, metrics, liveness, readiness and debug pages answer without any opt-in (STN-01)."""
    with started() as obs:
        assert json.loads(fetch(obs, "/livez")[1])["status"] == "ok"
        status, body = fetch(obs, "/readyz")
        assert status == 503
        assert json.loads(body)["checks"]["disk_ok"]["reason"] == "not_registered"
        exposition = fetch(obs, "/metrics")[1]
        assert b'build_info{component="agent"' in exposition
        assert b"process_start_time_seconds{" in exposition
        for page in ("loops", "overflow", "catalog", "config"):
            assert fetch(obs, f"/debug/obs/{page}")[0] == 200
        assert fetch(obs, "/elsewhere")[0] == 404


@pytest.mark.parametrize(
    ("component", "settings", "error", "words"),
    [
        ("teapot", {}, obslib.UnknownSignal, ("teapot", "control-plane", "extend")),
        ("agent", {"node_id": ""}, obslib.SettingsError, ("agent", "OBSLIB_NODE_ID")),
        ("agent", {"node_id": "node-7"}, obslib.SettingsError, ("node-7", "ULID")),
        ("agent", {"log_level": "loud"}, obslib.SettingsError, ("log_level", "loud")),
        ("agent", {"trace_success_ratio": 7}, obslib.SettingsError, ("trace_success_ratio", "7")),
        ("agent", {"admin_port": "many"}, obslib.SettingsError, ("admin_port", "many")),
        ("agent", {"tenant_metrics_enabled": True}, obslib.SettingsError, ("tenant_metrics_enabled", "external-telemetry.md")),
        ("agent", {"tenant_traces_enabled": "on"}, obslib.SettingsError, ("tenant_traces_enabled", "external-telemetry.md")),
        ("agent", {"colour": "red"}, obslib.SettingsError, ("colour", "node_id")),
    ],
)
def test_a_wrong_start_is_refused_with_the_way_out(
    component: str, settings: dict[str, Any], error: type[Exception], words: tuple[str, ...]
) -> None:
    """The sentence names what was refused and what to use instead; no thread or socket is left."""
    before = set(threading.enumerate())
    with pytest.raises(error) as refused, started(component, **settings):
        pass
    for word in words:
        assert word in str(refused.value)
    assert set(threading.enumerate()) <= before


def test_a_taken_port_is_named() -> None:
    """The address and the setting that moves it are in the sentence."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(obslib.AddressInUse, match=f"127.0.0.1:{port}.*OBSLIB_ADMIN_PORT"), started(admin_port=port):
            pass


def test_an_undeclared_or_foreign_signal_does_not_bind() -> None:
    """A signal of another component raises where it is bound, not where it is emitted."""
    obs = observability("agent")
    with pytest.raises(obslib.UnknownSignal, match="http_requests_total"):
        obs.metrics[control_plane.HTTP_REQUESTS]
    with pytest.raises(obslib.UnknownSignal, match=r"scheduler\.loop"):
        obs.span(control_plane.SCHEDULER_LOOP_SPAN)
    with pytest.raises(obslib.UnknownSignal, match="scheduler"):
        obs.loop(control_plane.SCHEDULER_LOOP)


def test_globals_are_adopted_once_and_given_back() -> None:
    """Root logging, warnings, hooks and the tracer come through obslib, a second adopter is refused, close() restores."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, sys.excepthook, threading.excepthook)
    sink = MemorySink()
    with started(sink=sink) as obs:
        with pytest.raises(obslib.AlreadyAdopted, match="'agent'"):
            obslib.start("edge", node_id=NODE_ID, sink=MemorySink())
        logging.getLogger("somebody.else").warning("disk %s", "full")
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            logging.captureWarnings(True)
            warnings.warn("old call", DeprecationWarning, stacklevel=1)
        with obs.span(data_plane.AGENT_INSTANCE_BOOT_SPAN)() as ours:
            assert trace.get_current_span().get_span_context().trace_id == int(ours.ids[0], 16)
        with trace.get_tracer("library").start_as_current_span("theirs"):
            obs.log.info("inside")
    lines = [json.loads(line) for line in sink.lines]
    assert [line["logger"] for line in lines if line["msg"] == "disk full"] == ["somebody.else"]
    assert any("old call" in line["msg"] for line in lines)
    assert [bool(line["trace_id"]) for line in lines if line["msg"] == "inside"] == [True]
    assert (root.handlers[:], root.level, sys.excepthook, threading.excepthook) == before


def test_a_process_can_stop_and_start_again() -> None:
    """OpenTelemetry's provider can be set only once; a restart in the same process still gets its spans."""
    tracer = trace.get_tracer("library kept across the restart")
    for _ in range(2):
        with started() as obs, tracer.start_as_current_span("theirs"):
            assert obs.traces.current_ids()[0]


def test_two_components_of_one_process_share_the_endpoint_and_keep_their_names() -> None:
    """Lines and samples carry each component's own name, and the exposition has each family's header once."""
    sink = MemorySink()
    with started("control-plane", sink=sink) as obs:
        projector = obs.component("projector")
        obs.log.info("from the API")
        projector.log.info("from the projector")
        text = fetch(obs, "/metrics")[1].decode()
        assert text.count("# TYPE build_info gauge") == 1
        assert 'build_info{component="projector"' in text
        assert 'build_info{component="control-plane"' in text
        checks = json.loads(fetch(obs, "/readyz")[1])["checks"]
        assert {"db_connectivity", "projector/checkpoint_moving"} <= set(checks)
    said = {json.loads(line)["msg"]: json.loads(line)["component"] for line in sink.lines}
    assert (said["from the API"], said["from the projector"]) == ("control-plane", "projector")


def test_a_line_is_the_same_every_time() -> None:
    """With still time and counted ids a whole record can be compared."""
    obs = observability("agent", clock=FixedClock(), ids=FixedIds())
    with obs.request(), obs.bind(env_id="env_01J00000000000000000000000"), obs.span(data_plane.AGENT_INSTANCE_BOOT_SPAN)():
        obs.log.event(data_plane.INSTANCE_READY, boot_seconds=0.25)
    assert obs.events("instance.ready") == [
        {
            "timestamp": "2025-12-17T19:33:20.000000Z",
            "level": "info",
            "component": "agent",
            "msg": "Instance passed its health check.",
            "event": "instance.ready",
            "request_id": "req_01KCPWTZ000000000000000001",
            "trace_id": "00000000000000000000000000000001",
            "span_id": "0000000000000001",
            "node_id": NODE_ID,
            "env_id": "env_01J00000000000000000000000",
            "boot_seconds": 0.25,
        }
    ]


def test_org_id_comes_only_through_with_tenant() -> None:
    """No keyword, bind() or request() puts an org into a platform line; the block does (LOG-06)."""
    obs = observability("agent")
    org_id = "org_01J00000000000000000000000"
    obs.log.info("as a keyword", org_id=org_id)
    with obs.bind(org_id=org_id):
        obs.log.info("bound")
    with obs.request(org_id=org_id):
        obs.log.info("in a request")
    with obs.with_tenant(org_id):
        obs.log.info("within")
    lines = {line["msg"]: line for line in obs.lines()}
    assert [msg for msg, line in lines.items() if "org_id" in line] == ["within"]
    assert lines["within"]["org_id"] == org_id


def test_context_is_carried_into_threads_and_follows_tasks() -> None:
    """Bound fields show in a task by themselves and in a thread through carry()."""
    obs = observability("agent")

    async def work() -> None:
        obs.log.info("in a task")

    async def main() -> None:
        await asyncio.create_task(work())

    with obs.request("req-from-client"), obs.bind(process_type="web"):
        asyncio.run(main())
        thread = threading.Thread(target=obs.carry(lambda: obs.log.info("in a thread")))
        thread.start()
        thread.join()
    for msg in ("in a task", "in a thread"):
        (line,) = [line for line in obs.lines() if line["msg"] == msg]
        assert (line["request_id"], line["process_type"]) == ("req-from-client", "web")


class _Hostile(str):
    """Text whose every question raises."""

    __slots__ = ()

    def __len__(self) -> int:
        raise RuntimeError("no")

    __bool__ = __str__ = __repr__ = __len__  # type: ignore[assignment]


def test_close_is_safe_to_call_twice_and_flushes() -> None:
    """The last line is written, a second close does nothing, a line after it is counted and not raised."""
    sink = MemorySink()
    with started(sink=sink) as obs:
        obs.log.info("last words")
    obs.close()
    obs.log.info("too late")
    messages = [json.loads(line)["msg"] for line in sink.lines]
    assert "last words" in messages
    assert messages[-1].startswith("Component stopped") or messages[-1] == "too late"


class StuckSink(MemorySink):
    """A host's own sink whose close hangs until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.may_close = threading.Event()

    def close(self, timeout_s: float) -> None:
        """Hang."""
        self.may_close.wait(60)


def test_close_keeps_its_deadline_with_a_sink_that_does_not() -> None:
    """A sink that hangs is left behind and counted."""
    sink = StuckSink()
    obs = obslib.start("agent", node_id=NODE_ID, sink=sink, log_format="json", admin_port=-1, adopt_process=False)
    closing = threading.Thread(target=obs.close, args=(0.3,))
    closing.start()
    closing.join(30)
    assert not closing.is_alive()
    assert not sink.may_close.is_set(), "it waited until the sink was let go"
    assert "did not close within" in obs._guard.last["logs"]
    sink.may_close.set()


def test_a_request_id_of_any_kind_opens_a_context() -> None:
    """What is no plain text is as good as none: a fresh id is minted, and nothing raises."""
    obs = observability("agent")
    strange: tuple[Any, ...] = (None, 5, b"req", object(), _Hostile("req_1"), _Hostile(""))
    for request_id in strange:
        with obs.request(request_id):
            obs.log.info("inside")
    assert all(line["request_id"].startswith("req_0") for line in obs.lines()[-len(strange) :])


def test_an_uncaught_exception_is_a_line_and_not_a_traceback() -> None:
    """A crash in the main thread comes out in the same shape as everything else, and the exit code stays 1."""
    program = (
        "import obslib\n"
        f"obs = obslib.start('agent', node_id={NODE_ID!r}, log_format='json')\n"
        "raise RuntimeError('token=abcdefghijklmnop1234')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stderr == ""
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    (crash,) = [line for line in lines if line["level"] == "error"]
    assert crash["exception"]["type"] == "RuntimeError"
    assert "abcdefghijklmnop1234" not in done.stdout
    assert lines[-1]["event"] == "component.stopped"


@pytest.mark.parametrize("block", ["with obs: fail()", "asyncio.run(main())"])
def test_an_exception_that_leaves_the_block_has_its_line_and_no_raw_traceback(block: str) -> None:
    """It is logged with its class and redacted before the component stops, and standard error shows nothing of it."""
    program = (
        "import asyncio, obslib\n"
        f"obs = obslib.start('agent', node_id={NODE_ID!r}, log_format='json')\n"
        "def fail(): raise ConnectionError('password=hunter2hunter2')\n"
        "async def main():\n    async with obs: fail()\n" + block
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (1, "")
    assert "hunter2hunter2" not in done.stdout
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line.get("event") for line in events][-2:] == ["component.failed", "component.stopped"]
    assert (events[-2]["error_class"], events[-2]["retryable"]) == ("unavailable", True)


def test_wiring_a_closed_observability_is_refused() -> None:
    """After close() nothing can be started again by accident; emitting stays quiet."""
    with started() as obs:
        pass
    for wire in (obs.begin, lambda: obs.component("edge"), lambda: obs.loop(data_plane.AGENT_RECONCILE), obs.__enter__):
        with pytest.raises(obslib.Closed, match=r"'agent' is closed; call obslib\.start"):
            wire()
    obs.log.info("too late, and harmless")


def test_a_component_asked_for_twice_is_the_same_object() -> None:
    """No series appears twice in /metrics, whoever asks for whom."""
    with started("control-plane") as obs:
        projector = obs.component("projector")
        assert obs.component("projector") is projector
        assert projector.component("control-plane") is obs
        lines = [line for line in fetch(obs, "/metrics")[1].decode().splitlines() if not line.startswith("#")]
        series = [line.rsplit(" ", 1)[0] for line in lines]
        assert len(series) == len(set(series))


@pytest.mark.parametrize(
    "setting",
    [{"log_buffer_lines": 0}, {"log_buffer_lines": True}, {"close_timeout_s": float("inf")}, {"close_timeout_s": float("nan")},
     {"trace_slow_seconds": -1}, {"admin_port": -2}, {"admin_port": 70_000}, {"trace_otlp_endpoint": "not a url"},
     {"version": "a b"}],
)  # fmt: skip
def test_a_setting_out_of_range_is_refused(setting: dict[str, Any]) -> None:
    """The sentence names the setting and the value."""
    (name,) = setting
    with pytest.raises(obslib.SettingsError, match=name), started(**setting):
        pass


@pytest.mark.parametrize("errors", [{ValueError: "nonsense"}, {"ValueError": obslib.ErrorClass.DEPENDENCY}])
def test_errors_maps_exception_types_to_classes(errors: Any) -> None:
    """Anything else is refused at start, not ignored."""
    with pytest.raises(obslib.SettingsError, match="errors"):
        observability("agent", errors=errors)


def test_a_thread_that_dies_of_any_exception_is_told() -> None:
    """Not only of an Exception: extension modules raise BaseException too."""

    class Panic(BaseException):
        """What an extension module may raise."""

    def die() -> None:
        raise Panic("lost")

    sink = MemorySink()
    with started(sink=sink):
        thread = threading.Thread(target=die)
        thread.start()
        thread.join()
    told = [json.loads(line) for line in sink.lines]
    (line,) = [line for line in told if line["level"] == "error"]
    assert line["exception"]["type"].endswith("Panic")


def test_a_ten_line_service_outside_the_platform_is_as_short() -> None:
    """COMMON.extend with one component and one counter is all a service of another product needs."""
    with started("billing", catalog=BILLING) as obs:
        obs.metrics[INVOICES].labels(purpose="monthly").inc()
        assert b'invoices_total{component="billing",purpose="monthly"} 1.0' in fetch(obs, "/metrics")[1]


def test_a_sample_is_of_the_name_that_was_asked_for() -> None:
    """A name that begins like another's is not taken for it, and what nobody exposes is absent."""

    @counter("sold_total", serves=("T",))
    def SOLD(*, size: Annotated[Literal["a", "b"], Label.closed("size", "a", "b")]) -> None:
        """Things sold."""

    @counter("sold_total_seen_total", serves=("T",))
    def SEEN() -> None:
        """Others."""

    shop = COMMON.extend("shop", components=[Component(name="shop", plane=Plane.COMMON)], signals=[SEEN, SOLD])
    with observability("shop", catalog=shop) as obs:
        obs.metrics[SEEN].labels().inc(7)
        obs.metrics[SOLD].labels(size="b").inc(2)
        assert [obs.sample(SOLD, size=size) for size in ("a", "b", "c")] == [0, 2, None]
        assert [obs.sample(name) for name in ("sold_total_seen_total", "sold", "sold_total_seen")] == [7, None, None]
