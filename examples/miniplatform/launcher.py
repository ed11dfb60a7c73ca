"""Starts the platform's processes, waits until each says it is ready, and stops them by pid.

Where each listens is written under ``<state>/run``; what runs is found by its command line, so that ``down`` ends it
even when the state directory is gone. Nothing here knows what a component does; it only starts, watches and ends.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil

from miniplatform.agent.cgroups import Hierarchies, remove_groups
from miniplatform.postgres import Database
from miniplatform.process import ExitCode, Refusal

__all__ = ["AGENTS", "EDGE", "Platform", "Started", "wait_for"]

AGENTS = ("agent-1", "agent-2")
EDGE = "edge-1"
_NODE_MEMORY = 2 * 2**30


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """One process: its name, its pid and the file its output goes to."""

    name: str
    pid: int
    log: Path


def wait_for(what: str, condition: Callable[[], Any], *, deadline_s: float, every_s: float = 0.05) -> Any:
    """Poll ``condition`` until it is true and return its value; raises Refusal naming ``what`` at the deadline."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= end:
            raise Refusal(f"waited {deadline_s:g} s for {what}, in vain", ExitCode.FAILURE)
        time.sleep(every_s)


class Platform:
    """One miniplatform in one state directory."""

    def __init__(self, state: Path, *, environment: dict[str, str] | None = None) -> None:
        self.state = state.resolve()
        self.run = self.state / "run"
        self.logs = self.state / "logs"
        self.database = Database(self.state / "postgres")
        self._environment = environment or {}
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    # --- the whole ------------------------------------------------------------------------------

    def up(self) -> None:
        """Start everything and wait until it is ready; what already runs is left alone.

        Raises Refusal when a process does not become ready; what this call has started is ended then.
        """
        try:
            self._up()
        except BaseException:
            for child in self._children.values():
                _signal(child.pid, signal.SIGTERM)
            for child in self._children.values():
                _end(child.pid, grace_s=5)
            if not list(self.started()):
                self.database.stop()
            raise

    def _up(self) -> None:
        self._make_directories()
        self.database.start()
        self.start("control-plane")
        self.start("projector")
        self.start("scheduler")
        wait_for("the control plane's API", self.api_answers, deadline_s=30)
        for name in AGENTS:
            self.enroll(name, "agent")
            self.start(name)
        self.enroll(EDGE, "edge")
        self.start(EDGE)
        for name in self.names():
            wait_for(f"{name} to be ready", partial(self.is_ready, name), deadline_s=30)

    def down(self) -> None:
        """Stop every process that still runs, workloads and the embedded database last."""
        started = list(self.started())
        for process in started:
            _signal(process.pid, signal.SIGTERM)
        for process in started:
            _end(process.pid, grace_s=5)
        for name in self.names():
            self._forget(name)
        self._end_workloads()
        for name in AGENTS:
            remove_groups(self.state / name, Hierarchies.mounted())
        self.database.stop()

    # --- single processes -----------------------------------------------------------------------

    @staticmethod
    def names() -> tuple[str, ...]:
        """Every process of the platform, in the order it is started."""
        return ("control-plane", "projector", "scheduler", *AGENTS, EDGE)

    def start(self, name: str) -> Started:
        """Start one process unless it runs; its output goes to ``<state>/logs/<name>.jsonl``, appended."""
        running = self.find(name)
        if running is not None:
            return running
        self._forget(name)
        log = self.logs / f"{name}.jsonl"
        with log.open("ab") as output, (self.logs / f"{name}.err").open("ab") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "miniplatform", *self._arguments(name)],
                stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=self._process_environment(),
                start_new_session=True,
            )  # fmt: skip
        self._children[name] = process
        return Started(name=name, pid=process.pid, log=log)

    def kill(self, name: str) -> None:
        """End one process at once (SIGKILL), as a crash would."""
        process = self.find(name)
        if process is not None:
            _signal(process.pid, signal.SIGKILL)
            _end(process.pid, grace_s=5)
        self._forget(name)

    def find(self, name: str) -> Started | None:
        """The process called ``name`` when it runs."""
        return next((process for process in self.started() if process.name == name), None)

    def started(self) -> Iterator[Started]:
        """Every process of this platform that runs, found by its command line: the state directory may be gone."""
        for process in psutil.process_iter(["pid", "cmdline"]):
            words = process.info["cmdline"] or []
            if "miniplatform" in words and str(self.state) in words and "--name" in words[:-1]:
                name = words[words.index("--name") + 1]
                yield Started(name=name, pid=process.info["pid"], log=self.logs / f"{name}.jsonl")

    def last_words(self, name: str) -> str:
        """The last line a process wrote on standard error, empty when there is none."""
        with suppress(OSError, IndexError):
            return (self.logs / f"{name}.err").read_text(errors="replace").strip().splitlines()[-1]
        return ""

    # --- what the processes say -----------------------------------------------------------------

    @property
    def api(self) -> str:
        """URL of the control plane, empty before it listens."""
        address = self._announced("control-plane", "api")
        return f"http://{address}" if address else ""

    @property
    def operator_token(self) -> str:
        """The operator's token, written by the control plane on its first start."""
        return (self.state / "operator.token").read_text().strip()

    def admin(self, name: str) -> str:
        """URL of a process's admin endpoint, empty before it listens."""
        address = self._announced(name, "admin")
        return f"http://{address}" if address else ""

    def readiness(self, name: str) -> dict[str, Any]:
        """What ``/readyz`` of a process says, empty while it does not answer."""
        with suppress(httpx.HTTPError, ValueError):
            found: dict[str, Any] = httpx.get(f"{self.admin(name)}/readyz", timeout=2).json()
            return found
        return {}

    def is_ready(self, name: str) -> bool:
        """Whether a process answers ready, degraded or partial; raises Refusal when it has ended instead."""
        if self.find(name) is None:
            raise Refusal(f"{name} ended at start: {self.last_words(name) or 'it said nothing'}", ExitCode.FAILURE)
        return self.readiness(name).get("status") in ("ready", "degraded", "partial")

    def api_answers(self) -> bool:
        """Whether the control plane takes requests; raises Refusal when it has ended instead."""
        return self.is_ready("control-plane") and bool(self.api) and (self.state / "operator.token").exists()

    def operator(self) -> httpx.Client:
        """A client of the API with the operator's token."""
        return httpx.Client(base_url=self.api, headers={"Authorization": f"Bearer {self.operator_token}"}, timeout=10)

    def enroll(self, name: str, kind: str) -> None:
        """Give a node an identity, once; the file is readable by its owner only."""
        identity = self._identity(name)
        if identity.exists():
            return
        with self.operator() as client:
            reply = client.post(
                "/v1/nodes", json={"name": name, "kind": kind, "address": "127.0.0.1", "memory_bytes": _NODE_MEMORY}
            )
            reply.raise_for_status()
        identity.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(identity, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump({"node_id": reply.json()["node_id"], "token": reply.json()["token"], "name": name}, file)

    # --- inside ---------------------------------------------------------------------------------

    def _make_directories(self) -> None:
        try:
            for directory in (self.run, self.logs):
                directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise Refusal(
                f"the state directory {str(self.state)!r} cannot be used ({error.strerror}); name another with --state",
                ExitCode.INVALID_USAGE,
            ) from None

    def _arguments(self, name: str) -> list[str]:
        component = name.rstrip("0123456789").rstrip("-")
        arguments = [component, "--state", str(self.state), "--name", name]
        if component in ("agent", "edge"):
            return [*arguments, "--api", self.api, "--identity", str(self._identity(name))]
        arguments += ["--database-url", self.database.url]
        if component == "control-plane" and self.api:
            arguments += ["--port", self.api.rsplit(":", 1)[1]]
        return arguments

    def _identity(self, name: str) -> Path:
        return self.state / name / "identity.json"

    def _announced(self, name: str, kind: str) -> str:
        with suppress(OSError):
            return (self.run / f"{name}.{kind}").read_text()
        return ""

    def _forget(self, name: str) -> None:
        child = self._children.pop(name, None)
        if child is not None:
            child.poll()
        (self.run / f"{name}.admin").unlink(missing_ok=True)

    def _process_environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "PYTHONUNBUFFERED": "1", **self._environment}

    def _end_workloads(self) -> None:
        for process in psutil.process_iter(["pid", "cmdline"]):
            line = process.info["cmdline"] or []
            if any(word.endswith("guest_init.py") for word in line) and any(str(self.state) in word for word in line):
                _signal(process.info["pid"], signal.SIGTERM)
                _end(process.info["pid"], grace_s=3)


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _end(pid: int, *, grace_s: float) -> None:
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        try:
            process.wait(grace_s)
        except psutil.TimeoutExpired:
            _signal(pid, signal.SIGKILL)
            with suppress(psutil.TimeoutExpired):
                process.wait(grace_s)
