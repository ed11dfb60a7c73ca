"""The story: an app is deployed and served, loses an instance, is explained; then one fault of choice.

Every step waits on a condition with a deadline and says what it waits for. The commands shown are the
ones a tenant or an operator would type; their output is what those commands print.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import socket
import sys
import tempfile
from collections import Counter
from pathlib import Path

import httpx

from miniplatform.demo.fault import endure
from miniplatform.demo.faults import FAULTS
from miniplatform.demo.stage import APPS, Stage
from miniplatform.launcher import EDGE, Platform, wait_for
from miniplatform.process import ExitCode, Refusal

__all__ = ["down", "run", "up"]

_REQUESTS = 120
_TAIL = ("events", "tail", "--env", "prod", "--since", "1m")


def run(fault: str, state: Path | None) -> None:
    """Play the story with one ``fault``, or ``none``; raises Refusal when a step misses its deadline."""
    if fault not in ("none", *FAULTS):
        raise Refusal(f"there is no fault {fault!r}; use BREAK={'|'.join(FAULTS)}, or none", ExitCode.INVALID_USAGE)
    directory = state or Path(tempfile.mkdtemp(prefix="miniplatform-"))
    os.chmod(directory, 0o755) if state is None else directory.mkdir(parents=True, exist_ok=True)
    stage = _stage(Platform(directory, environment={"OBSLIB_TRACE_SUCCESS_RATIO": "1.0"}))
    try:
        served = _serve_and_explain(stage)
        if fault != "none":
            endure(stage, FAULTS[fault]())
    finally:
        stage.platform.down()
        if state is None:
            shutil.rmtree(directory, ignore_errors=True)
    stage.say(f"done: {served} requests served, exit 0")


def up(state: Path) -> None:
    """Start a platform with an org and a token, and say how to use it."""
    stage = _stage(Platform(state))
    _start(stage)
    _sign_up(stage, "acme")
    print(f"\nThe platform runs. Talk to it with\n\n  export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH")
    print(f"  export PLATFORM_CONTEXT={shlex.quote(str(stage.context))}")
    print(f"  platform deploy {shlex.quote(str(APPS / 'web.toml'))}\n  platform why env\n")
    for name in stage.platform.names():
        print(f"  {name:14} {stage.platform.admin(name)}/readyz")
    print("\nStop it with 'make down'.")


def down(state: Path) -> None:
    """Stop a platform started by ``up``; says so when nothing runs."""
    platform = Platform(state)
    names = [process.name for process in platform.started()]
    platform.down()
    print(f"stopped {', '.join(names)}" if names else f"nothing runs in {str(state)!r}")


def _serve_and_explain(stage: Stage) -> int:
    """The part that every run has; returns how many requests were served."""
    _start(stage)
    _sign_up(stage, "acme")
    stage.show("deploy", str(stage.manifest("web")))
    served = _serve(stage)
    _lose_an_instance(stage)
    _explain(stage)
    return served


def _start(stage: Stage) -> None:
    """Start PostgreSQL and six processes, and wait until each is ready."""
    with stage.step("starting PostgreSQL, control plane, projector, scheduler, two agents and an edge"):
        stage.platform.up()


def _sign_up(stage: Stage, org: str) -> None:
    """Make an org and a token for it, and save both as the command line's context."""
    with stage.step(f"signing up org {org!r}"), stage.platform.operator() as client:
        client.post("/v1/orgs", json={"name": org})  # a second 'up' finds it there
        reply = client.post(f"/v1/orgs/{org}/tokens", json={"role": "owner"})
        reply.raise_for_status()
    context = {"api": stage.platform.api, "token": reply.json()["token"], "org": org, "app": "web", "env": "prod"}
    with os.fdopen(os.open(stage.context, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(context, file)


def _serve(stage: Stage) -> int:
    """Send requests through the edge and count which instance answered."""
    url = f"http://127.0.0.1:{stage.port}/"
    with stage.step("waiting for the edge to serve the app"):
        wait_for("an answer through the edge", lambda: _get(url), deadline_s=30)
    answered: Counter[str] = Counter()
    one_connection_each = httpx.Limits(max_keepalive_connections=0)
    with stage.step(f"sending {_REQUESTS} requests through the edge"), httpx.Client(limits=one_connection_each) as client:
        for _ in range(_REQUESTS):
            reply = client.get(url, timeout=5)
            reply.raise_for_status()
            answered[reply.headers.get("X-Instance-Id", "unknown")] += 1
    for instance, count in sorted(answered.items()):
        stage.say(f"  {count:4} answered by {instance}")
    return sum(answered.values())


def _lose_an_instance(stage: Stage) -> None:
    """Kill one workload from outside, watching the events, and wait until the platform has replaced it."""
    victim = stage.instances()[0]
    before = victim["boot_id"]
    with stage.following(*_TAIL) as seen:
        with stage.step(f"killing instance {victim['instance_id']} (SIGKILL, pid {victim['pid']})"):
            os.kill(int(victim["pid"]), 9)
        with stage.step("waiting until it is ready again"):
            wait_for(
                "the instance to come back",
                lambda: any(
                    i["instance_id"] == victim["instance_id"] and i["state"] == "ready" and i["boot_id"] != before
                    for i in stage.instances()
                ),
                deadline_s=30,
            )
            wait_for("its events", lambda: "ready" in seen().rpartition("failed")[2], deadline_s=15)
    stage.say(f"$ platform {shlex.join(_TAIL)}")
    print("\n".join(f"    {line}" for line in seen().rstrip().splitlines()))


def _explain(stage: Stage) -> None:
    """Show the operator's answers on live data."""
    stage.show("why", "env", "prod")
    stage.show("describe", "env", "prod")
    route = stage.json("describe", "env", "prod")["routing"][0]
    stage.show("describe", "route", str(route["route_id"]))
    stage.show("describe", "instance", str(stage.instances()[0]["instance_id"]))
    stage.show("changes", "--env", "prod", "--since", "1h")
    stage.show("describe", "edge", EDGE, is_operator=True)
    stage.show("describe", "convergence", is_operator=True)


def _stage(platform: Platform) -> Stage:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Stage(platform, context=platform.state / "context.json", port=probe.getsockname()[1])


def _get(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.HTTPError:
        return False
