"""The edge's two calls to the control plane: its config, and its heartbeat."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Self

import httpx
from pydantic import ValidationError

from miniplatform.config import NodeIdentity
from miniplatform.wire import EdgeConfig
from obslib.errors import ErrorClass
from obslib.wire import EdgeReport

__all__ = ["CallFailed", "ControlPlane"]

_CLASSES = {
    400: ErrorClass.INVALID_ARGUMENT,
    401: ErrorClass.UNAUTHORIZED,
    403: ErrorClass.FORBIDDEN,
    404: ErrorClass.NOT_FOUND,
    409: ErrorClass.CONFLICT,
    429: ErrorClass.RATE_LIMITED,
}


class CallFailed(Exception):
    """The control plane did not answer, or not with what was asked for."""

    def __init__(self, message: str, error_class: ErrorClass) -> None:
        super().__init__(message)
        self.error_class = error_class


class ControlPlane:
    """The node API of one edge; every call raises CallFailed when it does not succeed."""

    def __init__(self, api: str, identity: NodeIdentity, *, timeout_s: float = 5.0) -> None:
        self._path = f"/v1/edges/{identity.node_id}"
        self._client = httpx.AsyncClient(
            base_url=api, headers={"Authorization": f"Bearer {identity.token}"}, timeout=timeout_s, trust_env=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        await self._client.aclose()

    async def config(self, headers: Mapping[str, str]) -> EdgeConfig:
        """The config this edge should serve now. ``headers`` carry the trace."""
        reply = await self._call("GET", f"{self._path}/config", headers=headers)
        try:
            return EdgeConfig.model_validate_json(reply.content)
        except ValidationError as error:
            raise CallFailed(
                f"the control plane sent no edge config ({error.error_count()} errors)", ErrorClass.DEPENDENCY
            ) from None

    async def heartbeat(self, report: EdgeReport) -> None:
        """Say how this edge is."""
        content = report.model_dump_json()
        await self._call("POST", f"{self._path}/heartbeat", headers={"Content-Type": "application/json"}, content=content)

    async def _call(self, method: str, path: str, *, headers: Mapping[str, str], content: str | None = None) -> httpx.Response:
        try:
            reply = await self._client.request(method, path, headers=dict(headers), content=content)
        except httpx.TimeoutException as error:
            raise CallFailed(f"the control plane did not answer in time ({type(error).__name__})", ErrorClass.TIMEOUT) from None
        except httpx.HTTPError as error:
            raise CallFailed(f"the control plane cannot be reached ({error})", ErrorClass.UNAVAILABLE) from None
        if reply.is_success:
            return reply
        fallback = ErrorClass.UNAVAILABLE if reply.status_code >= 500 else ErrorClass.DEPENDENCY
        raise CallFailed(f"the control plane answered {reply.status_code}", _CLASSES.get(reply.status_code, fallback))
