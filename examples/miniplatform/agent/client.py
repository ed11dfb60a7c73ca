"""The agent's side of the node API. One attempt per call: whether to try again is for the loop that called."""

from __future__ import annotations

import logging

import httpx

from miniplatform.config import NodeIdentity
from miniplatform.wire import NodePlan
from obslib import ErrorClass, Observability
from obslib.wire import InstanceReport, LogAck, LogBatch, NodeReport
from obslib_agent import Agent

__all__ = ["CallFailed", "Client"]

_TIMEOUT_S = 5.0
_CLASS_OF_STATUS = {
    400: ErrorClass.INVALID_ARGUMENT,
    401: ErrorClass.UNAUTHORIZED,
    403: ErrorClass.FORBIDDEN,
    404: ErrorClass.NOT_FOUND,
    409: ErrorClass.CONFLICT,
    412: ErrorClass.PRECONDITION_FAILED,
    422: ErrorClass.INVALID_ARGUMENT,
    429: ErrorClass.RATE_LIMITED,
    503: ErrorClass.UNAVAILABLE,
    504: ErrorClass.TIMEOUT,
}
_REFUSED_FOR_GOOD = frozenset({ErrorClass.INVALID_ARGUMENT, ErrorClass.NOT_FOUND})


class CallFailed(Exception):
    """A call to the control plane brought no answer, or not the one wanted."""

    def __init__(self, message: str, error_class: ErrorClass) -> None:
        super().__init__(message)
        self.error_class = error_class

    @property
    def is_unanswered(self) -> bool:
        """Whether the control plane could not be reached at all."""
        return self.error_class in (ErrorClass.UNAVAILABLE, ErrorClass.TIMEOUT)

    @property
    def is_for_good(self) -> bool:
        """Whether the same request would be refused again."""
        return self.error_class in _REFUSED_FOR_GOOD


class Client:
    """The node's calls, with its token, a request id and the trace; raises CallFailed."""

    def __init__(self, obs: Observability, agent: Agent, api: str, identity: NodeIdentity, *, connect_timeout_s: float) -> None:
        logging.getLogger("httpx").setLevel(logging.WARNING)  # each call has a span; a line too would drown the rest
        self._obs = obs
        self._agent = agent
        self._plan_timeout_s = connect_timeout_s
        self._node = f"/v1/nodes/{identity.node_id}"
        self._http = httpx.AsyncClient(
            base_url=api,
            headers={"Authorization": f"Bearer {identity.token}"},
            trust_env=False,
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def plan(self) -> NodePlan:
        """What this node is to run; waits no longer than for a connection, the loop has work of its own."""
        reply = await self._call("GET", "/plan", timeout_s=self._plan_timeout_s)
        try:
            return NodePlan.model_validate_json(reply)
        except ValueError:  # its message would quote the plan, environments and all
            raise CallFailed("the control plane sent something that is no plan", ErrorClass.INVALID_ARGUMENT) from None

    async def heartbeat(self, report: NodeReport) -> None:
        """Say that the node is alive, and how far it is."""
        await self._call("POST", "/heartbeat", report.model_dump_json())

    async def report(self, report: InstanceReport, *, traceparent: str) -> None:
        """Report an instance's status within the trace that asked for the instance."""
        path = f"/instances/{report.instance_id}/status"
        await self._call("POST", path, report.model_dump_json(), traceparent=traceparent)

    async def logs(self, batch: LogBatch) -> LogAck:
        """Hand over lines of workloads; once this returns they are durable at the control plane."""
        reply = await self._call("POST", "/logs", batch.model_dump_json())
        try:
            return LogAck.model_validate_json(reply)
        except ValueError:
            raise CallFailed("the control plane's answer to a batch of lines is none", ErrorClass.DEPENDENCY) from None

    async def _call(
        self, method: str, path: str, body: str = "", *, traceparent: str = "", timeout_s: float = _TIMEOUT_S
    ) -> bytes:
        with self._agent.calls.call(under=traceparent) as headers:
            headers["X-Request-Id"] = self._obs.mint("req")
            if body:
                headers["Content-Type"] = "application/json"
            try:
                reply = await self._http.request(
                    method, self._node + path, content=body or None, headers=headers, timeout=timeout_s
                )
            except httpx.TimeoutException as error:
                raise CallFailed(f"no answer from the control plane: {type(error).__name__}", ErrorClass.TIMEOUT) from error
            except httpx.HTTPError as error:
                raise CallFailed(f"cannot reach the control plane: {type(error).__name__}", ErrorClass.UNAVAILABLE) from error
            if not reply.is_success:
                raise _failed(reply)
            return reply.content


def _failed(reply: httpx.Response) -> CallFailed:
    try:
        detail = str(reply.json().get("detail", ""))
    except (ValueError, AttributeError):
        detail = ""
    known = _CLASS_OF_STATUS.get(reply.status_code)
    return CallFailed(
        f"the control plane answered {reply.status_code}{f': {detail}' if detail else ''}",
        known or (ErrorClass.DEPENDENCY if reply.status_code >= 500 else ErrorClass.INVALID_ARGUMENT),
    )
