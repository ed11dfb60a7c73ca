"""``platform logs``: workloads' lines are shown and never obeyed, each once, and what is missing is said."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from typing import Any

import pytest

from obslib.cli.platform import reconnecting, screen
from obslib.cli.platform.screen import plain
from tests.cli.fake_control_plane import FakeControlPlane

Run = Callable[..., Any]
INSTANCE = "inst_01J00000000000000000000001"


def entry(n: int, line: str = "", **more: Any) -> dict[str, Any]:
    """One entry as the API tells it."""
    return {
        "ts": f"2026-01-31T09:30:{n:02d}.000000Z", "process_type": "web", "instance_id": INSTANCE, "stream": "stdout",
        "line": line, "position": n, **more,
    }  # fmt: skip


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reconnect at once."""
    monkeypatch.setattr(reconnecting.time, "sleep", lambda _: None)


def test_a_query_shows_each_line_with_where_it_is_from(platform: Run, plane: FakeControlPlane) -> None:
    """Time, process type, instance and the line as it was written; what was asked for is in the call."""
    plane.log_items = [entry(1, "GET  /\t200"), entry(2, "oops", stream="stderr")]
    done = platform(
        "logs", "query", "--process-type", "web", "--instance", INSTANCE, "--since", "2026-01-31T09:00:00Z",
        "--until", "2026-01-31T10:00:00Z", "--limit", "7", "--contains", "G",
    )  # fmt: skip
    assert done.out.splitlines() == [
        f"2026-01-31T09:30:01.000000Z web {INSTANCE} GET  /\t200",
        f"2026-01-31T09:30:02.000000Z web {INSTANCE} stderr oops",
    ]
    assert plane.calls[-1].query == {
        "process_type": "web", "instance_id": INSTANCE, "since": "2026-01-31T09:00:00.000000Z",
        "until": "2026-01-31T10:00:00.000000Z", "tail_lines": "7", "contains": "G",
    }  # fmt: skip


def test_json_is_what_the_api_told(platform: Run, plane: FakeControlPlane) -> None:
    """The whole entry, escapes and all, in ASCII."""
    plane.log_items = [entry(1, "\x1b[2J\u202e", line_base64="/w==")]
    done = platform("logs", "query", "--json")
    assert done.json == {"items": plane.log_items}
    assert done.out.isascii()


def test_nothing_found_is_said(platform: Run) -> None:
    """On standard error, with success."""
    done = platform("logs", "query")
    assert (done.code, done.out, done.err) == (0, "", "no lines match\n")


@pytest.mark.parametrize(
    ("marker", "sentence"),
    [
        (
            {"kind": "lines_lost", "reason": "buffer_full", "count": 3, "is_exact": True},
            f"3 lines of web {INSTANCE} lost: the node could not hold them while the control plane was away --",
        ),
        (
            {"kind": "lines_lost", "reason": "console_full", "count": 1, "is_exact": False},
            f"an unknown number of lines of web {INSTANCE} lost:",
        ),
        (
            {"kind": "lines_missing", "reason": "store_damaged", "count": 1, "is_exact": True},
            f"1 line of web {INSTANCE} missing: the store",
        ),
        (
            {
                "kind": "lines_skipped",
                "reason": "tail_rate",
                "count": 9,
                "is_exact": True,
                "instance_id": "",
                "process_type": "",
            },
            "9 lines left out: more came than one stream may carry; 'platform logs query' has them --",
        ),
        ({"kind": "new", "reason": "why", "count": 2, "is_exact": False}, f"about 2 lines of web {INSTANCE} not here: why"),
    ],
)
def test_what_is_missing_is_a_sentence(platform: Run, plane: FakeControlPlane, marker: dict[str, Any], sentence: str) -> None:
    """Set off from the workload's own lines, with how many and why."""
    plane.log_items = [entry(1, **marker)]
    told = " ".join(platform("logs", "query").out.split())
    assert told.startswith("2026-01-31T09:30:01.000000Z -- ")
    assert sentence in told


def control_sequences(lines: list[str]) -> list[str]:
    """Lines that show a character which a terminal may obey, once they are neutralised. Should be empty."""
    obeyed = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
    return [line for line in lines if obeyed.search(plain(line, keep="\t"))]


def hostile_lines(count: int) -> list[str]:
    """Lines full of escapes, C0 and C1 controls, direction overrides and arbitrary characters."""
    chance = random.Random(11)
    parts = ["\x1b[31m", "\x1b]0;title\x07", "\x9b2J", "\x85", "\u202e", "\u2066", "\r", "\b", "\x00", "\t", "text", "é", "👍"]
    return [
        "".join(chance.choice([*parts, chr(chance.randint(0, 0xD7FF))]) for _ in range(chance.randint(1, 20)))
        for _ in range(count)
    ]


