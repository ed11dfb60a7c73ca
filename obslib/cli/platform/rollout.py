"""Waiting for a deploy and for its routes at the edge, and saying what it waits for."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from obslib.cli.platform.context import Target
from obslib.cli.platform.failure import Category, CliFailure
from obslib.cli.platform.session import Session

__all__ = ["await_deploy"]

_EVERY_S = 0.3
_SETTLE_S = 10.0
"""How long the rest of an env, such as old instances, may take to settle once the deploy is served."""
_AT_THE_EDGE = ("applied", "reachable")


def await_deploy(
    session: Session, target: Target, deploy_id: str, *, timeout_s: float, routes: Mapping[str, str]
) -> dict[str, Any]:
    """Wait until the deploy has succeeded and ``routes`` (id to name) are served; returns ``status``, ``verdict``, ``cause``.

    A route is served when every edge has applied it and reaches its backends; without an edge there is nothing
    to wait for. Raises CliFailure: ``failure`` when the deploy failed, ``transient`` when it has not ended, or a
    route is not served, within ``timeout_s``. A moment without the API is waited through.
    """
    watch = _Watch(session, target, deploy_id, deadline=session.clock.monotonic() + timeout_s)
    state = watch.until_ended()
    for route_id, name in routes.items():
        watch.until_served(route_id, name)
    if routes:
        state = watch.until_settled(min(_SETTLE_S, timeout_s))
    return {"status": "succeeded", "verdict": state.get("verdict"), "cause": state.get("cause")}


class _Watch:
    def __init__(self, session: Session, target: Target, deploy_id: str, *, deadline: float) -> None:
        self._session, self._target, self._deploy_id, self._deadline = session, target, deploy_id, deadline
        self._said = ""

    def until_ended(self) -> dict[str, Any]:
        """The env's state when the deploy has succeeded."""
        while True:
            deploy = self._read("deploys", self._deploy_id)
            state = self._read("status")
            status = str(deploy.get("status", ""))
            if status == "succeeded":
                return state
            if status == "failed":
                raise self._failed(str(deploy.get("reason") or "no reason given"), state)
            self._say(status, state)
            if self._session.clock.monotonic() >= self._deadline:
                raise CliFailure(
                    Category.TRANSIENT,
                    f"deploy {self._deploy_id} is still {status or 'unknown'}: {state.get('cause') or 'no cause known'}",
                    hint=self._hint(state),
                    resource=("deploy", self._deploy_id, ""),
                    fields={"reason_code": state.get("reason_code")},
                )
            time.sleep(_EVERY_S)

    def until_served(self, route_id: str, name: str) -> None:
        """Return when every edge serves the route."""
        while True:
            found = self._described(route_id)
            pending = _pending_at_the_edge(found)
            if pending is None:
                return
            cause = str(pending.get("cause") or "no cause known")
            self._say("succeeded", {"cause": f"route {name}: {cause}"})
            if self._session.clock.monotonic() >= self._deadline:
                raise CliFailure(
                    Category.TRANSIENT,
                    f"deploy {self._deploy_id} has succeeded, but route {name} is not served yet: {cause}",
                    hint=self._hint(found.get("convergence") or {}),
                    resource=("route", route_id, name),
                    fields={"deploy_id": self._deploy_id, "reason_code": pending.get("reason_code")},
                )
            time.sleep(_EVERY_S)

    def _described(self, route_id: str) -> dict[str, Any]:
        """The route's description; one that no view shows yet comes without links."""
        try:
            return self._read("routes", route_id, "describe")
        except CliFailure as failure:
            if failure.category is not Category.NOT_FOUND:
                raise
            return {"cause": "it is not to be seen yet"}

    def until_settled(self, settle_s: float) -> dict[str, Any]:
        """The env's state when nothing is waited for any more, or after ``settle_s``."""
        end = self._session.clock.monotonic() + settle_s
        while True:
            state = self._read("status")
            if state.get("verdict") == "converged" or self._session.clock.monotonic() >= end:
                return state
            self._say("succeeded", state)
            time.sleep(_EVERY_S)

    def _read(self, *where: str) -> dict[str, Any]:
        try:
            return self._session.api.get(self._session.env_path(self._target, *where))
        except CliFailure as failure:
            if failure.category is not Category.TRANSIENT or self._session.clock.monotonic() >= self._deadline:
                raise
            return {"cause": failure.message}

    def _say(self, status: str, state: dict[str, Any]) -> None:
        """A progress line, whenever it says something new."""
        counts = state.get("instances") if isinstance(state.get("instances"), dict) else {}
        ready = f"{counts.get('ready')} of {counts.get('desired')} ready" if counts else ""
        line = ", ".join(filter(None, (status, ready, str(state.get("cause") or ""))))
        if line and line != self._said:
            self._session.screen.note(line)
            self._said = line

    def _failed(self, reason: str, state: dict[str, Any]) -> CliFailure:
        cause = state.get("cause")
        return CliFailure(
            Category.FAILURE,
            f"deploy {self._deploy_id} failed: {reason}" + (f" - {cause}" if cause else ""),
            hint=self._hint(state),
            resource=("deploy", self._deploy_id, ""),
            fields={"reason_code": state.get("reason_code"), "reason": reason},
        )

    def _hint(self, state: dict[str, Any]) -> str:
        return str(state.get("next_command") or f"platform describe env {self._target.env}")


def _pending_at_the_edge(found: dict[str, Any]) -> dict[str, Any] | None:
    """The first link at the edge that does not hold in a route's description; ``None`` when the route is served.

    That no edge is enrolled is no reason to wait, and neither is a link that does not apply, as without backends.
    """
    convergence = found.get("convergence") or {}
    links: dict[str, dict[str, Any]] = {str(link.get("link")): link for link in convergence.get("links") or ()}
    for name in _AT_THE_EDGE:
        link = links.get(name, {"cause": convergence.get("cause") or found.get("cause")})
        if link.get("state") not in ("ok", "not_applicable") and link.get("reason_code") != "no_edge":
            return link
    return None
