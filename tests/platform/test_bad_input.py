"""What a person gets wrong is answered with one clear sentence, a documented exit code and no traceback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.platform.in_this_process import exit_code

EXAMPLES = Path(__file__).parents[2] / "examples"


def component(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run one process of the platform until it ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "miniplatform", *arguments],
        env={**os.environ, "PYTHONPATH": str(EXAMPLES), **environment},
        capture_output=True, text=True, timeout=30, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def says(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """The exit code is ``code`` and standard error is one line that holds every word."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


@pytest.mark.slow
def test_an_unreachable_database_is_named_without_its_password(tmp_path: Path) -> None:
    """Exit 6, and the sentence holds no part of the credentials."""
    done = component("control-plane", "--state", str(tmp_path), "--database-url", "postgresql://u:hunter2secret@127.0.0.1:1/x")
    says(done, 6, "database")
    assert "hunter2secret" not in done.stderr


@pytest.mark.slow
def test_an_agent_without_an_identity_is_told_how_to_get_one(tmp_path: Path) -> None:
    """Exit 2 and the way out."""
    done = component(
        "agent", "--state", str(tmp_path), "--api", "http://127.0.0.1:1", "--identity", str(tmp_path / "none.json")
    )
    says(done, 2, "enroll")


@pytest.mark.slow
def test_a_port_in_use_is_named_with_the_setting_that_moves_it(tmp_path: Path, database_url: str) -> None:
    """Exit 5, the address and the setting."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = component("control-plane", "--state", str(tmp_path), "--database-url", database_url, "--admin-port", port)
    says(done, 5, port, "OBSLIB_ADMIN_PORT")


@pytest.mark.slow
def test_a_second_control_plane_on_the_same_state_is_refused(shared: Any) -> None:
    """Exit 5, naming who holds the directory; the first goes on."""
    platform = shared.platform
    first = platform.find("control-plane")
    done = component(
        "control-plane", "--state", str(platform.state), "--database-url", platform.database.url, "--name", "second"
    )
    says(done, 5, str(first.pid))
    assert platform.readiness("control-plane")["status"] in ("ready", "partial", "degraded")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("variable", "value", "word"),
    [("OBSLIB_TRACE_SUCCESS_RATIO", "2", "trace_success_ratio"), ("OBSLIB_ADMIN_PORT", "many", "admin_port"),
     ("OBSLIB_LOG_LEVEL", "loud", "log_level"), ("MINI_HEARTBEAT_S", "-1", "MINI_HEARTBEAT_S")],
)  # fmt: skip
def test_a_malformed_setting_is_named(tmp_path: Path, database_url: str, variable: str, value: str, word: str) -> None:
    """Exit 2 with the name of the setting and the value."""
    done = component("control-plane", "--state", str(tmp_path), "--database-url", database_url, **{variable: value})
    says(done, 2, word, value)


@pytest.mark.slow
@pytest.mark.parametrize("key", ["platform_logs", "workload_logs", "metrics", "traces", "audit_events"])
def test_a_retention_key_that_is_deleted_stops_the_control_plane(tmp_path: Path, database_url: str, key: str) -> None:
    """Exit 2 with the key, its documented default and the file, for each key in turn."""
    lines = (EXAMPLES / "miniplatform" / "retention.toml").read_text().splitlines()
    policy = tmp_path / "policy.toml"
    policy.write_text("\n".join(line for line in lines if not line.startswith(f"{key} =")))
    done = component(
        "control-plane", "--state", str(tmp_path), "--database-url", database_url, MINI_RETENTION_POLICY=str(policy)
    )
    says(done, 2, f"'retention.{key}'", "documented default", str(policy))


@pytest.mark.slow
@pytest.mark.parametrize(
    "change", [("max_envs = 100\n", ""), ("max_envs = 100", "max_envs = nan"), ("[per_org]", "[per_org]\nmax_volumes = 1")]
)
def test_quotas_that_are_not_what_is_enforced_stop_the_control_plane(tmp_path: Path, change: tuple[str, str]) -> None:
    """Exit 2 with the key and the file, where one is missing, is no number, or is one that nothing here enforces."""
    quotas = tmp_path / "quotas.toml"
    quotas.write_text((EXAMPLES / "miniplatform" / "quotas.toml").read_text().replace(*change))
    done = component("control-plane", "--state", str(tmp_path), "--database-url", "unused", MINI_QUOTAS=str(quotas))
    says(done, 2, "max_", str(quotas))


@pytest.mark.parametrize("arguments", [("teleport",), (), ("demo", "--break", "everything"), ("agent", "--wrong-flag")])
def test_wrong_words_are_usage_errors(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, and words about it."""
    assert exit_code(*arguments) == 2
    assert capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "environment", "code"),
    [
        (("describe", "env", "prod"), {"PLATFORM_TOKEN": "nonsense"}, 3),
        (("describe", "env", "prod", "--org", "somebody-else"), {}, 4),
        (("describe", "env", "nowhere"), {}, 4),
        (("describe", "instance", "inst_nonsense"), {}, 2),
        (("describe", "env", "env_nonsense"), {}, 2),
        (("deploy", "/nowhere/app.toml"), {}, 2),
        (("describe", "env", "prod"), {"PLATFORM_API": "http://127.0.0.1:1"}, 6),
        (("describe", "teapot", "x"), {}, 2),
        (("scale", "web=many"), {}, 2),
        (("--wrong-flag",), {}, 2),
    ],
)
def test_the_command_line_answers_bad_input_in_one_sentence(
    shared: Any, arguments: tuple[str, ...], environment: dict[str, str], code: int
) -> None:
    """The documented exit code, one error for a person, one error object for a program."""
    tenant = shared.tenant("acme")
    done = tenant.run(*arguments, **environment)
    assert done.returncode == code, done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert done.stderr.strip()
    if arguments[0] == "--wrong-flag" or arguments[1] == "teapot":
        return
    error = json.loads(tenant.run(*arguments, "--json", **environment).stdout)["error"]
    assert error["category"] == {2: "invalid_usage", 3: "auth", 4: "not_found", 6: "transient"}[code]
    assert error["message"]
    assert "retryable" in error
