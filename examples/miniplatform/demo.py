"""The demo: deploy an app, serve it through the edge, break something, and let the platform explain itself.

Every step waits on a condition with a deadline and says what it waits for. The commands shown are the
ones a tenant or an operator would type; their output is what those commands print.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from miniplatform.launcher import AGENTS, Platform, wait_for
from miniplatform.process import ExitCode, Refusal

__all__ = ["down", "run", "up"]

FAULTS = ("none", "crash", "agent-down")
REQUESTS = 120
EXPLAINED_WITHIN_S = 15.0
_TAIL = ("events", "tail", "--env", "prod", "--since", "1m")
_APPS = Path(__file__).parent / "apps"


def run(fault: str, state: Path | None) -> None:
    """Play the demo with one ``fault`` (none, crash or agent-down); raises Refusal when a step misses its deadline."""
    if fault not in FAULTS:
        raise Refusal(f"there is no fault {fault!r}; use BREAK={'|'.join(FAULTS)}", ExitCode.INVALID_USAGE)
    directory = state or Path(tempfile.mkdtemp(prefix="miniplatform-"))
    os.chmod(directory, 0o755) if state is None else directory.mkdir(parents=True, exist_ok=True)
    demo = Demo(Platform(directory, environment={"OBSLIB_TRACE_SUCCESS_RATIO": "1.0"}))
    try:
        demo.play(fault)
    finally:
        demo.platform.down()
        if state is None:
            shutil.rmtree(directory, ignore_errors=True)
    demo.say(f"done: {demo.served} requests served, exit 0")


def up(state: Path) -> None:
    """Start a platform with an org and a token, and say how to use it."""
    demo = Demo(Platform(state))
    demo.start()
    context = demo.sign_up("acme")
    print(f"\nThe platform runs. Talk to it with\n\n  export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH")
    print(f"  export PLATFORM_CONTEXT={shlex.quote(str(context))}")
    print(f"  platform deploy {shlex.quote(str(_APPS / 'web.toml'))}\n  platform describe env\n")
    for name in demo.platform.names():
        print(f"  {name:14} {demo.platform.admin(name)}/readyz")
    print("\nStop it with 'make down'.")


def down(state: Path) -> None:
    """Stop a platform started by ``up``; says so when nothing runs."""
    platform = Platform(state)
    names = [process.name for process in platform.started()]
    platform.down()
    print(f"stopped {', '.join(names)}" if names else f"nothing runs in {str(state)!r}")


class Demo:
    """One run of the demo: a platform, a tenant and a stopwatch."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.served = 0
        self._begun = time.monotonic()
        self._context = platform.state / "context.json"
        self._port = _free_port()

    def play(self, fault: str) -> None:
        """The story, in order."""
        self.start()
        self.sign_up("acme")
        self.platform_command("deploy", str(self._manifest("web")))
        self.serve()
        self.lose_an_instance()
        self.explain()
        match fault:
            case "crash":
                self.break_by_crash()
            case "agent-down":
                self.break_by_losing_an_agent()

    # --- steps ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Start PostgreSQL and six processes, and wait until each is ready."""
        with self.step("starting PostgreSQL, control plane, projector, scheduler, two agents and an edge"):
            self.platform.up()

    def sign_up(self, org: str) -> Path:
        """Make an org and a token for it, and save both as the command line's context; returns its file."""
        with self.step(f"signing up org {org!r}"), self.platform.operator() as client:
            client.post("/v1/orgs", json={"name": org})
            reply = client.post(f"/v1/orgs/{org}/tokens", json={"role": "owner"})
            reply.raise_for_status()
        context = {"api": self.platform.api, "token": reply.json()["token"], "org": org, "app": "web", "env": "prod"}
        with os.fdopen(os.open(self._context, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(context, file)
        return self._context

    def serve(self) -> None:
        """Send requests through the edge and count which instance answered."""
        url = f"http://127.0.0.1:{self._port}/"
        with self.step("waiting for the edge to serve the app"):
            wait_for("an answer through the edge", lambda: _get(url), deadline_s=30)
        answered: Counter[str] = Counter()
        one_connection_each = httpx.Limits(max_keepalive_connections=0)
        with self.step(f"sending {REQUESTS} requests through the edge"), httpx.Client(limits=one_connection_each) as client:
            for _ in range(REQUESTS):
                reply = client.get(url, timeout=5)
                reply.raise_for_status()
                answered[reply.headers.get("X-Instance-Id", "unknown")] += 1
        self.served += sum(answered.values())
        for instance, count in sorted(answered.items()):
            self.say(f"  {count:4} answered by {instance}")

    def lose_an_instance(self) -> None:
        """Kill one workload from outside, watching the events, and wait until the platform has replaced it."""
        victim = self._instances()[0]
        before = victim["boot_id"]
        with self._tail() as seen:
            with self.step(f"killing instance {victim['instance_id']} (SIGKILL, pid {victim['pid']})"):
                os.kill(int(victim["pid"]), 9)
            with self.step("waiting until it is ready again"):
                wait_for(
                    "the instance to come back",
                    lambda: any(
                        i["instance_id"] == victim["instance_id"] and i["state"] == "ready" and i["boot_id"] != before
                        for i in self._instances()
                    ),
                    deadline_s=30,
                )
                wait_for("its events", lambda: "ready" in seen().rpartition("failed")[2], deadline_s=15)
        self.say(f"$ platform {shlex.join(_TAIL)}")
        print(_indented(seen()))

    def explain(self) -> None:
        """Show the operator's answers on live data."""
        self.platform_command("describe", "env", "prod")
        route = self._json("describe", "env", "prod")["routing"][0]
        self.platform_command("describe", "route", str(route["route_id"]))
        self.platform_command("describe", "instance", str(self._instances()[0]["instance_id"]))

    def break_by_crash(self) -> None:
        """Deploy an app that crashes and wait until describe says why."""
        self.platform_command("deploy", str(self._manifest("crash")), "--app", "crash", "--no-wait")
        with self.step(f"waiting for the reason, at most {EXPLAINED_WITHIN_S:g} s"):
            instance = wait_for("the crash to be explained", self._crashed_instance, deadline_s=EXPLAINED_WITHIN_S)
        self.platform_command("describe", "env", "prod", "--app", "crash")
        self.platform_command("describe", "instance", instance, "--app", "crash")

    def break_by_losing_an_agent(self) -> None:
        """Kill an agent and wait until describe says which node is silent."""
        lost = AGENTS[0]
        with self.step(f"killing {lost} (SIGKILL)"):
            self.platform.kill(lost)
        with self.step(f"waiting for the reason, at most {EXPLAINED_WITHIN_S:g} s"):
            wait_for(
                "the silent node to be explained",
                lambda: re.search(r"node_offline|node_silent", json.dumps(self._json("describe", "env", "prod"))),
                deadline_s=EXPLAINED_WITHIN_S,
            )
        self.platform_command("describe", "env", "prod")

    # --- inside ---------------------------------------------------------------------------------

    def say(self, line: str) -> None:
        """Print one line with the time since the start."""
        print(f"[{time.monotonic() - self._begun:5.1f}s] {line}", flush=True)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Announce a step, and say how long it took."""
        begun = time.monotonic()
        self.say(f"{what} ...")
        yield
        self.say(f"  ok after {time.monotonic() - begun:.1f} s")

    def platform_command(self, *arguments: str) -> None:
        """Run the ``platform`` command as its user would and show what it prints."""
        self.say(f"$ platform {shlex.join(arguments)}")
        done = self._cli(*arguments, stderr=subprocess.STDOUT)
        print(_indented(done.stdout))
        if done.returncode != 0:
            raise Refusal(f"'platform {shlex.join(arguments)}' exited with {done.returncode}", ExitCode.FAILURE)

    def _json(self, *arguments: str) -> dict[str, Any]:
        done = self._cli(*arguments, "--json")
        try:
            found: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            raise Refusal(
                f"'platform {shlex.join(arguments)} --json' printed no JSON: {done.stderr}", ExitCode.FAILURE
            ) from None
        return found

    def _crashed_instance(self) -> str:
        """The instance that the verdict names with the reason of its crash, empty before it does."""
        verdict = self._json("describe", "env", "prod", "--app", "crash")["convergence"]
        return str(verdict["subject"]) if verdict["reason_code"] == "crash_loop_backoff" else ""

    def _instances(self) -> list[dict[str, Any]]:
        running: list[dict[str, Any]] = self._json("describe", "env", "prod")["running"]
        return running

    def _cli(self, *arguments: str, stderr: int = subprocess.PIPE) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(Path(sys.executable).parent / "platform"), *arguments], env=self._cli_environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True, timeout=90, check=False,
        )  # fmt: skip

    def _cli_environment(self) -> dict[str, str]:
        return {**os.environ, "PLATFORM_CONTEXT": str(self._context), "COLUMNS": os.environ.get("COLUMNS", "120")}

    @contextmanager
    def _tail(self) -> Iterator[Callable[[], str]]:
        """Run ``platform events tail`` beside the block; yields what it has printed so far."""
        output = self.platform.state / "tail.txt"
        with output.open("w") as file:
            process = subprocess.Popen(
                [str(Path(sys.executable).parent / "platform"), *_TAIL],
                env=self._cli_environment(), stdout=file, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        try:
            yield output.read_text
        finally:
            process.terminate()
            process.wait(10)

    def _manifest(self, name: str) -> Path:
        text = (_APPS / f"{name}.toml").read_text()
        copy = self.platform.state / f"{name}.toml"
        copy.write_text(re.sub(r"listener_port\s*=\s*\d+", f"listener_port = {self._port}", text))
        return copy


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _get(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.HTTPError:
        return False


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.rstrip().splitlines())
