"""The saved config: one whole config or nothing, whatever happened to the file."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from miniplatform.edge import statefile
from miniplatform.edge.statefile import Damaged, StateFile
from miniplatform.wire import EdgeConfig, EdgeRoute

ROUTE = EdgeRoute(
    route_id="rt_1", org_id="org_1", env_id="env_1", hostname="web.example", listener_port=8080, protocol="tcp_raw",
    process_type="web",
)  # fmt: skip
CONFIG = EdgeConfig.of([ROUTE], cursor_event_id=41, head_event_id=41)


def test_a_saved_config_comes_back_with_its_cursor(tmp_path: Path) -> None:
    """What was applied is what is read after a restart."""
    StateFile(tmp_path / "config.json").save(CONFIG)
    assert StateFile(tmp_path / "config.json").load() == CONFIG


def test_without_a_file_there_is_no_config(tmp_path: Path) -> None:
    """A first start is not an error."""
    assert StateFile(tmp_path / "config.json").load() is None


def test_a_save_that_fails_leaves_the_old_config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk costs the new config, never the old one."""
    state = StateFile(tmp_path / "config.json")
    state.save(CONFIG)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(statefile.os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        state.save(EdgeConfig.of([], cursor_event_id=42, head_event_id=42))
    assert state.load() == CONFIG


def test_saving_in_place_is_noticed_mutant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing over the file instead of beside it loses the old config when the write breaks off."""
    path = tmp_path / "config.json"
    StateFile(path).save(CONFIG)
    monkeypatch.setattr(StateFile, "_replace", lambda self, content: self._path.write_bytes(content[:50]))
    StateFile(path).save(EdgeConfig.of([], cursor_event_id=42, head_event_id=42))
    with pytest.raises(Damaged):
        StateFile(path).load()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(cut=st.integers(0, 600), flip=st.integers(0, 599), bits=st.integers(1, 255))
def test_a_damaged_file_is_never_believed(tmp_path: Path, cut: int, flip: int, bits: int) -> None:
    """Truncated or with a byte changed, the file yields the saved config or Damaged, never another config."""
    path = tmp_path / "config.json"
    StateFile(path).save(CONFIG)
    content = bytearray(path.read_bytes()[:cut])
    if flip < len(content):
        content[flip] ^= bits
    path.write_bytes(content)
    try:
        assert StateFile(path).load() == CONFIG
    except Damaged:
        assert path.with_suffix(".damaged").read_bytes() == bytes(content)


def test_the_refusal_says_where_the_damaged_file_is(tmp_path: Path) -> None:
    """The operator can look at it."""
    path = tmp_path / "config.json"
    path.write_text("{}")
    with pytest.raises(Damaged) as refused:
        StateFile(path).load()
    aside = str(path.with_suffix(".damaged"))
    assert str(refused.value) == f"the saved route config is damaged (KeyError); it is kept as {aside!r}"
    assert not path.exists()


def test_a_file_that_cannot_be_read_is_no_reason_not_to_start(tmp_path: Path) -> None:
    """The edge is told what it is and goes on without it; nothing is moved."""
    path = tmp_path / "config.json"
    path.mkdir()
    with pytest.raises(Damaged, match="cannot be read: Is a directory"):
        StateFile(path).load()
    assert path.is_dir()


def test_a_probe_leaves_nothing_behind(tmp_path: Path) -> None:
    """Asking whether a save would work changes nothing; a directory that is gone makes it fail."""
    StateFile(tmp_path / "config.json").probe()
    assert os.listdir(tmp_path) == []
    with pytest.raises(OSError, match="No such file"):
        StateFile(tmp_path / "gone" / "config.json").probe()
