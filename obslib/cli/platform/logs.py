"""``platform logs``: what the workloads of an env write, looked up or followed (WLG-01 to WLG-04)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from obslib.cli.platform.context import check_id
from obslib.cli.platform.events import moment
from obslib.cli.platform.grouping import Holder, group
from obslib.cli.platform.reconnecting import Reconnecting, records_in
from obslib.cli.platform.session import Session

__all__ = ["commands"]

ProcessType = Annotated[str, typer.Option("--process-type", help="Only of this process type, such as web.")]
Instance = Annotated[str, typer.Option("--instance", help="Only of this instance id; also of one that has ended.")]
Since = Annotated[str, typer.Option(help="RFC 3339 time or how long ago: 90s, 10m, 1h. At most an hour before --until.")]
Until = Annotated[str, typer.Option(help="The same, for the end; now by default.")]
Contains = Annotated[str, typer.Option(help="Only lines that hold this text.")]

_WHY_LOST = {
    "buffer_full": "the node could not hold them while the control plane was away",
    "rate_limited": "the workload wrote more than its node takes",
    "rejected": "the control plane refused them",
    "console_full": "the console was full before the node had read them",
    "store_damaged": "the store was damaged",
    "tail_rate": "more came than one stream may carry; 'platform logs query' has them",
    "answer_size": "one answer holds no more; ask for a shorter time",
}


def commands(holder: Holder) -> typer.Typer:
    """The group ``logs``."""
    logs = group("Read what workloads write.", "logs")

    @logs.command()
    def query(
        process_type: ProcessType = "",
        instance: Instance = "",
        since: Since = "",
        until: Until = "",
        contains: Contains = "",
        limit: Annotated[int, typer.Option("--limit", "--tail-lines", help="The newest so many lines.", min=1)] = 200,
    ) -> None:
        """The newest lines of the env, oldest first."""
        session = holder["session"]
        wanted = _wanted(session, process_type, instance, since, until, contains)
        _query(session, {**wanted, "tail_lines": limit})

    @logs.command()
    def tail(
        process_type: ProcessType = "",
        instance: Instance = "",
        since: Since = "",
        contains: Contains = "",
        tail_lines: Annotated[
            int | None, typer.Option(help="Begin with the newest so many lines; 10, or all since --since.", min=0)
        ] = None,
        limit: Annotated[int | None, typer.Option(help="Stop after so many lines.", min=1)] = None,
    ) -> None:
        """Follow lines as they come, over reconnections; Ctrl-C ends it with exit code 130."""
        session = holder["session"]
        wanted = _wanted(session, process_type, instance, since, "", contains)
        if tail_lines is None and not since:
            tail_lines = 10
        _Follower(session, wanted, tail_lines, limit).run()

    return logs


def _wanted(session: Session, process_type: str, instance: str, since: str, until: str, contains: str) -> dict[str, object]:
    if instance:
        check_id("instance", instance)
    now = session.clock.now()
    return {
        "process_type": process_type, "instance_id": instance, "since": moment(since, now), "until": moment(until, now),
        "contains": contains,
    }  # fmt: skip


def _query(session: Session, parameters: dict[str, object]) -> None:
    target = session.target("org", "app", "env")
    found = list(session.api.get(session.env_path(target, "logs"), **parameters).get("items") or ())
    if session.flags.is_json:
        session.screen.document({"items": found})
        return
    for record in found:
        _show(session, record)
    if not found:
        session.screen.note("no lines match")


class _Follower:
    """One tail. It comes back with the position it has seen last, so that no line is shown twice and none is left out."""

    def __init__(self, session: Session, wanted: dict[str, object], tail_lines: int | None, limit: int | None) -> None:
        self._session, self._left = session, limit
        self._where = session.env_path(session.target("org", "app", "env"), "logs", "stream")
        self._parameters = {**wanted, "tail_lines": tail_lines}
        self._connection = Reconnecting(session)

    def run(self) -> None:
        """Follow until the limit is reached; raises CliFailure when it cannot start, or has been cut off for too long."""
        self._connection.run(self._follow, lambda: f"after position {self._parameters.get('after', 'none')}")

    def _follow(self) -> bool:
        with self._session.api.stream(self._where, self._parameters, on_begun=self._begun) as lines:
            self._connection.connected()
            for record in records_in(lines):
                self._connection.heard()
                self._go_on_after(record.get("position"))
                if self._session.flags.is_json:
                    self._session.screen.record(record)
                else:
                    _show(self._session, record)
                if self._left is not None:
                    self._left -= 1
                    if self._left == 0:
                        return True
        return False

    def _begun(self, headers: Mapping[str, str]) -> None:
        self._go_on_after(headers.get("x-log-position"))

    def _go_on_after(self, position: object) -> None:
        """Remember the position; once there is one, where the stream was to begin says nothing any more."""
        if position is not None:
            self._parameters |= {"after": position, "since": "", "tail_lines": None}


def _show(session: Session, record: dict[str, Any]) -> None:
    lead = [str(record.get(name) or "") for name in ("ts", "process_type", "instance_id")]
    if record.get("kind"):
        session.screen.line(f"{lead[0]} -- {_sentence(record, ' '.join(filter(None, lead[1:])))} --", style="yellow")
        return
    stream = ["stderr"] if record.get("stream") == "stderr" else []
    session.screen.verbatim(" ".join([*lead, *stream]), str(record.get("line", "")))


def _sentence(record: dict[str, Any], whose: str) -> str:
    count, reason = record.get("count"), str(record.get("reason") or "")
    lines = "1 line" if count == 1 else f"{count} lines"
    if record.get("is_exact") is False:
        lines = "an unknown number of lines" if count == 1 else f"about {lines}"
    what = {"lines_lost": "lost", "lines_missing": "missing", "lines_skipped": "left out"}.get(str(record["kind"]), "not here")
    return f"{lines}{f' of {whose}' if whose else ''} {what}: {_WHY_LOST.get(reason, reason or 'no reason given')}"
