"""What a group should be has one name, which changes exactly when an instance would have to be replaced."""

import pytest

from miniplatform.scheduler.desired import InvalidManifest, group_spec_hash, workload_spec
from miniplatform.wire import HealthSpec, WorkloadSpec

MANIFEST = {
    "name": "web",
    "process": {
        "web": {
            "command": ["python", "-m", "web"], "replicas": 2, "memory_bytes": 1024, "env": {"GREETING": "hello"},
            "health": {"type": "http", "path": "/up"},
        }
    },
}  # fmt: skip


def digest(manifest: object = MANIFEST, *, release_id: str = "rel_1", manifest_hash: str = "m") -> str:
    """The hash of the manifest's web process."""
    spec = workload_spec(manifest, "web")  # type: ignore[arg-type]
    assert spec is not None
    return group_spec_hash(release_id=release_id, manifest_hash=manifest_hash, spec=spec)


def test_a_process_of_the_manifest_becomes_a_workload() -> None:
    """Everything an agent needs to run it, and nothing about how many there are."""
    assert workload_spec(MANIFEST, "web") == WorkloadSpec(
        command=("python", "-m", "web"),
        memory_bytes=1024,
        env={"GREETING": "hello"},
        health=HealthSpec(type="http", path="/up"),
    )


def test_a_process_type_the_release_lacks_is_nothing() -> None:
    """So its instances leave."""
    assert workload_spec(MANIFEST, "worker") is None


def test_a_manifest_that_cannot_be_run_says_why() -> None:
    """The sentence names the process and the field."""
    with pytest.raises(InvalidManifest) as refused:
        workload_spec({"process": {"web": {"memory_bytes": "much"}}}, "web")
    assert str(refused.value) == (
        "process 'web' of the manifest cannot be run (command: Field required; "
        "memory_bytes: Input should be a valid integer, unable to parse string as an integer)"
    )


def test_scale_does_not_change_the_hash_and_everything_else_does() -> None:
    """Scaling replaces nothing; another release, command or environment does."""
    web = MANIFEST["process"]["web"]  # type: ignore[index]
    scaled = {"process": {"web": {**web, "replicas": 5}}}
    renamed = {"process": {"web": {**web, "env": {"GREETING": "bye"}}}}
    assert digest() == digest(scaled)
    assert len({digest(), digest(renamed), digest(release_id="rel_2"), digest(manifest_hash="n")}) == 4
