"""The edge follows the control plane while it can, and serves what it has while it cannot."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from miniplatform.edge.control_plane import CallFailed
from miniplatform.edge.follow import Follower
from miniplatform.edge.statefile import StateFile
from miniplatform.edge.table import RoutingTable
from miniplatform.edge.upstream import Upstream
from miniplatform.wire import EdgeConfig, EdgeRoute
from obslib import ErrorClass
from obslib.testing import FixedClock, RecordedObservability, observability
from obslib_edge import EdgeTelemetry, instrument

ROUTE_ID = "rt_01ARZ3NDEKTSV4RRFFQ69G5FAV"
TRACE = "0af7651916cd43dd8448eb211c80319c"


class ScriptedControlPlane:
    """Answers each call with the next of its answers; a last None stops the edge's loop."""

    def __init__(self) -> None:
        self.answers: list[EdgeConfig | CallFailed] = []

    async def config(self, headers: Mapping[str, str]) -> EdgeConfig:
        """The next answer."""
        assert headers["traceparent"]
        answer = self.answers.pop(0)
        if isinstance(answer, CallFailed):
            raise answer
        return answer


class Edge:
    """An edge without its process: one table, one file, one scripted control plane."""

    def __init__(self, obs: RecordedObservability, path: Path, clock: FixedClock) -> None:
        self.obs = obs
        self.clock = clock
        self.file = StateFile(path)
        self.control_plane = ScriptedControlPlane()
        self.telemetry: EdgeTelemetry = instrument(
            obs,
            routes=dict,
            listeners=dict,
            is_intact=lambda: self.table.is_intact(),
            probe_state_file=self.file.probe,
            overlay=None,
            proxy_v2_routes=lambda: 0,
            unbound=lambda: self.table.unbound(),
        )
        events = self.telemetry.connections
        upstream = Upstream(events, connect_timeout_s=0.5, probe_timeout_s=0.5, probe_every_s=0.5)
        self.table = RoutingTable(upstream, events, lambda *_: None)
        self.follower = Follower(obs, self.telemetry, self.table, self.file, self.control_plane)  # type: ignore[arg-type]

    async def polls(self, *answers: EdgeConfig | CallFailed) -> None:
        """Poll once per answer."""
        self.control_plane.answers = list(answers)
        loop = self.telemetry.config.polls(0.01)
        async for it in loop:
            with it:
                await self.follower.poll(it)
            if not self.control_plane.answers:
                loop.stop()

    def reloads(self) -> tuple[float | None, float | None]:
        """Successful and failed reloads so far."""
        name = "edge_config_reloads_total"
        return self.obs.sample(name, result="success"), self.obs.sample(name, result="failure")


@asynccontextmanager
async def edge_at(path: Path) -> AsyncIterator[Edge]:
    """An edge that keeps its config at ``path``."""
    clock = FixedClock()
    with observability("edge", clock=clock) as obs:
        obs.health.stop()
        edge = Edge(obs, path, clock)
        yield edge
        await edge.table.close(grace_s=0.0)


def config(*ports: int, event_id: int = 41) -> EdgeConfig:
    """A config of one route per port."""
    routes = [
        EdgeRoute(
            route_id=ROUTE_ID[:-1] + str(n), org_id="org_1", env_id="env_1", hostname=f"{n}.example", listener_port=port,
            process_type="web", protocol="tcp_raw", traceparent=f"00-{TRACE}-b7ad6b7169203331-01",
        )
        for n, port in enumerate(ports)
    ]  # fmt: skip
    return EdgeConfig.of(routes, cursor_event_id=event_id, head_event_id=event_id)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_a_config_is_applied_saved_and_reported(tmp_path: Path) -> None:
    """After one poll the edge serves it, has it on disk with its cursor, and says so."""
    async with edge_at(tmp_path / "config.json") as edge:
        wanted = config(free_port())
        await edge.polls(wanted)
        assert edge.table.config == wanted
        assert edge.file.load() == wanted
        report = edge.follower.report()
        assert (report.config_id, report.cursor_event_id, report.applied_event_id) == (wanted.config_id, 41, 41)
        assert (report.last_result, report.last_error, list(report.routes)) == ("success", "", [wanted.routes[0].route_id])
        [line] = edge.obs.events("edge.config_applied")
        assert line["linked_trace_ids"] == [TRACE]


async def test_the_same_content_is_no_reload(tmp_path: Path) -> None:
    """A config that says the same as of a later event moves the cursor and nothing else."""
    port = free_port()
    async with edge_at(tmp_path / "config.json") as edge:
        await edge.polls(config(port), config(port, event_id=50))
        assert edge.reloads() == (1, 0)
        assert edge.follower.report().applied_event_id == 50


