"""What a story is played on: a platform, a tenant's command line, and a voice that says how long things took."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from miniplatform.launcher import Platform
from miniplatform.process import ExitCode, Refusal

__all__ = ["APPS", "Stage"]

APPS = Path(__file__).parents[1] / "apps"
_PLATFORM = str(Path(sys.executable).parent / "platform")


class Stage:
    """A running platform and one org on it; ``context`` is the saved context of its command line, ``port`` the web app's."""

    def __init__(self, platform: Platform, *, context: Path, port: int) -> None:
        self.platform = platform
        self.context = context
        self.port = port
        self._begun = time.monotonic()

    def say(self, line: str) -> None:
        """Print one line with the time since the start."""
        print(f"[{time.monotonic() - self._begun:5.1f}s] {line}", flush=True)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Announce a step, and say how long it took."""
        begun = time.monotonic()
        self.say(f"{what} ...")
        yield
        self.say(f"  ok after {time.monotonic() - begun:.1f} s")

    # --- the platform command -------------------------------------------------------------------

    def show(self, *arguments: str, expecting: int = 0, is_operator: bool = False) -> None:
        """Run the ``platform`` command as its user would and show what it prints; raises Refusal for another exit code."""
        self.say(f"$ platform {shlex.join(arguments)}" + ("    (with an operator's token)" if is_operator else ""))
        done = self._run(arguments, stderr=subprocess.STDOUT, is_operator=is_operator)
        print("\n".join(f"    {line}" if line else "" for line in done.stdout.rstrip().splitlines()), flush=True)
        if done.returncode != expecting:
            raise Refusal(f"'platform {shlex.join(arguments)}' exited with {done.returncode}", ExitCode.FAILURE)

    def json(self, *arguments: str) -> dict[str, Any]:
        """Run the ``platform`` command with ``--json`` and return what it prints; raises Refusal for anything else."""
        done = self._run((*arguments, "--json"))
        try:
            found: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            raise Refusal(
                f"'platform {shlex.join(arguments)} --json' printed no JSON: {done.stderr}", ExitCode.FAILURE
            ) from None
        return found

    @contextmanager
    def following(self, *arguments: str) -> Iterator[Callable[[], str]]:
        """Run a ``platform`` command that follows something beside the block; yields what it has printed so far."""
        output = self.platform.state / "following.txt"
        with output.open("w") as file:
            process = subprocess.Popen(
                [_PLATFORM, *arguments], env=self._environment(), stdout=file, stderr=subprocess.DEVNULL,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        try:
            yield output.read_text
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def instances(self, app: str = "web") -> list[dict[str, Any]]:
        """An app's instances that have not ended."""
        running: list[dict[str, Any]] = self.json("describe", "env", "prod", "--app", app)["running"]
        return running

    def manifest(self, name: str, **numbers: int) -> Path:
        """A copy of one of the apps' manifests with these numbers in it; its routes are on the stage's port by default."""
        text = (APPS / f"{name}.toml").read_text()
        for key, number in {"listener_port": self.port, **numbers}.items():
            text = re.sub(rf"^{key} = \d+$", f"{key} = {number}", text, flags=re.MULTILINE)
        copy = self.platform.state / f"{name}.toml"
        copy.write_text(text)
        return copy

    # --- the API --------------------------------------------------------------------------------

    def why(self, app: str = "web") -> dict[str, Any]:
        """What ``platform why env prod --json`` prints, asked of the API since it is asked again and again."""
        saved = json.loads(self.context.read_text())
        reply = httpx.get(
            f"{self.platform.api}/v1/orgs/{saved['org']}/apps/{app}/envs/{saved['env']}/why",
            headers={"Authorization": f"Bearer {saved['token']}"}, timeout=10,
        )  # fmt: skip
        reply.raise_for_status()
        found: dict[str, Any] = reply.json()
        return found

    # --- inside ---------------------------------------------------------------------------------

    def _run(
        self, arguments: Sequence[str], *, stderr: int = subprocess.PIPE, is_operator: bool = False
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [_PLATFORM, *arguments], env=self._environment(is_operator=is_operator), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=stderr, text=True, timeout=90, check=False,
        )  # fmt: skip

    def _environment(self, *, is_operator: bool = False) -> dict[str, str]:
        asking = {"PLATFORM_TOKEN": self.platform.operator_token} if is_operator else {}
        columns = os.environ.get("COLUMNS", "120")
        return {**os.environ, "PLATFORM_CONTEXT": str(self.context), "COLUMNS": columns, **asking}
