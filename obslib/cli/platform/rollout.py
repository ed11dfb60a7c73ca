"""Waiting for a deploy, and saying what it waits for."""

from __future__ import annotations

import time
from typing import Any

from obslib.cli.platform.context import Target
from obslib.cli.platform.failure import Category, CliFailure
from obslib.cli.platform.session import Session

__all__ = ["await_deploy"]

_EVERY_S = 0.3
_SETTLE_S = 10.0
"""How long a succeeded deploy may take to be served at the edge before the command stops watching."""


def await_deploy(session: Session, target: Target, deploy_id: str, *, timeout_s: float, has_routes: bool) -> dict[str, Any]:
    """Wait until the deploy has succeeded and, with routes, is served; returns ``status``, ``verdict`` and ``cause``.

    Raises CliFailure: ``failure`` when the deploy failed, ``transient`` when it has not ended within ``timeout_s``.
    A moment without the API is waited through.
    """
    watch = _Watch(session, target, deploy_id, deadline=session.clock.monotonic() + timeout_s)
    state = watch.until_ended()
    if has_routes:
        state = watch.until_served(min(_SETTLE_S, timeout_s))
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

    def until_served(self, settle_s: float) -> dict[str, Any]:
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