async def test_an_outage_of_the_control_plane_changes_nothing(tmp_path: Path) -> None:
    """The config in force stays; the loop's failures are the only trace of it, and no reload is counted."""
    async with edge_at(tmp_path / "config.json") as edge:
        wanted = config(free_port())
        away = CallFailed("the control plane cannot be reached (gone)", ErrorClass.UNAVAILABLE)
        await edge.polls(wanted, away, away)
        assert edge.table.config == wanted
        assert edge.table.is_intact()
        assert edge.reloads() == (1, 0)
        assert [line["error_class"] for line in edge.obs.events("edge.config_apply_failed")] == ["unavailable"] * 2
        assert edge.follower.report().last_result == "success"


async def test_a_port_in_use_is_one_failed_reload_of_one_route(tmp_path: Path) -> None:
    """Other routes go through, the route is reported and logged once, and served on a later poll without being asked again."""
    async with edge_at(tmp_path / "config.json") as edge:
        kept = free_port()
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            new = config(kept, port, event_id=42)
            await edge.polls(config(kept), new, new, new)
            report = edge.follower.report()
            assert edge.obs.health.run_now().checks["safe_reload"].verdict.detail == (
                f"listener ports that cannot be bound, without which it serves: {port} (Address already in use)"
            )
        assert (report.config_id, report.applied_event_id, report.last_result) == (new.config_id, 42, "success")
        assert [r.problem for r in report.routes.values()] == ["", "port_unavailable"]
        refused = new.routes[1].route_id
        assert report.trouble == f"routes not served: {refused} on port {port}: port_unavailable"
        assert edge.file.load() == edge.table.config == new
        assert edge.reloads() == (1, 1)
        await edge.polls(new)
        assert (edge.reloads(), edge.follower.report().trouble) == ((1, 1), "")
        lines = [(line["level"], line["route_id"]) for line in edge.obs.lines() if line.get("listener_port") == port]
        assert lines == [("warn", refused), ("info", refused)]


async def test_a_port_that_stays_taken_keeps_the_alert(tmp_path: Path) -> None:
    """While a route is refused one failed reload is counted every five minutes, also after a restart from disk."""
    async with edge_at(tmp_path / "config.json") as edge:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            wanted = config(taken.getsockname()[1])
            edge.file.save(wanted)
            edge.follower.restore()
            await edge.polls(wanted, wanted)
            assert edge.reloads() == (0, 1)
            edge.clock.advance(300)
            await edge.polls(wanted, wanted)
            assert edge.reloads() == (0, 2)


async def test_a_config_that_is_refused_is_tried_again_and_the_stream_stays_heard(tmp_path: Path) -> None:
    """Tries have pauses of their own: the edge asks at its pace, so config_stream speaks of answers and not of applies."""
    async with edge_at(tmp_path / "config.json") as edge:
        old, port = config(free_port()), free_port()
        bad, good = config(port, port, event_id=42), config(port, event_id=43)
        await edge.polls(old, bad, bad)
        assert (edge.reloads(), edge.file.load(), edge.table.config) == ((1, 1), old, old)
        report = edge.follower.report()
        assert (report.applied_event_id, report.last_result) == (41, "failure")
        assert report.last_error.endswith(f"both claim raw port {port}")
        for seconds in (1, 2, 4, 8, 16, 32, 60, 60):
            edge.clock.advance(seconds)
            await edge.polls(bad, bad)
            assert edge.obs.health.run_now().checks["config_stream"].verdict.status.value == "ok"
        assert edge.reloads() == (1, 9)
        await edge.polls(good)
        assert (edge.reloads(), edge.follower.report().last_error) == ((2, 9), "")


async def test_a_restart_serves_before_anybody_answers(tmp_path: Path) -> None:
    """What was applied last is served from disk; the same config from the control plane is then no reload."""
    wanted = config(free_port())
    async with edge_at(tmp_path / "config.json") as edge:
        await edge.polls(wanted)
    async with edge_at(tmp_path / "config.json") as edge:
        edge.follower.restore()
        assert edge.table.config == wanted
        assert edge.follower.report().cursor_event_id == 41
        await edge.polls(wanted)
        assert edge.reloads() == (0, 0)


async def test_a_damaged_file_is_said_and_starts_empty(tmp_path: Path) -> None:
    """The edge starts without a config, and takes the next one."""
    path = tmp_path / "config.json"
    path.write_bytes(b"\x00" * 64)
    async with edge_at(path) as edge:
        edge.follower.restore()
        assert edge.table.config is None
        [line] = [line for line in edge.obs.lines() if line["level"] == "error"]
        assert line["error_message"].startswith("the saved route config is damaged")
        await edge.polls(config(free_port()))
        assert edge.reloads() == (1, 0)


async def test_a_save_that_failed_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The config is served at once; saving is tried again, after a pause, until it is on disk too."""
    async with edge_at(tmp_path / "config.json") as edge:
        wanted = config(free_port())
        with monkeypatch.context() as patch:
            patch.setattr(edge.file, "_replace", _full)
            await edge.polls(wanted)
        assert edge.table.config == wanted
        assert (edge.reloads(), edge.file.load()) == ((1, 0), None)
        edge.clock.advance(1)
        await edge.polls(wanted)
        assert (edge.reloads(), edge.file.load()) == ((1, 0), wanted)


def _full(content: bytes) -> None:
    raise OSError(28, "No space left on device")
