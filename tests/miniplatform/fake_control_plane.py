"""The node API as an agent needs it, played by a thread: a plan to hand out, and everything it was told, in order.

Real HTTP on a real port, so that it can also go away and come back.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

from miniplatform.wire import NodePlan, PlannedInstance, WorkloadSpec
from obslib.wire import LogBatch, LogEntry

__all__ = ["DEPLOY_TRACE", "NODE_ID", "TOKEN", "FakeControlPlane", "Told", "planned"]

ULID = "01ARZ3NDEKTSV4RRFFQ69G5F"
NODE_ID = f"node_{ULID}AV"
TOKEN = "the-node-token"
DEPLOY_TRACE = "0af7651916cd43dd8448eb211c80319c"
_TRACEPARENT = f"00-{DEPLOY_TRACE}-b7ad6b7169203331-01"


def planned(
    number: int,
    *command: str,
    state: Literal["running", "draining", "stopped"] = "running",
    reason: str = "",
    health: dict[str, str] | None = None,
    env: dict[str, str] | None = None,
    memory_bytes: int = 128 * 2**20,
) -> PlannedInstance:
    """Instance ``number`` of one env, running ``command``; its health is checked over TCP unless told otherwise."""
    return PlannedInstance(
        instance_id=f"inst_{ULID}{number:02}",
        org_id=f"org_{ULID}AV",
        app_id=f"app_{ULID}AV",
        env_id=f"env_{ULID}AV",
        process_type="web",
        release_id=f"rel_{ULID}AV",
        deploy_id=f"dep_{ULID}AV",
        desired_state=state,
        desired_reason=reason,
        spec=WorkloadSpec.model_validate(
            {"command": command, "env": env or {}, "health": health or {"type": "tcp"}, "memory_bytes": memory_bytes}
        ),
        traceparent=_TRACEPARENT,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One call: what was asked of which path, with which headers and body."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


@dataclass
class FakeControlPlane:
    """``answers`` overrides the status of calls whose path ends with a key, such as ``{"/status": 404}``."""

    plan: NodePlan = field(default_factory=lambda: NodePlan.of((), cursor_event_id=1, head_event_id=1))
    answers: dict[str, int] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)
    port: int = 0
    _server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        """Where it listens, or last did."""
        return f"http://127.0.0.1:{self.port}"

    def up(self) -> None:
        """Listen, on the same port as before."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), _handler(self))
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def down(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def want(self, *instances: PlannedInstance) -> None:
        """Hand out another plan from now on."""
        event_id = self.plan.cursor_event_id + 1
        self.plan = NodePlan.of(instances, cursor_event_id=event_id, head_event_id=event_id)

    def reports(self, instance_id: str = "") -> list[dict[str, Any]]:
        """The status reports that were accepted, of one instance or of all."""
        return [
            t.body
            for t in self.told
            if t.path.endswith("/status") and (not instance_id or t.body["instance_id"] == instance_id)
        ]

    def statuses(self, instance_id: str = "") -> list[str]:
        """Their statuses."""
        return [report["status"] for report in self.reports(instance_id)]

    def log_entries(self, instance_id: str) -> list[LogEntry]:
        """The log entries of one instance that were accepted, in the order in which they came."""
        batches = [LogBatch.model_validate(t.body) for t in self.told if t.path.endswith("/logs")]
        return [entry for batch in batches for entry in batch.entries if entry.instance_id == instance_id]

    def heartbeat(self) -> dict[str, Any]:
        """The last heartbeat, empty before the first."""
        return next((t.body for t in reversed(self.told) if t.path.endswith("/heartbeat")), {})


def _handler(plane: FakeControlPlane) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer(plane.plan.model_dump(mode="json"))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer({"accepted": True, "interval_seconds": 30, "stored": len(body.get("entries", ()))}, body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def _answer(self, reply: object, body: Any = None) -> None:
            status = next((s for end, s in plane.answers.items() if self.path.endswith(end)), 200)
            if self.headers["Authorization"] != f"Bearer {TOKEN}":
                status = 401
            if status == 200:
                headers = {name.lower(): value for name, value in self.headers.items()}
                plane.told.append(Told(method=self.command, path=self.path, headers=headers, body=body))
            payload = json.dumps(reply if status == 200 else {"detail": "no", "status": status}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

    return Handler
