"""The control plane's HTTP API as the command speaks it: one trace per command, one request id per call."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from obslib.cli.platform.failure import Category, CliFailure, category_of_status
from obslib.cli.platform.screen import Screen
from obslib.ids import IdSource, mint

__all__ = ["Api", "path"]

_TIMEOUT_S = 30.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def path(*segments: str) -> str:
    """A path of the API, each segment quoted."""
    return "/v1/" + "/".join(quote(segment, safe="") for segment in segments)


class Api:
    """Calls the API; everything that can go wrong comes out as CliFailure."""

    def __init__(
        self, base: str, token: str, *, ids: IdSource, screen: Screen, is_debug: bool, headers: Mapping[str, str]
    ) -> None:
        if not base:
            raise CliFailure(Category.INVALID_USAGE, "no API is named", hint="set PLATFORM_API, or save api in the context")
        if not token:
            raise CliFailure(Category.AUTH, "there is no token", hint="set PLATFORM_TOKEN, or save token in the context")
        if not (token.isascii() and token.isprintable()) or " " in token:
            raise CliFailure(Category.AUTH, "the token holds characters that no token has", hint="copy it again, whole")
        self.trace_id = f"{ids.trace_id():032x}"
        self._ids, self._screen, self._is_debug = ids, screen, is_debug
        self._where, host = _shown(base)
        sent = {"Authorization": f"Bearer {token}", "Accept": "application/json", "User-Agent": "platform-cli", **headers}
        if is_debug:
            sent["tracestate"] = "obs=k"
        with self._translated("", "", ""):
            self._client = httpx.Client(
                base_url=base,
                headers=sent,
                timeout=_TIMEOUT_S,
                trust_env=host not in _LOOPBACK,
                verify=not base.lower().startswith("http://"),  # without TLS, loading the authorities is 30 ms for nothing
            )

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def get(self, where: str, **parameters: object) -> dict[str, Any]:
        """Read one object."""
        return self._call("GET", where, parameters=parameters)

    def items(self, where: str, *, most: int = 10_000, **parameters: object) -> Iterator[dict[str, Any]]:
        """Every item of a list, page by page, at most ``most``."""
        cursor, seen = "", 0
        while True:
            page = self.get(where, **parameters, limit=min(200, most - seen), cursor=cursor or None)
            for item in page.get("items") or ():
                yield item
                seen += 1
            cursor = str(page.get("next_cursor") or "")
            if not cursor or seen >= most:
                return

    def send(self, method: str, where: str, body: object = None, *, key: str = "") -> dict[str, Any]:
        """Write. ``key`` is the Idempotency-Key; a fresh one by default, so that a lost reply does no harm."""
        return self._call(method, where, body=body, key=key or f"cli_{self._ids.ulid()}")

    @contextmanager
    def stream(
        self,
        where: str,
        parameters: Mapping[str, object],
        *,
        on_begun: Callable[[Mapping[str, str]], None] = lambda headers: None,
    ) -> Iterator[Iterator[str]]:
        """The lines of a stream, as they come; without a read time-out, since a quiet stream is no failure.

        ``on_begun`` is given the answer's headers once the stream is let in.
        """
        headers, request_id = self._headers("")
        timeout = httpx.Timeout(_TIMEOUT_S, read=None)
        with self._translated("GET", where, request_id):
            request = self._client.build_request("GET", where, params=_given(parameters), headers=headers, timeout=timeout)
            reply = self._client.send(request, stream=True)
            try:
                if reply.status_code != 200:
                    reply.read()
                    self._refuse(reply, request_id)
                on_begun(reply.headers)
                yield reply.iter_lines()
            finally:
                reply.close()

    def _call(
        self, method: str, where: str, *, parameters: Mapping[str, object] | None = None, body: object = None, key: str = ""
    ) -> dict[str, Any]:
        headers, request_id = self._headers(key)
        content = None
        if body is not None:
            content = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
            headers["Content-Type"] = "application/json"
        begun = time.monotonic()
        with self._translated(method, where, request_id):
            reply = self._client.request(method, where, params=_given(parameters or {}), content=content, headers=headers)
        if self._is_debug:
            spent = (time.monotonic() - begun) * 1000
            self._screen.note(f"{method} {where} {reply.status_code} {spent:.0f} ms {request_id}")
        if not reply.is_success:
            self._refuse(reply, request_id)
        return self._object(reply, request_id) if reply.content else {}

    def _headers(self, key: str) -> tuple[dict[str, str], str]:
        request_id = mint("req", self._ids)
        headers = {"X-Request-Id": request_id, "traceparent": f"00-{self.trace_id}-{self._ids.span_id():016x}-01"}
        return ({**headers, "Idempotency-Key": key} if key else headers), request_id

    @contextmanager
    def _translated(self, method: str, where: str, request_id: str) -> Iterator[None]:
        try:
            yield
        except httpx.TimeoutException:
            message = f"the API at {self._where} did not answer {method} {where} in time"
            raise CliFailure(Category.TRANSIENT, message, hint="try again", request_id=request_id) from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            message = f"{self._where!r} is not the URL of an API"
            raise CliFailure(Category.INVALID_USAGE, message, hint="PLATFORM_API looks like http://HOST:PORT") from None
        except httpx.HTTPError as error:
            message = f"the API at {self._where} cannot be reached: {_why(error)}"
            hint = "check that it runs and that PLATFORM_API names it"
            raise CliFailure(Category.TRANSIENT, message, hint=hint, request_id=request_id) from None

    def _refuse(self, reply: httpx.Response, request_id: str) -> None:
        problem = self._object(reply, request_id)
        category = category_of_status(reply.status_code)
        details = problem.get("details") if isinstance(problem.get("details"), list) else []
        fields = {str(d.get("field")): str(d.get("message")) for d in details or () if isinstance(d, dict)}
        message = str(problem.get("detail") or problem.get("title") or f"the API answered {reply.status_code}")
        if fields:
            message += ": " + "; ".join(f"{name} {text}" for name, text in fields.items())
        retryable = problem.get("retryable")
        hint = _HINTS.get(category, "")
        if reply.status_code == 401:
            hint = _NO_TOKEN
        elif category is Category.TRANSIENT and retryable is False:
            hint = _UNDER_WAY
        raise CliFailure(
            category,
            message,
            hint=hint,
            is_retryable=retryable if isinstance(retryable, bool) else None,
            request_id=str(problem.get("request_id") or request_id),
            fields={**fields, "status": reply.status_code, "code": problem.get("code")},
        )

    def _object(self, reply: httpx.Response, request_id: str) -> dict[str, Any]:
        try:
            found = json.loads(reply.content, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise CliFailure(
                Category.INTERNAL,
                f"{self._where} answered {reply.status_code} with something that is not the platform's API",
                hint="check that PLATFORM_API names the control plane's API",
                request_id=request_id,
            )
        return found


_HINTS = {
    Category.AUTH: "see what the token may do with: platform whoami",
    Category.NOT_FOUND: "see what there is with: platform apps list, platform envs list",
    Category.TRANSIENT: "try again shortly",
    Category.INTERNAL: "report the request id to the platform's operators",
}
_NO_TOKEN = "give a valid token in PLATFORM_TOKEN, or as token in the saved context"
_UNDER_WAY = "do not send it again; see what became of it with: platform events query, platform why env"


def _given(parameters: Mapping[str, object]) -> dict[str, str]:
    return {name: str(value) for name, value in parameters.items() if value not in (None, "")}


def _shown(base: str) -> tuple[str, str]:
    """The base URL without credentials or query, and its host."""
    try:
        parts = urlsplit(base)
        host = parts.hostname or ""
        return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}", host
    except ValueError:
        return "the URL in PLATFORM_API", ""


def _why(error: httpx.HTTPError) -> str:
    text = str(error).lower()
    if "refused" in text:
        return "connection refused"
    if "name or service" in text or "name resolution" in text or "nodename" in text:
        return "the host name is not known"
    return "the connection was lost" if isinstance(error, httpx.ReadError | httpx.RemoteProtocolError) else type(error).__name__
