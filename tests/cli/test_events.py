"""``platform events``: the log, looked up and followed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from obslib.cli.platform import events, reconnecting
from obslib.cli.platform.failure import CliFailure
from tests.cli.fake_control_plane import FakeControlPlane

Run = Callable[..., Any]
NOW = 1_766_000_000.0


def line(seq: int, **payload: object) -> str:
    """One line of the stream."""
    event = {"ts": "2025-12-17T19:33:20Z", "seq": seq, "type": "instance.status_changed", "aggregate_type": "instance",
             "aggregate_id": f"inst_{seq}", "app_id": "a", "env_id": "e", "payload": payload}  # fmt: skip
    return json.dumps(event)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect at once."""
    monkeypatch.setattr(reconnecting.time, "sleep", lambda _: None)


def test_query_walks_pages_up_to_the_limit(platform: Run, plane: FakeControlPlane) -> None:
    """``--limit`` counts events, not pages; the answer says where to go on."""
    plane.events = [{"event_id": n, "event_type": "x.y", "aggregate_id": "i", "payload": {}} for n in range(1, 301)]
    found = platform("events", "query", "--limit", "250", "--json").json
    assert [event["event_id"] for event in found["items"]] == list(range(1, 251))
    assert found["next_after_event_id"] == 250
    assert len(platform("events", "query", "--limit", "1000", "--json").json["items"]) == 300


def test_query_sends_ids_for_names(platform: Run, plane: FakeControlPlane) -> None:
    """The env of the target is looked up, since the API filters by id; ``--all-envs`` sends none."""
    assert platform("events", "query", "--type", "a.b", "--since", "2025-12-17T19:33:20Z").code == 0
    assert plane.calls[-1].query == {
        "env_id": plane.envs["prod"], "event_type": "a.b", "since": "2025-12-17T19:33:20.000000Z", "limit": "50",
    }  # fmt: skip
    platform("events", "query", "--all-envs")
    assert plane.calls[-1].query == {"limit": "50"}


@pytest.mark.parametrize("command", ["query", "tail"])
def test_events_of_an_env_that_is_not_there_are_refused(platform: Run, plane: FakeControlPlane, command: str) -> None:
    """Named by id or by name, whether it never was or is another org's: no empty answer is given for one about it."""
    for named in ("nowhere", plane.mint("env")):
        done = platform("events", command, "--env", named)
        assert (done.code, done.out) == (4, "")
        assert "there is no env" in done.err
    assert all("/events" not in call.path for call in plane.calls)


def test_query_and_tail_send_every_filter(platform: Run, plane: FakeControlPlane) -> None:
    """What is named narrows the answer on the server: env, type, route, time, and the event to begin after (DBG-4-03)."""
    plane.envs["staging"] = plane.mint("env")
    route = plane.mint("rt")
    filters = ("--env", "staging", "--type", "route.deleted", "--route", route, "--after", "7")
    window = ("--since", "2025-12-17T19:00:00Z", "--until", "2025-12-17T20:00:00Z")
    assert platform("events", "query", *filters, *window, "--limit", "5").code == 0
    narrowed = {"env_id": plane.envs["staging"], "event_type": "route.deleted", "route_id": route, "after_event_id": "7"}
    times = {"since": "2025-12-17T19:00:00.000000Z", "until": "2025-12-17T20:00:00.000000Z"}
    assert plane.calls[-1].query == {**narrowed, **times, "limit": "5"}
    plane.streams = [[line(8)]]
    assert platform("events", "tail", *filters, "--limit", "1").code == 0
    assert plane.calls[-1].query == narrowed


def test_tail_goes_on_where_it_was_cut_off(platform: Run, plane: FakeControlPlane) -> None:
    """Each event is shown once, over a stream that ends and is taken up again after the last event."""
    plane.streams = [[line(1), "", line(2)], [], [line(3)]]
    done = platform("events", "tail", "--json", "--limit", "3")
    assert done.code == 0
    assert [json.loads(text)["seq"] for text in done.out.splitlines()] == [1, 2, 3]
    cursors = [call.query.get("after_event_id") for call in plane.calls if call.path.endswith("/stream")]
    assert cursors == [None, "2", "2"]


