"""What the running platform emitted, read as an operator's tools read it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from miniplatform.launcher import wait_for
from obslib.catalog import Family
from obslib.catalog.platform import PLATFORM

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

COMPONENT = {"control-plane": "control-plane", "projector": "projector", "scheduler": "scheduler",
             "agent-1": "agent", "agent-2": "agent", "edge-1": "edge"}  # fmt: skip
TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\Z")


@pytest.fixture(scope="module")
def deployed(shared: Any) -> Any:
    """The shared platform after one deploy that serves, with the trace id of that deploy."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    tenant = shared.tenant("acme")
    reply = tenant.json("deploy", str(shared.manifest(port)))
    wait_for("an answer through the edge", lambda: _serves(port), deadline_s=30)
    for _ in range(50):
        assert httpx.get(f"http://127.0.0.1:{port}/", timeout=5).is_success
    return shared, tenant, reply["trace_id"]


def test_every_log_line_is_strict_json_with_its_mandatory_fields(deployed: Any) -> None:
    """Each line of all five components parses strictly, has no duplicate key and carries what LOG-02..09 demand."""
    shared, _, _ = deployed
    seen: Counter[str] = Counter()
    for name, component in COMPONENT.items():
        for raw in shared.log_lines(name):
            problems = problems_of(raw, component)
            assert not problems, (name, problems, raw)
            seen[component] += 1
    assert set(seen) == set(COMPONENT.values())
    assert all(count >= 2 for count in seen.values()), seen


GOOD = {
    "timestamp": "2026-01-01T00:00:00.000000Z", "level": "info", "component": "edge", "msg": "x", "request_id": "",
    "trace_id": "", "node_id": "node_01J00000000000000000000000",
}  # fmt: skip


@pytest.mark.parametrize(
    "line",
    [
        *(json.dumps({key: value for key, value in GOOD.items() if key != missing}) for missing in GOOD),
        json.dumps({**GOOD, "timestamp": "yesterday"}),
        json.dumps({**GOOD, "level": "error"}),
        json.dumps({**GOOD, "trace_id": "xyz"}),
        json.dumps({**GOOD, "component": "agent"}),
        json.dumps({**GOOD, "x": float("nan")}),
        '{"level": "info", "level": "warn"}',
        "plain text",
    ],
)
def test_mutant_a_bad_line_is_found(line: str) -> None:
    """The checker above finds each kind of broken line, and accepts a good one."""
    assert problems_of(line.encode(), "edge")
    assert not problems_of(json.dumps(GOOD).encode(), "edge")


def test_promtool_is_silent_on_every_exposition(deployed: Any, need: Callable[[str], str]) -> None:
    """``promtool check metrics`` says nothing about any component's /metrics."""
    shared, _, _ = deployed
    promtool = need("promtool")
    for name in COMPONENT:
        exposition = httpx.get(f"{shared.platform.admin(name)}/metrics", timeout=5)
        assert exposition.status_code == 200
        done = subprocess.run([promtool, "check", "metrics"], input=exposition.content, capture_output=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, b""), name


def test_the_linter_has_nothing_to_say_about_the_running_platform(deployed: Any) -> None:
    """Every family, label and value of every process is declared, within its proof, and of no unbounded shape (CARD-01)."""
    shared, _, _ = deployed
    scrapes = [flag for name in COMPONENT for flag in ("--metrics", f"{shared.platform.admin(name)}/metrics")]
    done = obslib("lint", *scrapes)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{len(COMPONENT)} files, nothing found\n", "")


def test_mutant_a_catalog_that_lacks_what_the_platform_exposes_is_found(deployed: Any) -> None:
    """Held against the catalog of another product, the same scrape is full of what is not declared."""
    shared, _, _ = deployed
    done = obslib("lint", "--metrics", f"{shared.platform.admin('edge-1')}/metrics", "--catalog", "obslib.catalog:COMMON")
    assert done.returncode == 1
    assert "metric 'edge_routes_loaded' is not in catalog 'common'" in done.stdout


