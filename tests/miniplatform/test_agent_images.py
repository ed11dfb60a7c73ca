"""A node brings an image once, runs workloads from it, and gives it up when the room is needed and nobody runs from it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from miniplatform.agent.images import Images, PullFailed
from obslib.catalog.platform import resources as r
from obslib.testing import RecordedObservability, observability
from obslib_agent import Agent, instrument

COMMAND = ("python", "-m", "miniplatform.apps.web")


class PlainLauncher:
    """A launcher that starts processes."""

    kvm_device: str | None = None


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """A registry whose one image is about 1 000 bytes."""
    apps = tmp_path / "registry" / "miniplatform" / "apps"
    apps.mkdir(parents=True)
    (apps.parent / "__init__.py").touch()
    publish(tmp_path / "registry", "a")
    return tmp_path / "registry"


def publish(registry: Path, letter: str) -> None:
    """Another version of the image."""
    (registry / "miniplatform" / "apps" / "web.py").write_text(letter * 1_000)


@pytest.fixture
def obs() -> Iterator[RecordedObservability]:
    """An agent's observability, recorded."""
    with observability("agent") as recorded:
        yield recorded


class Node:
    """A cache and the boots that use it."""

    def __init__(self, home: Path, registry: Path, obs: RecordedObservability, limit_bytes: int) -> None:
        self.home = home
        self.images = Images(home / "images", home / "boots", registry=registry, limit_bytes=limit_bytes)
        self.agent: Agent = instrument(
            obs, launcher=PlainLauncher(), overlay=None, image_cache=lambda: self.images.totals
        )  # fmt: skip

    def boot(self, boot_id: str, command: tuple[str, ...] = COMMAND) -> Any:
        """Bring the image of a boot."""
        return self.images.bring(command, self.home / "boots" / boot_id, self.agent.images)

    def held(self, kind: str) -> set[str]:
        """The entries of one kind."""
        return {entry.name for entry in (self.home / "images" / kind).iterdir()}


def test_an_image_is_pulled_once_and_found_after_that(tmp_path: Path, registry: Path, obs: RecordedObservability) -> None:
    """The first boot misses and has the spans of a pull and a conversion, the second one hits; both run from the same files."""
    node = Node(tmp_path, registry, obs, 10**6)
    first, second = node.boot("boot_1"), node.boot("boot_2")

    assert first == second
    assert (Path(first["PYTHONPATH"]) / "miniplatform" / "apps" / "web.py").read_text() == "a" * 1_000
    assert [span.name for span in obs.spans()] == ["agent.image_convert", "agent.image_pull"]
    assert obs.sample(r.AGENT_IMAGE_CACHE_REQUESTS, result="miss") == 1.0
    assert obs.sample(r.AGENT_IMAGE_CACHE_REQUESTS, result="hit") == 1.0
    assert obs.sample(r.AGENT_IMAGE_CACHE, kind="rootdisks") == 1_000.0
    assert obs.sample(r.AGENT_IMAGE_CACHE, kind="tmp") == 0.0
    assert Node(tmp_path, registry, obs, 10**6).boot("boot_3") == first


def test_a_command_that_needs_no_image_asks_for_none(tmp_path: Path, registry: Path, obs: RecordedObservability) -> None:
    """What is no app of the platform runs from what the node has, and counts neither as a hit nor as a miss."""
    node = Node(tmp_path, registry, obs, 10**6)
    assert node.boot("boot_1", ("sleep", "60")) == {}
    assert (node.images.totals.hits, node.images.totals.misses) == (0, 0)


def test_the_oldest_goes_first_and_never_what_a_boot_runs_from(
    tmp_path: Path, registry: Path, obs: RecordedObservability
) -> None:
    """Three images of some 2 200 bytes in a cache of 7 000: above nine tenths, unneeded ones go until seven tenths are left."""
    node = Node(tmp_path, registry, obs, 7_000)
    disks = []
    for number, letter in enumerate("abc"):
        publish(registry, letter)
        disks.append(Path(node.boot(f"boot_{number}")["PYTHONPATH"]))
        for entry in (tmp_path / "images").glob("*/*"):
            if entry.stem == disks[-1].name:
                os.utime(entry, (1_000 + number, 1_000 + number))
        if number == 1:
            (tmp_path / "boots" / "boot_1" / "image").unlink()

    assert node.held("rootdisks") == {disks[0].name, disks[2].name}
    assert node.held("oci") == {f"{disks[0].name}.zip", f"{disks[2].name}.zip"}
    assert obs.sample(r.AGENT_IMAGE_CACHE_EVICTIONS, kind="rootdisks", reason="gc") == 1.0
    assert obs.sample(r.AGENT_IMAGE_CACHE_EVICTIONS, kind="oci", reason="gc") == 1.0
    assert sum(node.images.totals.bytes.values()) <= 0.7 * 7_000


def test_an_image_that_is_not_what_its_digest_says_is_refused(
    tmp_path: Path, registry: Path, obs: RecordedObservability, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mismatch fails the boot with its reason code at once, and what was pulled is not used."""
    node = Node(tmp_path, registry, obs, 10**6)
    monkeypatch.setattr("zipfile.ZipFile.write", lambda packed, path, name: packed.writestr(str(name), "other"))
    with pytest.raises(PullFailed, match="image_layer_invalid: what was unpacked has another digest") as refused:
        node.boot("boot_1")
    assert refused.value.reason == "image_pull_failed"
    assert node.held("rootdisks") == set()