def test_tail_cut_off_before_its_first_event_misses_nothing(platform: Run, plane: FakeControlPlane) -> None:
    """The second connection asks for everything since the first one began, not from now on."""
    plane.streams = [[], [line(1)]]
    assert platform("events", "tail", "--json", "--limit", "1").code == 0
    first, second = (call.query for call in plane.calls if call.path.endswith("/stream"))
    assert "since" not in first
    assert second["after_event_id"] == "0"
    assert second["since"]


def test_tail_shows_an_event_on_a_line(platform: Run, plane: FakeControlPlane) -> None:
    """Time, number, type, aggregate and what matters of the payload, with hostile text spelled out."""
    plane.streams = [[line(7, status="failed", reason_code="oom\x1b[2J_killed", exit_code=-9, spec={"env": {"KEY": "value"}})]]
    done = platform("events", "tail", "--limit", "1")
    assert " ".join(done.out.split()) == (
        "2025-12-17T19:33:20Z #7 instance.status_changed inst_7 status=failed reason_code=oom\\x1b[2J_killed exit_code=-9"
    )


def test_tail_that_cannot_start_says_why(platform: Run, plane: FakeControlPlane) -> None:
    """A refused stream is an error with its exit code, not a loop."""
    plane.problems["/events/stream"] = (403, {"detail": "this needs the scope 'events:read'", "code": "forbidden"})
    done = platform("events", "tail", "--json")
    assert (done.code, done.json["error"]["category"]) == (3, "auth")


def test_a_stream_of_something_else_is_refused(platform: Run, plane: FakeControlPlane) -> None:
    """A line that is no JSON object ends the tail as an internal error."""
    plane.streams = [["<html>"]]
    assert platform("events", "tail").code == 7


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("90s", "2025-12-17T19:31:50.000000Z"),
        ("2h", "2025-12-17T17:33:20.000000Z"),
        ("2025-12-17T20:33:20+01:00", "2025-12-17T19:33:20.000000Z"),
    ],
)
def test_times_are_absolute_or_ago(text: str, expected: str) -> None:
    """Both spellings become the same RFC 3339 in UTC."""
    assert events.moment(text, NOW) == expected


@pytest.mark.parametrize("text", ["soon", "-5m", "5 m", "999999999d", "2025-13-01"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """With the spellings that are taken."""
    with pytest.raises(CliFailure, match="is not a time"):
        events.moment(text, NOW)


def start(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    """The command as a process of its own."""
    code = "import sys; from obslib.cli.platform.main import main; sys.exit(main())"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, **options
    )


def test_ctrl_c_ends_a_tail_with_130_and_no_words(plane: FakeControlPlane, context: Path) -> None:
    """SIGINT ends it at once, quietly; every event so far has been written."""
    plane.streams = [[line(n) for n in range(1, 4)]]
    process = start("events", "tail", "--json", stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert [json.loads(process.stdout.readline())["seq"] for _ in range(3)] == [1, 2, 3]
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert b"Traceback" not in err


def test_a_closed_pipe_is_quiet(plane: FakeControlPlane, context: Path) -> None:
    """``| head`` ends the command with 0 and nothing on standard error but progress."""
    plane.streams = [[line(n) for n in range(1, 2_000)]]
    reader, writer = os.pipe()
    process = start("events", "tail", stdout=writer)
    os.close(writer)
    os.read(reader, 10)
    os.close(reader)
    deadline = time.monotonic() + 20
    _, err = process.communicate(timeout=max(1.0, deadline - time.monotonic()))
    assert process.returncode == 0
    assert b"Traceback" not in err
    assert b"Broken" not in err
