"""``platform audit query``, ``platform retention show`` and an operator's emergency."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cli.fake_control_plane import FakeControlPlane

Run = Callable[..., Any]

READ = {
    "kind": "access", "timestamp": "2026-01-31T09:30:00.000000Z", "action": "logs.query", "decision": "allow", "result": "ok",
    "reason": "scope_held", "lines": 12, "selectors": {"env_id": "env_1"}, "since": "2026-01-31T09:00:00Z", "until": "",
    "actor_type": "user", "actor_id": "usr_1", "emergency_reason": "",
}  # fmt: skip
OPERATORS = {**READ, "actor_type": "service_principal", "actor_id": "operator", "emergency_reason": "INC-7"}
REFUSED = {**READ, "action": "logs.tail", "decision": "deny", "result": "error", "reason": "foreign_org", "lines": None}
CHANGED = {
    "kind": "change", "timestamp": "2026-01-31T09:30:01.000000Z", "action": "env.scale_set", "resource_id": "env_1",
    "actor_type": "user", "actor_id": "usr_1", "decision": "allow",
}  # fmt: skip


def test_the_timeline_says_who_read_and_who_changed_what(
    platform: Run, plane: FakeControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line each: when, access or change, what was asked for, by whom, and what came of it."""
    monkeypatch.setenv("COLUMNS", "300")
    plane.audit = {"items": [READ, OPERATORS, REFUSED, CHANGED], "is_cut": True}
    done = platform("audit", "query")
    assert done.code == 0
    asked = "env_id=env_1 since=2026-01-31T09:00:00Z"
    assert done.out.splitlines() == [
        f"2026-01-31T09:30:00.000000Z access logs.query {asked} by user usr_1 (12 lines, ok)",
        f"2026-01-31T09:30:00.000000Z access logs.query {asked} by service_principal operator (12 lines, ok, emergency: INC-7)",
        f"2026-01-31T09:30:00.000000Z denied logs.tail {asked} by user usr_1 (foreign_org)",
        "2026-01-31T09:30:01.000000Z change env.scale_set env_1 by user usr_1",
    ]
    assert done.err.strip() == "there is more: ask for it with --until 2026-01-31T09:30:00.000000Z"
    assert platform("audit", "query", "--json").json == plane.audit


def test_filters_are_ids_and_times_when_they_are_sent(platform: Run, plane: FakeControlPlane) -> None:
    """Names become ids, a duration becomes a time, --all-envs lifts the narrowing, and a malformed id is not sent."""
    route = plane.mint("rt")
    named = ("--org", "acme", "--app", "shop", "--env", "prod")
    done = platform("audit", "query", *named, "--since", "2h", "--until", "1h", "--route", route, "--limit", "9")
    assert (done.code, done.err.strip()) == (0, "nothing is on record")
    query = plane.calls[-1].query
    assert (query["env_id"], query["route_id"], query["limit"]) == (plane.envs["prod"], route, "9")
    assert query["since"].endswith("Z")
    assert query["since"] < query["until"]
    platform("audit", "query", "--all-envs")
    assert "env_id" not in plane.calls[-1].query
    calls = len(plane.calls)
    assert platform("audit", "query", "--route", "rt_nonsense").code == 2
    assert platform("audit", "query", "--since", "yesterday").code == 2
    assert [call for call in plane.calls[calls:] if call.path.endswith("/audit")] == []


def test_an_audit_that_cannot_be_kept_is_a_passing_failure(platform: Run, plane: FakeControlPlane) -> None:
    """503 is exit code 6: try again; no part of an answer is printed."""
    problem = {"detail": "the access could not be put on record", "code": "unavailable", "retryable": True}
    plane.problems["/audit"] = (503, problem)
    done = platform("audit", "query")
    assert (done.code, done.out) == (6, "")
    assert "the access could not be put on record" in done.err


def test_audit_verify_tells_a_whole_trail_from_a_broken_one(platform: Run, plane: FakeControlPlane) -> None:
    """Whole: exit 0 and the head to note. Broken: exit 1, with the place and what was done there."""
    plane.trail = {"records": 17, "head": "ab" * 32, "is_whole": True, "breach": None}
    done = platform("audit", "verify", "--head", "cd" * 32)
    assert (done.code, done.out) == (0, f"whole: 17 records\nhead: {'ab' * 32}\n")
    assert plane.calls[-1].query["head"] == "cd" * 32
    plane.trail = {"records": 2, "head": "", "is_whole": False, "breach": {"seq": 3, "kind": "changed"}}
    done = platform("audit", "verify")
    assert (done.code, done.out) == (1, "")
    assert "the audit trail is broken at record 3 (changed): it and what follows is in doubt" in done.err


def test_retention_show_names_key_value_and_source(platform: Run) -> None:
    """One line per key (RET-07)."""
    assert platform("retention", "show").out == "retention.metrics = 14d  (retention.toml)\n"
    assert platform("retention", "show", "--json").json["items"][0]["value"] == "14d"


def test_an_emergency_is_declared_for_an_hour_with_every_call(platform: Run, plane: FakeControlPlane) -> None:
    """The reason and the end go with each call of the command; without the flag neither is sent."""
    assert platform("--emergency", "INC-7: cannot log in", "describe", "env").code == 0
    for call in plane.calls:
        assert call.headers["x-emergency-reason"] == "INC-7: cannot log in"
        left = datetime.fromisoformat(call.headers["x-emergency-until"]) - datetime.now(UTC)
        assert timedelta(minutes=50) < left <= timedelta(hours=1)
    platform("describe", "env")
    assert "x-emergency-reason" not in plane.calls[-1].headers
    assert platform("describe", "env", "--emergency", "größer").code == 2
    assert platform("describe", "env", "--emergency", "").code == 2
