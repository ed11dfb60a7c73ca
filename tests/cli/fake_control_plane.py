"""A control plane in memory: the part of the HTTP API that the command speaks, on a free port of the loopback."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from obslib.debug import (
    edge_description,
    env_description,
    explanation,
    instance_description,
    route_description,
    status_of_env,
)
from obslib.ids import ulid
from tests.debug.scenes import Scene

TOKEN = "tok_5Zq8sWw1tenantsecret"
OPERATOR = "tok_9Kd7xPp4operatorsecret"
ORG = "acme"


@dataclass(frozen=True)
class Call:
    """A request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any


@dataclass
class FakeControlPlane:
    """One org ``acme`` with whatever was created in it; knobs say how it misbehaves."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    apps: dict[str, str] = field(default_factory=dict)
    envs: dict[str, str] = field(default_factory=dict)
    routes: list[dict[str, Any]] = field(default_factory=list)
    desired: list[dict[str, Any]] = field(default_factory=list)
    replies: dict[str, dict[str, Any]] = field(default_factory=dict)
    statuses: list[str] = field(default_factory=lambda: ["rolling", "succeeded"])
    streams: list[list[str]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    changes: dict[str, Any] = field(default_factory=dict)
    convergence: dict[str, Any] = field(default_factory=dict)
    log_items: list[dict[str, Any]] = field(default_factory=list)
    audit: dict[str, Any] = field(default_factory=dict)
    trail: dict[str, Any] = field(default_factory=dict)
    problems: dict[str, tuple[int, dict[str, Any] | str]] = field(default_factory=dict)
    described: Any = field(default_factory=lambda: Scene().served())
    unserved: list[Any] = field(default_factory=list)
    """What a route's descriptions show, one each, before they show ``described``; ``None`` is a route not seen yet."""
    _made: int = 0

    def reset(self) -> None:
        """Forget everything but the address."""
        self.__init__(url=self.url)  # type: ignore[misc]  # a dataclass's own way to its defaults

    def mint(self, prefix: str) -> str:
        """The next id."""
        self._made += 1
        return f"{prefix}_{ulid(1_766_000_000_000, self._made)}"

    def writes(self) -> list[str]:
        """Method and last path segment of every write, in order."""
        return [f"{c.method} {c.path.rsplit('/', 1)[-1]}" for c in self.calls if c.method != "GET"]

    async def handle(self, request: Request) -> Response:
        """Answer one request."""
        raw = await request.body()
        path = request.url.path
        call = Call(request.method, path, dict(request.query_params), dict(request.headers), json.loads(raw) if raw else None)
        self.calls.append(call)
        for ending, (status, problem) in self.problems.items():
            if f"{call.method} {path}".endswith(ending):
                return Response(problem, status) if isinstance(problem, str) else _problem(status, **problem)
        token = call.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in (TOKEN, OPERATOR):
            return _problem(401, detail="send a valid token; this request had none that is known", code="unauthorized")
        if path == "/v1/whoami":
            return JSONResponse(
                {"actor_type": "user", "actor_id": "usr_1", "org_id": None, "org_name": ORG, "scopes": ["b", "a"]}
            )
        if path == "/v1/retention":
            return JSONResponse({"items": [{"key": "retention.metrics", "value": "14d", "source": "retention.toml"}]})
        if path == "/v1/orgs" and token == OPERATOR:
            return JSONResponse({"org_id": self.mint("org"), "name": call.body["name"]}, 201)
        if path == "/_debug/edges" and token == OPERATOR:
            nodes = self.described.nodes.values()
            edges = [edge_description(node, None, now=self.described.now) for node in nodes if node.kind == "edge"]
            return JSONResponse({"kind": "edges", "verdict": edges[0]["state"], "cause": "", "edges": edges})
        if path == "/_debug/convergence" and token == OPERATOR:
            return JSONResponse(self.convergence)
        parts = path.strip("/").split("/")[1:]
        if parts[:2] != ["orgs", ORG]:
            return _problem(404, detail="there is no such org that this token can see", code="not_found")
        return self._in_org(call, parts[2:])

    def _in_org(self, call: Call, parts: list[str]) -> Response:
        match call.method, parts:
            case "GET", ["audit", "verify"]:
                return JSONResponse(self.trail)
            case "GET", ["audit"]:
                return JSONResponse(self.audit)
            case "GET", ["changes"]:
                return JSONResponse(self.changes)
            case "GET", ["events"]:
                after = int(call.query.get("after_event_id", 0))
                found = [e for e in self.events if e["event_id"] > after][: int(call.query["limit"])]
                return JSONResponse({"items": found, "next_after_event_id": found[-1]["event_id"] if found else after})
            case "GET", ["events", "stream"]:
                return StreamingResponse(self._stream(), media_type="application/x-ndjson")
            case "GET", ["apps"]:
                return _page([{"app_id": i, "name": n} for n, i in self.apps.items()], call)
            case "POST", ["apps"]:
                return self._make(self.apps, "app", call)
            case _, ["apps", app, *rest] if app in (*self.apps, *self.apps.values()):
                return self._in_app(call, rest)
        return _problem(404, detail="there is no such app that this token can see", code="not_found")

    def _in_app(self, call: Call, parts: list[str]) -> Response:
        match call.method, parts:
            case "GET", ["envs"]:
                return _page([{"env_id": i, "name": n} for n, i in self.envs.items()], call)
            case "POST", ["envs"]:
                return self._make(self.envs, "env", call)
            case "POST", ["releases"]:
                key = call.headers["idempotency-key"]
                self.replies.setdefault(key, {"release_id": self.mint("rel")})
                return JSONResponse(self.replies[key], 201)
            case _, ["envs", env, *rest] if env in (*self.envs, *self.envs.values()):
                return self._in_env(call, rest)
        return _problem(404, detail="there is no such env that this token can see", code="not_found")

    def _in_env(self, call: Call, parts: list[str]) -> Response:
        match call.method, parts:
            case "GET", ["describe"]:
                return JSONResponse({**env_description(self.described), "desired": self.desired})
            case "GET", ["why"]:
                return JSONResponse(explanation(self.described, self.described.events))
            case "GET", ["status"]:
                return JSONResponse(status_of_env(self.described))
            case "GET", ["logs"]:
                return JSONResponse({"items": self.log_items})
            case "GET", ["logs", "stream"]:
                headers = {"X-Log-Position": call.query.get("after", "40")}
                return StreamingResponse(self._stream(), media_type="application/x-ndjson", headers=headers)
            case "GET", ["instances"]:
                return _page([{"instance_id": Scene.one, "process_type": "web", "status": "ready"}], call)
            case "GET", ["instances", instance, "describe"] if instance == Scene.one:
                return JSONResponse(instance_description(self.described, instance, self.described.events))
            case "GET", ["routes", route, "describe"] if route in (Scene.route, *(item["route_id"] for item in self.routes)):
                facts = self.unserved.pop(0) if self.unserved else self.described
                if facts is not None:
                    return JSONResponse(route_description(facts, Scene.route))
            case "GET", ["routes"]:
                return _page(self.routes, call)
            case "POST", ["routes"]:
                self.routes.append({**call.body, "route_id": self.mint("rt")})
                return JSONResponse(self.routes[-1], 201)
            case "DELETE", ["routes", route]:
                self.routes = [item for item in self.routes if item["route_id"] != route]
                return JSONResponse({"route_id": route}, 201)
            case "PUT", ["scale"]:
                return JSONResponse({"replicas": call.body}, 201)
            case "POST", ["deploys"]:
                made = {"release_id": call.body["release_id"], "deploy_id": self.mint("dep")}
                self.desired = [{"process_type": "web", "replicas": 2, "deploy_status": "succeeded", **made}]
                return JSONResponse(made, 201)
            case "GET", ["deploys", deploy]:
                status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
                return JSONResponse({"deploy_id": deploy, "status": status, "reason": "why not" if status == "failed" else ""})
        return _problem(404, detail=f"there is no such {parts[0].rstrip('s')} that this token can see", code="not_found")

    def _make(self, table: dict[str, str], kind: str, call: Call) -> Response:
        table[call.body["name"]] = self.mint(kind)
        return JSONResponse({f"{kind}_id": table[call.body["name"]], "name": call.body["name"]}, 201)

    async def _stream(self) -> AsyncIterator[bytes]:
        for line in self.streams.pop(0) if self.streams else ():
            yield line.encode() + b"\n"


@contextmanager
def serving() -> Iterator[FakeControlPlane]:
    """A fake that listens until the block ends."""
    fake = FakeControlPlane()
    app = Starlette(routes=[Route("/{path:path}", fake.handle, methods=["GET", "POST", "PUT", "DELETE"])])
    # With the protocol named, asyncio turns Nagle's delay off; without, every reply waits 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    fake.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", ws="none", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield fake
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def _page(items: list[dict[str, Any]], call: Call) -> Response:
    """Two items a page, so that paging is walked."""
    start = int(call.query.get("cursor", 0))
    more = str(start + 2) if start + 2 < len(items) else None
    return JSONResponse({"items": items[start : start + 2], "next_cursor": more})


def _problem(status: int, **problem: Any) -> Response:
    body = {"status": status, "title": "Problem", "request_id": "req_from_server", **problem}
    return JSONResponse(body, status, media_type="application/problem+json")
