"""The two commands run in this process, and a fake control plane for one of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from obslib.cli import main as obslib_command
from obslib.cli.platform.main import main
from tests.cli.fake_control_plane import ORG, TOKEN, FakeControlPlane, serving
from tests.cli.outcome import Outcome, Run

MANIFEST = """
name = "web"

[process.web]
command = ["python", "-m", "miniplatform.apps.web"]
replicas = 2

[process.web.health]
type = "http"
path = "/healthz"

[[route]]
hostname = "web.example"
listener_port = 8080
process_type = "web"
"""


@pytest.fixture(scope="session")
def server() -> Iterator[FakeControlPlane]:
    """The one fake control plane that listens."""
    with serving() as fake:
        yield fake


@pytest.fixture
def plane(server: FakeControlPlane) -> FakeControlPlane:
    """A fake control plane with app shop and env prod, and nothing else."""
    server.reset()
    server.apps["shop"] = server.mint("app")
    server.envs["prod"] = server.mint("env")
    return server


@pytest.fixture
def context(plane: FakeControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A saved context for the fake, named by the environment."""
    file = tmp_path / "context.json"
    file.write_text(json.dumps({"api": plane.url, "token": TOKEN, "org": ORG, "app": "shop", "env": "prod"}))
    monkeypatch.setenv("PLATFORM_CONTEXT", str(file))
    for variable in ("PLATFORM_API", "PLATFORM_TOKEN", "COLUMNS", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    return file


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    """A manifest file."""
    file = tmp_path / "web.toml"
    file.write_text(MANIFEST)
    return file


@pytest.fixture
def platform(context: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in this process."""

    def run(*arguments: str) -> Outcome:
        capsys.readouterr()
        code = main(list(arguments))
        written = capsys.readouterr()
        return Outcome(code, written.out, written.err)

    return run


@pytest.fixture
def obslib(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``obslib`` with these words in this process."""

    def run(*words: str) -> Outcome:
        capsys.readouterr()
        monkeypatch.setattr(sys, "argv", ["obslib", *words])
        with pytest.raises(SystemExit) as ending:
            obslib_command.main()
        written = capsys.readouterr()
        return Outcome(int(ending.value.code or 0), written.out, written.err)

    return run
