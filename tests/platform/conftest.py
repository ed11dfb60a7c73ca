"""A miniplatform that runs, its command line, and a Prometheus that scrapes it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from miniplatform.launcher import Platform, wait_for
from obslib.testing.otlp import OtlpReceiver

APPS = Path(__file__).parents[2] / "examples" / "miniplatform" / "apps"


@dataclass
class Tenant:
    """One org's use of a platform: the ``platform`` command with its context."""

    platform: Platform
    org: str
    context: Path
    token: str = field(repr=False)

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the command; its exit code is the caller's to judge."""
        return subprocess.run(
            [str(Path(sys.executable).parent / "platform"), *arguments],
            env={**os.environ, "PLATFORM_CONTEXT": str(self.context), "COLUMNS": "100", **environment},
            capture_output=True, text=True, timeout=90, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def json(self, *arguments: str) -> dict[str, Any]:
        """Run the command with ``--json`` and parse what it prints; it must succeed."""
        done = self.run(*arguments, "--json")
        assert done.returncode == 0, done.stderr + done.stdout
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def http(self) -> httpx.Client:
        """A client of the API with this tenant's token."""
        return httpx.Client(base_url=self.platform.api, headers={"Authorization": f"Bearer {self.token}"}, timeout=10)


@dataclass
class Running:
    """A platform, the spans it sent, and a way to sign tenants up."""

    platform: Platform
    receiver: OtlpReceiver

    def tenant(self, org: str, app: str = "web") -> Tenant:
        """Sign an org up; its context names ``app`` and env ``prod``."""
        with self.platform.operator() as client:
            client.post("/v1/orgs", json={"name": org})
            reply = client.post(f"/v1/orgs/{org}/tokens", json={"role": "owner"})
            reply.raise_for_status()
        token = reply.json()["token"]
        context = self.platform.state / f"context-{org}-{app}.json"
        context.write_text(json.dumps({"api": self.platform.api, "token": token, "org": org, "app": app, "env": "prod"}))
        return Tenant(self.platform, org, context, token)

    def manifest(self, port: int, *, replicas: int = 2, name: str = "web") -> Path:
        """The web app's manifest on another port and scale."""
        text = (APPS / "web.toml").read_text()
        lines = [
            f"listener_port = {port}" if line.startswith("listener_port")
            else f"replicas = {replicas}" if line.startswith("replicas")
            else f'name = "{name}"' if line.startswith("name") else line
            for line in text.splitlines()
        ]  # fmt: skip
        path = self.platform.state / f"{name}-{port}.toml"
        path.write_text("\n".join(lines) + "\n")
        return path

    def log_lines(self, name: str) -> list[bytes]:
        """Every complete line a process has written so far."""
        content = (self.platform.logs / f"{name}.jsonl").read_bytes()
        return content.split(b"\n")[:-1]


@contextmanager
def running(**environment: str) -> Iterator[Running]:
    """A platform of its own, in a temporary directory, sending its spans to a receiver of its own."""
    with tempfile.TemporaryDirectory(prefix="miniplatform-") as directory, OtlpReceiver() as receiver:
        os.chmod(directory, 0o755)
        platform = Platform(
            Path(directory),
            environment={
                "OBSLIB_TRACE_SUCCESS_RATIO": "1.0", "OBSLIB_TRACE_OTLP_ENDPOINT": receiver.endpoint,
                "OBSLIB_LOG_LEVEL": "debug", **environment,
            },
        )  # fmt: skip
        try:
            platform.up()
            yield Running(platform, receiver)
        finally:
            platform.down()


@pytest.fixture(scope="session")
def shared() -> Iterator[Running]:
    """One platform for the tests that only add to it."""
    with running() as platform:
        yield platform


@pytest.fixture(scope="session")
def fresh_platform() -> Callable[..., Any]:
    """Makes a platform of one's own, for tests that break it."""
    return running


@dataclass
class Prometheus:
    """A real Prometheus on a free port, with the rendered configuration and rules in ``directory``."""

    url: str
    platform: Platform
    directory: Path

    def query(self, expression: str) -> list[dict[str, Any]]:
        """An instant query's result vector."""
        reply = httpx.get(f"{self.url}/api/v1/query", params={"query": expression}, timeout=10)
        reply.raise_for_status()
        result: list[dict[str, Any]] = reply.json()["data"]["result"]
        return result

    def firing(self, alert: str) -> list[dict[str, str]]:
        """The labels of each alert of this name that fires now."""
        found = httpx.get(f"{self.url}/api/v1/alerts", timeout=10).raise_for_status().json()["data"]["alerts"]
        return [each["labels"] for each in found if each["labels"]["alertname"] == alert and each["state"] == "firing"]

    def head_series(self) -> int:
        """Series in the head block, as Prometheus counts them."""
        reply = httpx.get(f"{self.url}/api/v1/status/tsdb", timeout=10)
        reply.raise_for_status()
        return int(reply.json()["data"]["headStats"]["numSeries"])

    def sees_all(self) -> bool:
        """Whether every process of the platform answers its scrapes."""
        try:
            return sum(float(item["value"][1]) for item in self.query("up")) == len(self.platform.names())
        except httpx.HTTPError:
            return False

    def aim(self) -> None:
        """Write the targets files anew: a process that was started again listens elsewhere."""
        jobs: dict[str, list[str]] = {}
        for name in self.platform.names():
            job = name.rstrip("0123456789").rstrip("-")
            jobs.setdefault(job, []).append(self.platform.admin(name).removeprefix("http://"))
        (self.directory / "targets").mkdir(exist_ok=True)
        for job, targets in jobs.items():
            draft = self.directory / "targets" / f"{job}.new"
            draft.write_text(json.dumps([{"targets": targets}]))
            draft.rename(draft.with_suffix(".json"))


@contextmanager
def watching(platform: Platform, program: str, directory: Path, *, shorten: int) -> Iterator[Prometheus]:
    """A Prometheus over ``platform``, with what ``obslib build --shorten`` renders and nothing else."""
    obslib = str(Path(sys.executable).parent / "obslib")
    subprocess.run(
        [obslib, "build", "--out", str(directory), "--shorten", str(shorten)], check=True, capture_output=True, timeout=60
    )
    port = _free_port()
    server = Prometheus(f"http://127.0.0.1:{port}", platform, directory / "generated")
    server.aim()
    with (directory / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [program, f"--config.file={server.directory / 'prometheus.yml'}", f"--storage.tsdb.path={directory / 'tsdb'}",
             f"--web.listen-address=127.0.0.1:{port}"],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    try:
        wait_for("Prometheus to scrape every target", server.sees_all, deadline_s=60, every_s=0.3)
        yield server
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="session")
def prometheus_over() -> Callable[..., Any]:
    """Makes a Prometheus over a platform of one's own."""
    return watching


def _free_port() -> int:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def free_port() -> int:
    """A port nobody listens on."""
    return _free_port()


@pytest.fixture(scope="session")
def free_ports() -> Callable[[], int]:
    """Finds a port nobody listens on, each time it is called."""
    return _free_port
