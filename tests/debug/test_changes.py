"""Changes: what was set, what it was before, and nothing of a secret but its version."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from obslib.access import Grant, Scope
from obslib.debug import Window, changes, describe_changes
from obslib.errors import AccessDenied
from obslib.redaction import Redactor
from obslib.tally import Tally
from obslib.wire import EventRecord

GrantFor = Callable[[Scope, str], Grant]


class FakeHistory:
    """A log in memory: the first events lie before the window."""

    def __init__(self, events: Sequence[EventRecord], *, earlier: int = 0) -> None:
        self._events, self._earlier = events, earlier

    async def changed(self, grant: Grant, window: Window) -> Sequence[EventRecord]:
        """What is in the window."""
        return self._events[self._earlier :][-window.limit - 1 :]

    async def before(self, grant: Grant, events: Sequence[EventRecord]) -> Sequence[EventRecord]:
        """Whatever is older; the contract allows more than is needed."""
        return [event for event in self._events if event.event_id < events[0].event_id]


async def described(history: FakeHistory, grant: Grant, **window: Any) -> Any:
    """The description of a window since ever."""
    redacted = Redactor(Tally()).value
    return await describe_changes(history, grant, Window(since="2025-01-01T00:00:00Z", **window), redacted=redacted)


def told(events: Sequence[EventRecord], before: Sequence[EventRecord] = ()) -> list[tuple[Any, ...]]:
    """Action, field, old and new of each change."""
    return [(c.action, c.field, c.old, c.new) for c in changes(events, before)]


def test_a_change_is_told_with_the_value_before(scene: Any) -> None:
    """Who, when, resource, field, old and new, of consecutive events of one aggregate (DBG-4-02)."""
    events = [
        scene.event(1, "env.created", scene.env, name="prod"),
        scene.event(2, "env.desired_release_set", scene.env, release_id="rel_1", deploy_id="dep_1", process_types=["web"]),
        scene.event(3, "env.scale_set", scene.env, process_type="web", replicas=2),
        scene.event(4, "env.scale_set", scene.env, process_type="worker", replicas=1),
        scene.event(5, "env.desired_release_set", scene.env, release_id="rel_2", deploy_id="dep_2", process_types=["web"]),
        scene.event(6, "env.scale_set", scene.env, process_type="web", replicas=3),
    ]
    assert told(events) == [
        ("created", "", None, {"name": "prod"}),
        ("changed", "release_id", None, "rel_1"),
        ("changed", "process_types", None, ["web"]),
        ("changed", "web.replicas", None, 2),
        ("changed", "worker.replicas", None, 1),
        ("changed", "release_id", "rel_1", "rel_2"),
        ("changed", "web.replicas", 2, 3),
    ]
    last = list(changes(events))[-1]
    assert (last.event_id, last.at, last.actor_id, last.resource_type, last.resource_id) == (
        6, scene.ago(34), "usr_1", "env", scene.env,
    )  # fmt: skip
    assert last.is_old_known


def test_the_first_old_value_comes_from_the_event_before_the_window(scene: Any) -> None:
    """Known when there is an earlier event, marked as unknown when there is none."""
    first = scene.event(3, "env.scale_set", scene.env, process_type="web", replicas=2)
    second = scene.event(6, "env.scale_set", scene.env, process_type="web", replicas=3)
    assert told([second], before=[first]) == [("changed", "web.replicas", 2, 3)]
    (alone,) = changes([second])
    assert (alone.old, alone.is_old_known) == (None, False)


def test_what_goes_is_told_with_what_it_was(scene: Any) -> None:
    """A deleted route shows the hostname that is gone."""
    made = scene.event(1, "route.created", scene.route, hostname="shop.example", listener_port=8080, backend_port=0)
    gone = scene.event(2, "route.deleted", scene.route)
    assert told([gone], before=[made]) == [
        ("deleted", "", {"hostname": "shop.example", "listener_port": 8080, "backend_port": 0}, None)
    ]


def test_what_an_event_sets_without_saying_so_is_an_old_value_too(scene: Any) -> None:
    """A deploy begins queued; the same value again is no change, and one that is emptied is."""
    events = [
        scene.event(1, "deploy.created", scene.deploy, release_id="rel_1", kind="deploy"),
        scene.event(2, "deploy.status_changed", scene.deploy, status="rolling", reason=""),
        scene.event(3, "deploy.status_changed", scene.deploy, status="failed", reason="replacements_exhausted"),
        scene.event(4, "deploy.status_changed", scene.deploy, status="failed", reason=""),
    ]
    assert told(events)[1:] == [
        ("changed", "status", "queued", "rolling"),
        ("changed", "status", "rolling", "failed"),
        ("changed", "reason", None, "replacements_exhausted"),
        ("changed", "reason", "replacements_exhausted", None),
    ]


def test_secrets_show_version_ids_only(scene: Any) -> None:
    """Whatever else an event of a bundle or a credential holds stays where it is."""
    events = [
        scene.event(1, "secret_bundle.created", "sb_1", name="prod", value="hunter2"),
        scene.event(2, "secret_bundle.version_set", "sb_1", version_id="sv_1", keys={"DB": "hunter2"}, value="hunter2"),
        scene.event(3, "secret_bundle.version_set", "sb_1", version_id="sv_2", ciphertext="hunter2"),
        scene.event(4, "service_principal.secret_rotated", "sp_1", secret="hunter2"),
    ]
    assert told(events) == [
        ("created", "", None, {}),
        ("changed", "version_id", None, "sv_1"),
        ("changed", "version_id", "sv_1", "sv_2"),
        ("changed", "secret_rotated", None, None),
    ]


async def test_what_looks_like_a_secret_is_blotted_out(scene: Any, grant_for: GrantFor) -> None:
    """Even where no secret belongs."""
    made = scene.event(1, "route.created", scene.route, hostname="shop.example", note="postgres://u:hunter2@db/x")
    found = await described(FakeHistory([made]), grant_for(Scope.EVENTS_READ, scene.org))
    assert "hunter2" not in str(found)
    assert found["changes"][0]["new"]["hostname"] == "shop.example"


async def test_a_window_that_is_cut_says_so(scene: Any, grant_for: GrantFor) -> None:
    """The newest are told, with the old value from what was cut off, and from when on nothing is missing."""
    events = [scene.event(n, "env.scale_set", scene.env, process_type="web", replicas=n) for n in range(1, 8)]
    grant = grant_for(Scope.EVENTS_READ, scene.org)
    cut = await described(FakeHistory(events, earlier=1), grant, limit=3)
    assert [(c["old"], c["new"]) for c in cut["changes"]] == [(4, 5), (5, 6), (6, 7)]
    assert (cut["is_cut"], cut["events"], cut["complete_since"]) == (True, 3, scene.ago(35))
    whole = await described(FakeHistory(events, earlier=1), grant, limit=6)
    assert (whole["is_cut"], whole["complete_since"]) == (False, "2025-01-01T00:00:00Z")


async def test_nobody_elses_changes_are_told(scene: Any, grant_for: GrantFor) -> None:
    """Events of another org are left out even if a backend returns them; another scope opens nothing."""
    event = scene.event(1, "env.scale_set", scene.env, process_type="web", replicas=3)
    other = grant_for(Scope.EVENTS_READ, "org_01BX5ZZKBKACTAV9WEVGEMMVRZ")
    assert (await described(FakeHistory([event]), other))["changes"] == []
    with pytest.raises(AccessDenied):
        await described(FakeHistory([event]), grant_for(Scope.ENVS_READ, scene.org))