def test_a_terminal_obeys_nothing_of_a_line() -> None:
    """No control sequence, C1 or direction control survives; tabs and letters do (R11)."""
    assert control_sequences(hostile_lines(3_000)) == []
    assert plain("a\tb é 👍", keep="\t") == "a\tb é 👍"


@pytest.mark.slow
def test_a_terminal_obeys_nothing_of_fifty_thousand_lines() -> None:
    """The same at length."""
    assert control_sequences(hostile_lines(50_000)) == []


def test_mutant_that_lets_controls_through_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """A screen that lets control characters through is seen by the check above."""
    monkeypatch.setattr(screen, "_HIDDEN", {"Cs"})
    assert control_sequences(hostile_lines(50)) != []


def test_a_tail_shows_each_line_once_over_reconnections(platform: Run, plane: FakeControlPlane) -> None:
    """It comes back with the last position, and with no other beginning."""
    plane.streams = [[json.dumps(entry(41, "a")), "", json.dumps(entry(42, "b"))], [], [json.dumps(entry(43, "c"))]]
    done = platform("logs", "tail", "--json", "--limit", "3")
    assert [json.loads(line)["line"] for line in done.out.splitlines()] == ["a", "b", "c"]
    first, *others = [call.query for call in plane.calls if call.path.endswith("/stream")]
    assert first == {"tail_lines": "10"}
    assert others == [{"after": "42"}, {"after": "42"}]


@pytest.mark.parametrize(("command", "ending"), [(("logs", "query"), "/logs"), (("logs", "tail"), "/logs/stream")])
def test_lines_are_of_the_org_app_and_env_that_are_named(
    platform: Run, plane: FakeControlPlane, command: tuple[str, ...], ending: str
) -> None:
    """The path names all three; process type and instance narrow a tail as they narrow a query (WLG-01 to WLG-03)."""
    plane.envs["staging"] = plane.mint("env")
    plane.streams = [[json.dumps(entry(1, "a"))]]
    named = ("--org", "acme", "--app", "shop", "--env", "staging")
    done = platform(*named, *command, "--process-type", "web", "--instance", INSTANCE, "--limit", "1")
    assert done.code == 0, done.err
    call = plane.calls[-1]
    assert call.path == f"/v1/orgs/acme/apps/shop/envs/staging{ending}"
    assert (call.query["process_type"], call.query["instance_id"]) == ("web", INSTANCE)


def test_a_tail_cut_off_before_its_first_line_misses_nothing(platform: Run, plane: FakeControlPlane) -> None:
    """It comes back with the place where the stream had begun."""
    plane.streams = [[], [json.dumps(entry(41, "a"))]]
    assert platform("logs", "tail", "--since", "10m", "--limit", "1").code == 0
    first, second = [call.query for call in plane.calls if call.path.endswith("/stream")]
    assert set(first) == {"since"}
    assert second == {"after": "40"}


@pytest.mark.parametrize(
    ("status", "problem", "code"),
    [
        (400, {"detail": "limits.max_query_lines is 10000", "code": "invalid_argument"}, 2),
        (403, {"detail": "this needs the scope 'logs:read'", "code": "forbidden"}, 3),
        (404, {"detail": "there is no such env", "code": "not_found"}, 4),
        (429, {"detail": "limits.max_log_streams allows", "code": "rate_limited", "retryable": True}, 6),
        (503, {"detail": "the access could not be put on record", "code": "unavailable"}, 6),
    ],
)
def test_a_refusal_is_told_as_the_api_says_it(
    platform: Run, plane: FakeControlPlane, status: int, problem: dict[str, Any], code: int
) -> None:
    """With its exit code, for queries and tails, and no second try."""
    plane.problems = {"/logs": (status, problem), "/logs/stream": (status, problem)}
    for command in ("query", "tail"):
        done = platform("logs", command)
        assert (done.code, done.out) == (code, "")
        assert problem["detail"] in " ".join(done.err.split())


@pytest.mark.parametrize("wrong", [("--instance", "web-1"), ("--since", "yesterday"), ("--limit", "0"), ("--colour",)])
def test_what_is_no_selection_is_refused(platform: Run, wrong: tuple[str, ...]) -> None:
    """Before anything is asked."""
    assert platform("logs", "query", *wrong).code == 2
