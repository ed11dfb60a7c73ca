"""``platform events``: the event log, looked up or followed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from obslib.cli.platform.api import path
from obslib.cli.platform.context import Target, check_id
from obslib.cli.platform.failure import Category, CliFailure
from obslib.cli.platform.lookup import narrowed
from obslib.cli.platform.reconnecting import Reconnecting, records_in
from obslib.cli.platform.session import Session

__all__ = ["Selection", "moment", "query", "tail"]

_AGO = re.compile(r"([0-9]{1,6})([smhd])\Z")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_TOLD = (
    "status", "desired_state", "reason", "reason_code", "termination_class", "exit_code", "replicas", "release_id",
    "deploy_id", "hostname", "listener_port", "node_id", "name",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which events are wanted."""

    event_type: str = ""
    route_id: str = ""
    since: str = ""
    until: str = ""
    is_all: bool = False


def moment(text: str, now: float) -> str:
    """RFC 3339 of ``10m`` (ago) or of an RFC 3339 time; empty stays empty. Raises CliFailure for anything else."""
    if not text:
        return ""
    from obslib.wire import rfc3339, unix  # with pydantic, which a plain query need not wait for

    ago = _AGO.match(text)
    try:
        return rfc3339(now - int(ago.group(1)) * _SECONDS[ago.group(2)] if ago else unix(text))
    except (ValueError, OverflowError, OSError):
        raise CliFailure(
            Category.INVALID_USAGE, f"{text!r} is not a time", hint="write 90s, 10m, 2h, 1d or 2026-01-31T09:30:00Z"
        ) from None


def query(session: Session, wanted: Selection, *, after: int | None, limit: int) -> None:
    """List the events that match, oldest first, over as many pages as ``limit`` needs."""
    target = session.target("org")
    parameters = _parameters(session, target, wanted)
    where, position = path("orgs", target.org, "events"), after
    found: list[dict[str, Any]] = []
    while len(found) < limit:
        page = session.api.get(where, **parameters, after_event_id=position, limit=min(200, limit - len(found)))
        items, last = list(page.get("items") or ()), position
        found += items
        position = page.get("next_after_event_id") or position
        if not items or position == last:
            break
    if session.flags.is_json:
        session.screen.document({"items": found, "next_after_event_id": position})
        return
    for event in found:
        _show(session, event)
    if not found:
        session.screen.note("no events match")


def tail(session: Session, wanted: Selection, *, after: int | None, limit: int | None) -> None:
    """Follow the events that match; a lost connection is taken up again where it broke, for a minute at least."""
    target = session.target("org")
    parameters = _parameters(session, target, wanted)
    follower = _Follower(session, path("orgs", target.org, "events", "stream"), parameters, after, limit)
    follower.run()


class _Follower:
    """One tail: where it stands, and how many events are still wanted.

    Without a position the stream begins now; one that was cut off before the first event goes on from when it began.
    """

    def __init__(
        self, session: Session, where: str, parameters: dict[str, object], after: int | None, limit: int | None
    ) -> None:
        self._session, self._where, self._parameters = session, where, parameters
        self._position, self._left = after, limit
        if after is None and parameters["since"]:
            self._position = 0
        self._begun = session.clock.now()
        self._connection = Reconnecting(session)

    def run(self) -> None:
        """Follow until the limit is reached; raises CliFailure when it cannot start, or has been cut off for too long."""
        self._connection.run(self._follow, self._going_on)

    def _follow(self) -> bool:
        with self._session.api.stream(self._where, {**self._parameters, "after_event_id": self._position}) as lines:
            self._connection.connected()
            for event in records_in(lines):
                if "seq" not in event and "event_id" not in event:
                    continue
                self._connection.heard()
                self._position = _position(event, self._position)
                if self._session.flags.is_json:
                    self._session.screen.record(event)
                else:
                    _show(self._session, event)
                if self._left is not None:
                    self._left -= 1
                    if self._left == 0:
                        return True
        return False

    def _going_on(self) -> str:
        if self._position is None:
            now = self._session.clock.now()
            self._position, self._parameters["since"] = 0, moment(f"{now - self._begun:.0f}s", now)
        return f"after event {self._position or 0}"


def _parameters(session: Session, target: Target, wanted: Selection) -> dict[str, object]:
    now = session.clock.now()
    if wanted.route_id:
        check_id("instance" if wanted.route_id.startswith("inst_") else "route", wanted.route_id)
    parameters: dict[str, object] = {
        "event_type": wanted.event_type,
        "route_id": wanted.route_id,
        "since": moment(wanted.since, now),
        "until": moment(wanted.until, now),
    }
    return {**parameters, **narrowed(session, target, is_all=wanted.is_all)}


def _position(event: dict[str, Any], before: int | None) -> int | None:
    number = event.get("event_id", event.get("seq"))
    return number if isinstance(number, int) else before


def _show(session: Session, event: dict[str, Any]) -> None:
    payload = event.get("payload") if isinstance(event.get("payload"), dict) else {}
    told = " ".join(f"{key}={payload[key]}" for key in _TOLD if payload and payload.get(key) not in (None, ""))
    at = str(event.get("ts") or event.get("occurred_at") or "")
    number = _position(event, 0)
    kind = event.get("type") or event.get("event_type") or "unknown"
    session.screen.line(" ".join(filter(None, (at, f"#{number}", str(kind), str(event.get("aggregate_id", "")), told))))
