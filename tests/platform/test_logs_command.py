"""``platform logs`` on a running platform: by env, process type, instance and time, within the limits, for its org alone."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from miniplatform.launcher import wait_for
from miniplatform.store.migrate import ROLE
from obslib.wire import unix

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

MANIFEST = """
name = "chatty"

[process.steady]
command = ["python", "-m", "miniplatform.apps.flood"]
replicas = 2

[process.steady.env]
FLOOD_LINES_PER_S = "20"
FLOOD_HOSTILE = "1"

[process.loud]
command = ["python", "-m", "miniplatform.apps.flood"]
replicas = 1

[process.loud.env]
FLOOD_LINES_PER_S = "1500"
"""


@pytest.fixture(scope="module")
def tenant(shared: Any) -> Iterator[Any]:
    """An org whose app writes at its ease and at its worst; it is silent again afterwards."""
    tenant = shared.tenant("chatters", app="chatty")
    manifest = shared.platform.state / "chatty.toml"
    manifest.write_text(MANIFEST)
    done = tenant.run("deploy", str(manifest))
    assert done.returncode == 0, done.stderr
    for process_type in ("steady", "loud"):
        wait_for(f"lines of {process_type}", lambda one=process_type: lines(tenant, "--process-type", one), deadline_s=60)
    yield tenant
    assert tenant.run("scale", "steady=0", "loud=0", "--yes").returncode == 0


def lines(tenant: Any, *selection: str) -> list[dict[str, Any]]:
    """The items of a query."""
    found: list[dict[str, Any]] = tenant.json("logs", "query", *selection)["items"]
    return found


def test_a_query_is_by_process_type_instance_and_time(tenant: Any) -> None:
    """Each narrows to exactly what it says, with the whole entry of every line (WLG-01 to WLG-04)."""
    assert {entry["process_type"] for entry in lines(tenant, "--limit", "10000", "--since", "1h")} == {"steady", "loud"}
    steady = lines(tenant, "--process-type", "steady", "--limit", "500")
    assert {entry["process_type"] for entry in steady} == {"steady"}
    instances = sorted({entry["instance_id"] for entry in steady})
    assert len(instances) == 2
    chosen = ("--instance", instances[0], "--limit", "500")
    wait_for("lines of two moments", lambda: len({entry["ts"] for entry in lines(tenant, *chosen)}) > 2, deadline_s=60)
    one = lines(tenant, *chosen)
    assert {entry["instance_id"] for entry in one} == {instances[0]}
    assert [entry["seq"] for entry in one] == sorted(entry["seq"] for entry in one)
    first, last = one[0]["ts"], one[-1]["ts"]
    earlier = lines(tenant, "--instance", instances[0], "--since", first, "--until", last, "--limit", "10000")
    assert earlier
    assert all(unix(first) <= unix(entry["ts"]) < unix(last) for entry in earlier)


def test_what_people_see_holds_no_escape(tenant: Any) -> None:
    """The app writes escapes, NUL bytes, broken UTF-8 and carriage returns; the terminal gets none of them."""
    wait_for(
        "a hostile line", lambda: any("owned" in e["line"] for e in lines(tenant, "--process-type", "steady")), deadline_s=60
    )
    done = tenant.run("logs", "query", "--process-type", "steady", "--limit", "1000")
    assert done.returncode == 0, done.stderr
    assert "\\x1b]0;owned\\x07" in done.stdout
    assert not [c for c in done.stdout if (ord(c) < 32 and c not in "\t\n") or 127 <= ord(c) < 160 or c in "\u202e\u202c"]


def test_a_tail_follows_and_says_what_a_flood_cost(tenant: Any) -> None:
    """NDJSON, a line a record; more than 500 lines a second are thinned, with markers that count (WLG-12)."""
    done = tenant.run("logs", "tail", "--process-type", "loud", "--json", "--tail-lines", "0", "--limit", "2000")
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    skipped = [record for record in records if record.get("kind") == "lines_skipped"]
    assert sum(record["count"] for record in skipped) > 0
    assert {record["reason"] for record in skipped} == {"tail_rate"}
    seqs = [record["seq"] for record in records if "kind" not in record]
    assert seqs == sorted(set(seqs))
    seconds = unix(records[-1]["ts"]) - unix(records[0]["ts"])
    assert len(seqs) <= 500 * (seconds + 3)


def test_ctrl_c_ends_a_tail(tenant: Any) -> None:
    """With 130 and without words."""
    command = [str(Path(sys.executable).parent / "platform"), "logs", "tail", "--process-type", "steady"]
    environment = {"PLATFORM_CONTEXT": str(tenant.context)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as tail:
        assert tail.stdout is not None
        assert tail.stdout.readline()
        tail.send_signal(signal.SIGINT)
        _, said = tail.communicate(timeout=30)
    assert (tail.returncode, said) == (130, b"")


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (("query", "--limit", "10001"), "limits.max_query_lines is 10000"),
        (("query", "--since", "2h"), "limits.max_query_window_seconds is 3600"),
        (("tail", "--since", "2h"), "limits.max_query_window_seconds is 3600"),
    ],
)
def test_a_limit_is_told_as_the_api_says_it(tenant: Any, asked: tuple[str, ...], named: str) -> None:
    """Exit 2 and the limit with its figure."""
    done = tenant.run("logs", *asked)
    assert (done.returncode, done.stdout) == (2, "")
    assert named in " ".join(done.stderr.split())


def test_streams_are_counted_and_one_too_many_is_refused(tenant: Any) -> None:
    """Five with one token; the sixth is told 429, and the command ends with 6 (WLG-14)."""
    path = "/v1/orgs/chatters/apps/chatty/envs/prod/logs/stream"
    with tenant.http() as client:
        open_streams = [client.send(client.build_request("GET", path), stream=True) for _ in range(5)]
        assert [stream.status_code for stream in open_streams] == [200] * 5
        done = tenant.run("logs", "tail", "--limit", "1")
        assert done.returncode == 6
        assert "limits.max_log_streams" in " ".join(done.stderr.split())
        for stream in open_streams:
            stream.close()
    wait_for("a place to be free", lambda: tenant.run("logs", "tail", "--limit", "1").returncode == 0, deadline_s=60)


def test_to_another_org_there_is_nothing(shared: Any, tenant: Any) -> None:
    """Queries and tails of another org's logs end with 4, and their answers are 404 and hold no word of it (R7)."""
    stranger = shared.tenant("strangers", app="chatty")
    for command in ("query", "tail"):
        done = stranger.run("logs", command, "--org", "chatters", "--process-type", "steady")
        assert (done.returncode, done.stdout) == (4, "")
    env = lines(tenant, "--limit", "1")[0]
    with stranger.http() as client:
        for org in ("chatters", env["org_id"]):
            for ending in ("logs", "logs/stream?tail_lines=10"):
                reply = client.get(f"/v1/orgs/{org}/apps/{env['app_id']}/envs/{env['env_id']}/{ending}")
                assert (reply.status_code, reply.json()["code"]) == (404, "not_found")
                assert env["line"] not in reply.text


def test_without_a_record_not_one_line(shared: Any, tenant: Any) -> None:
    """While the audit trail takes nothing, nothing is readable; afterwards everything is (R8)."""
    with psycopg.connect(shared.platform.database.url, autocommit=True) as superuser:
        superuser.execute(f"REVOKE INSERT ON audit_records FROM {ROLE}")
        try:
            for command in (("query",), ("tail", "--tail-lines", "10", "--limit", "1")):
                done = tenant.run("logs", *command)
                assert (done.returncode, done.stdout) == (6, "")
                assert "could not be put on record, so nothing was read" in " ".join(done.stderr.split())
        finally:
            superuser.execute(f"GRANT INSERT ON audit_records TO {ROLE}")
    assert lines(tenant)
