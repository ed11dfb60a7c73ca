"""The platform's labels and closed sets are those of the requirements, word for word (requirements §2 and §3)."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from obslib.catalog import Catalog, Family, Label
from obslib.catalog.labels import FORBIDDEN
from obslib.catalog.platform import PLATFORM
from obslib.errors import ErrorClass

BOUNDS: Mapping[str, int] = {
    "component": 5, "plane": 5, "loop": 32, "metric": 256, "label": 64, "source": 256, "method": 6, "path_template": 96,
    "status_class": 5, "error_class": 12, "result": 6, "reason": 20, "state": 10, "kind": 10, "check": 10, "decision": 10,
    "size_class": 10, "stream": 10, "action": 10, "version": 1, "projection": 32, "event_type": 47, "consumer": 3,
    "operation": 16, "node_id": 64, "org_id": 500, "env_id": 1_000, "process_type": 64, "route_id": 500, "listener_port": 64,
    "rank": 10, "instance_id": 256,
}  # fmt: skip
"""How many values each label may have: §2, and CARD-02 for instance_id. What names things of the catalog has its size."""

FORBIDDEN_NAMES = """
hostname, url, path, query, user_id, email, actor_id, ip, request_id, trace_id, span_id,
idempotency_key, error_message, image, digest, volume_id, deploy_id, release_id, event_id, session_id
"""

CLOSED_SETS = """
1. `error_class` (12): invalid_argument, unauthorized, forbidden, not_found, conflict, precondition_failed,
   rate_limited, quota_exceeded, timeout, unavailable, dependency, internal.
2. Scheduler `reason` (11): no_capacity_memory, no_nodes_active, volume_locality_no_node, volume_in_use,
   volume_constraints_invalid, ipam_exhausted, ipam_unavailable, secrets_missing, org_quota_exceeded, db_error, internal.
3. Instance failure `reason` (12): image_pull_failed, rootfs_build_failed, firecracker_start_failed,
   network_setup_failed, volume_attach_failed, secrets_missing, secrets_injection_failed, healthcheck_failed,
   oom_killed, crash_loop_backoff, terminated_by_operator, node_draining.
4. Edge upstream `reason` (8): timeout, refused, reset, unreachable, no_eligible_backend, proxy_header_write,
   closed_early, internal.
5. Termination class (8): oom, crash, operator_action, upgrade, scale_down, boot_failure, node_lost, unknown.
6. `operation` (14): event_append, event_read, projection_apply, checkpoint_write, view_read, idempotency, auth,
   log_write, log_read, lock, health_probe, registry_pull, object_store, agent_rpc.
"""

SUPPORTING_SETS = """
1. secrets_delivery (7): secrets_missing, master_key_unavailable, decrypt_failed, integrity_failed, format_invalid,
   secrets_write_failed, secrets_injection_failed.
2. volume_attach (8): volume_not_present_on_node, device_attach_failed, filesystem_mismatch, mount_path_invalid,
   mount_failed, read_only_attach_failed, busy_or_already_attached, volume_attach_failed.
3. snapshot (4): preflight_failed, snapshot_create_failed, quiesce_failed, internal_error.
4. restore (14): snapshot_not_found, snapshot_not_succeeded, backup_metadata_missing, backup_object_missing,
   master_key_unavailable, node_not_eligible, no_capacity, download_failed, decrypt_failed, write_failed,
   integrity_check_failed, fsck_failed, cleanup_failed, internal_error.
"""
"""Those of the supporting specs (platform facts §10); the first two end in the instance's reason for all of them."""


def test_every_label_of_the_platform_is_in_the_table_and_within_its_bound() -> None:
    """No family carries a label that the requirements do not bound, nor one that may hold more than they say."""
    assert unbounded(PLATFORM) == []
    assert {use.name for family in PLATFORM.of(Family) for use in family.labels} <= set(BOUNDS)


def test_mutant_a_label_past_its_bound_is_found() -> None:
    """The check above sees a label that holds one value too many, and one that nobody bounds."""
    wide = [Label.budgeted("projection", 33, why="w"), Label.budgeted("shelf", 2, why="w")]
    assert [problem_of(label) for label in wide] == ["projection may hold 33 values, not 32", "shelf is not in the table"]


def test_the_forbidden_names_are_those_of_the_requirements() -> None:
    """All of them, and instance_id, which only an instance metric may carry."""
    assert {"instance_id", *words(FORBIDDEN_NAMES)} == FORBIDDEN


def declared() -> Mapping[str, tuple[str, ...]]:
    """The closed sets by what the requirements call them."""
    operation = next(use for family in PLATFORM.of(Family) for use in family.labels if use.name == "operation")
    return {
        "`error_class`": tuple(each.value for each in ErrorClass),
        "Scheduler `reason`": PLATFORM.reasons["scheduler"].values,
        "Instance failure `reason`": PLATFORM.reasons["instance_failure"].values,
        "Edge upstream `reason`": PLATFORM.reasons["edge_upstream"].values,
        "Termination class": PLATFORM.reasons["termination"].values,
        "`operation`": operation.values,
    }


@pytest.mark.parametrize("name", list(declared()))
def test_a_closed_set_is_the_text_of_the_requirements(name: str) -> None:
    """The same codes in the same order, as many as the text counts."""
    [(count, text)] = [(int(n), text) for title, n, text in written(CLOSED_SETS) if title == name]
    assert declared()[name] == words(text)
    assert len(declared()[name]) == count


def test_the_reasons_of_the_supporting_specs_are_theirs() -> None:
    """The same codes in the same order, as many as the text counts."""
    for name, count, text in written(SUPPORTING_SETS):
        assert PLATFORM.reasons[name].values == words(text)
        assert len(words(text)) == int(count)


def test_every_closed_set_of_the_requirements_is_looked_at() -> None:
    """Each of the six has its test, and a reason set of the catalog is one of those or of the supporting specs."""
    assert [title for title, _, _ in written(CLOSED_SETS)] == list(declared())
    supporting = {name for name, _, _ in written(SUPPORTING_SETS)}
    assert set(PLATFORM.reasons) == {"scheduler", "instance_failure", "edge_upstream", "termination", *supporting}


def test_mutant_a_reason_more_or_less_is_found() -> None:
    """The comparison above sees a code that is missing, and one that is too many."""
    [text] = [text for title, _, text in written(CLOSED_SETS) if title == "Edge upstream `reason`"]
    ours = PLATFORM.reasons["edge_upstream"].values
    assert words(text) not in (ours[:-1], (*ours, "sleepy"))


def unbounded(catalog: Catalog) -> list[str]:
    """What is wrong with the labels of the catalog's families."""
    found = (problem_of(use.label) for family in catalog.of(Family) for use in family.labels)
    return [problem for problem in found if problem]


def problem_of(label: Label) -> str:
    """What is wrong with a label; empty when nothing is."""
    if label.name not in BOUNDS:
        return f"{label.name} is not in the table"
    bound = BOUNDS[label.name]
    return "" if label.at_most <= bound else f"{label.name} may hold {label.at_most} values, not {bound}"


def written(sets: str) -> list[tuple[str, str, str]]:
    """Title, number and text of each closed set that is written there."""
    return re.findall(r"^\d\. (.+?) \((\d+)\): ([^.]+)\.", sets, re.MULTILINE)


def words(text: str) -> tuple[str, ...]:
    """The names of a list."""
    return tuple(word.strip() for word in text.split(","))