def obslib(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = str(Path(sys.executable).parent / "obslib")
    return subprocess.run([command, *arguments], capture_output=True, text=True, timeout=90, check=False)


NOT_HERE = {
    "agent_overlay_": "the miniplatform has no overlay",
    "agent_volume_": "it has no volumes",
    "agent_snapshots_": "nor snapshots of any",
    "agent_snapshot_": "nor snapshots of any",
    "agent_restores_": "nor restores",
    "agent_restore_": "nor restores",
    "agent_secrets_": "it delivers no secrets",
    "agent_actor_": "its agent has tasks and no mailboxes",
    "backup_": "it makes no backups",
    "ipam_pool_": "its instances share the address of their node",
}
"""What no process of the miniplatform exports, by the beginning of its names; everything else of the catalog is there."""

NOT_YET = {
    "http_request_errors_total": "its labels are open, and nothing was refused yet",
    "projection_errors_total": "its labels are open, and no event was found that a projection cannot apply",
    "agent_instance_oom_kills_total": "its label is open, and nothing outgrew its cap yet",
    "agent_instance_cpu_": "only the kernel knows it, on a machine that has control groups",
    "db_replication_lag_seconds": "absent, not 0, while no replica is connected",
    "event_log_rows": "the database has not looked at the table yet",
}
"""What may be absent because of what has, or has not, happened."""


def test_every_family_is_exported_or_its_absence_has_a_reason(deployed: Any) -> None:
    """After one deploy that serves, a component exports all it may, but for what the miniplatform does not have."""
    shared, _, _ = deployed
    shown: dict[str, set[str]] = {component: set() for component in COMPONENT.values()}
    for name, component in COMPONENT.items():
        exposition = httpx.get(f"{shared.platform.admin(name)}/metrics", timeout=5).text
        shown[component] |= {family.name for family in text_string_to_metric_families(exposition)}
    for component, names in shown.items():
        families = PLATFORM.of(Family, component)
        absent = {family.name for family in families if family.name.removesuffix("_total") not in names}
        here = {family.name for family in families if not family.name.startswith(tuple(NOT_HERE))}
        assert {name for name in absent & here if not name.startswith(tuple(NOT_YET))} == set(), component
        assert {family.name for family in families} - here <= absent, component


def test_one_deploy_is_followed_by_one_trace_id(deployed: Any) -> None:
    """The deploy's trace id, or a link to it, is in the lines and spans of every component, and in its events."""
    shared, tenant, trace_id = deployed
    assert re.fullmatch(r"[0-9a-f]{32}", trace_id)
    for name in ("control-plane", "projector", "scheduler", "edge-1"):
        wait_for(f"a line of {name} in the deploy's trace", partial(_lines_in, shared, name, trace_id), deadline_s=20)
    agents = [line for name in ("agent-1", "agent-2") for line in _lines_in(shared, name, trace_id)]
    assert agents
    components: set[str] = set()
    wanted = set(COMPONENT.values())

    def spans_arrived(spans: list[Any]) -> bool:
        components.update(s.resource["service.name"] for s in spans if trace_id == s.trace_id or trace_id in _linked(s))
        return components >= wanted

    shared.receiver.wait_for(spans_arrived, timeout_s=20)
    assert components >= wanted
    names = {s.name for s in shared.receiver.spans() if trace_id == s.trace_id or trace_id in _linked(s)}
    assert {"http.request", "command.validate", "event.append", "projection.wait", "http.response", "projection.apply",
            "scheduler.group_reconcile", "agent.instance_boot", "edge.config_apply"} <= names  # fmt: skip
    events = tenant.json("events", "query", "--env", "prod", "--limit", "100")["items"]
    assert {event["event_type"] for event in events} >= {"deploy.created", "instance.allocated", "instance.status_changed"}


def test_spans_of_a_command_and_of_the_scheduler_nest_as_declared(deployed: Any) -> None:
    """TRC-01, TRC-02, TRC-08, TRC-09: the children are there, under the parents the requirements name."""
    shared, _, _ = deployed
    shared.receiver.wait_for(lambda spans: any(s.name == "scheduler.allocate" for s in spans), timeout_s=20)
    spans = {s.span_id: s for s in shared.receiver.spans()}
    edges = {(spans[s.parent_span_id].name, s.name) for s in spans.values() if s.parent_span_id in spans}
    assert {("http.request", "command.validate"), ("http.request", "event.append"), ("http.request", "projection.wait"),
            ("http.request", "http.response"), ("scheduler.loop", "scheduler.group_reconcile"),
            ("scheduler.group_reconcile", "scheduler.allocate"), ("scheduler.allocate", "event.append"),
            ("changestream.distribute", "changestream.deliver"), ("agent.instance_boot", "boot.image"),
            ("boot.image", "agent.image_pull"), ("agent.image_pull", "agent.image_convert")} <= edges  # fmt: skip


def problems_of(raw: bytes, component: str) -> list[str]:
    """What is wrong with one log line of ``component``; empty when nothing is."""
    try:
        line = json.loads(raw.decode("utf-8"), object_pairs_hook=_no_duplicates, parse_constant=_refuse)
    except ValueError as error:
        return [str(error)]
    problems = [
        f"no {name}" for name in ("timestamp", "level", "component", "msg", "request_id", "trace_id") if name not in line
    ]
    if not TIMESTAMP.match(str(line.get("timestamp"))):
        problems.append("timestamp is not RFC 3339 in UTC with microseconds")
    if line.get("component") != component:
        problems.append(f"component is {line.get('component')!r}")
    if line.get("level") not in ("debug", "info", "warn", "error"):
        problems.append(f"level is {line.get('level')!r}")
    if component in ("agent", "edge") and not str(line.get("node_id", "")).startswith("node_"):
        problems.append("no node_id")
    if line.get("level") == "error":
        problems += [f"no {name}" for name in ("error_class", "error_message", "retryable") if name not in line]
    if not re.fullmatch(r"([0-9a-f]{32})?", str(line.get("trace_id", ""))):
        problems.append(f"trace_id is {line.get('trace_id')!r}")
    return problems


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _linked(span: Any) -> set[str]:
    return {link if isinstance(link, str) else link.trace_id for link in span.links}


def _lines_in(shared: Any, name: str, trace_id: str) -> list[dict[str, Any]]:
    lines = [json.loads(raw) for raw in shared.log_lines(name)]
    return [line for line in lines if line["trace_id"] == trace_id or trace_id in line.get("linked_trace_ids", [])]


def _serves(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/", timeout=2).is_success
    except httpx.HTTPError:
        return False
