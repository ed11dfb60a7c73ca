"""The retention policy: every key written down, or no start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import obslib
from obslib.catalog import Retention
from obslib.catalog.platform import PLATFORM
from obslib.cli.doctor import doctor
from obslib.errors import SettingsError
from obslib.retention import Decided, Policy
from obslib.retention import policy as policy_module
from obslib.sinks import MemorySink
from obslib.testing import RETENTION_POLICY, observability

KEYS = [key.key for key in PLATFORM.of(Retention)]
GOOD = {
    "platform_logs": '"14d"', "workload_logs": '"7d"', "metrics": '"14d"', "traces": '"not_stored"',
    "audit_events": '"permanent"',
}  # fmt: skip
DECISION = '{ keep = "400d", policy_id = "RP-7", adr = "ADR-31", adr_status = "accepted" }'


def written(path: Path, **different: str | None) -> Path:
    """A policy file with these values instead of the good ones; None leaves the key out."""
    values = {**GOOD, **different}
    lines = [f"{key} = {value}" for key, value in values.items() if value is not None]
    path.write_text("\n".join(["[retention]", *lines]) + "\n")
    return path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the policy is."""
    return tmp_path / "retention.toml"


def start(policy: Path | str) -> None:
    """Start a control plane's telemetry with this policy, and stop it again."""
    given: dict[str, Any] = {"retention_policy": str(policy), "admin_port": -1, "sink": MemorySink(), "adopt_process": False}
    obslib.start("control-plane", **given).close()


def refusal(policy: Path | str) -> str:
    """What a start with this policy says."""
    with pytest.raises(SettingsError) as refused:
        start(policy)
    return str(refused.value)


def keys_that_may_be_missing(file: Path) -> list[str]:
    """Keys without which a control plane starts all the same. Should be empty."""
    found = []
    for key in GOOD:
        try:
            start(written(file, **{key: None}))
        except SettingsError:
            continue
        found.append(key)
    return found


def test_the_five_keys_have_their_documented_defaults() -> None:
    """The names and figures are the architecture's (RET-01 to RET-05)."""
    assert {key.key: key.documented_default for key in PLATFORM.of(Retention)} == {
        "retention.platform_logs": "14d", "retention.workload_logs": "7d", "retention.metrics": "14d",
        "retention.traces": "7d", "retention.audit_events": "permanent",
    }  # fmt: skip
    assert PLATFORM.of(Retention, "control-plane") == PLATFORM.of(Retention)
    assert PLATFORM.of(Retention, "agent") == ()


@pytest.mark.parametrize("key", GOOD)
def test_a_missing_key_is_one_sentence_and_no_start(key: str, file: Path) -> None:
    """It names the key, its documented default and the file (RET-07, LOG-11)."""
    default = next(k.documented_default for k in PLATFORM.of(Retention) if k.key == f"retention.{key}")
    assert refusal(written(file, **{key: None})) == (
        f"the retention policy {str(file)!r} has no value for 'retention.{key}' (documented default {default!r}); "
        "write down how long it is kept, nothing is assumed"
    )


def test_mutant_that_assumes_a_default_is_caught(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build that fills a missing key in with its documented default is found by deleting the keys in turn."""
    assert keys_that_may_be_missing(file) == []
    real = policy_module._kept

    def assuming(path: Path, key: Retention, found: Any) -> Any:
        return real(path, key, {key.key: key.documented_default, **found})

    monkeypatch.setattr(policy_module, "_kept", assuming)
    assert keys_that_may_be_missing(file) == list(GOOD)


def test_without_a_policy_there_is_no_start() -> None:
    """It says how to name one, and everything that belongs into it; a component that keeps no records needs none."""
    told = refusal("")
    assert told.startswith(
        "component 'control-plane' keeps records, so it needs a retention policy; pass retention_policy=… to start() or set "
        "OBSLIB_RETENTION_POLICY to the path of a TOML file with retention.platform_logs (documented default '14d'), "
    )
    assert all(key in told for key in KEYS)
    with observability("agent", retention_policy="") as obs:
        assert obs.retention == Policy()


@pytest.mark.parametrize(
    ("key", "value", "told"),
    [
        ("metrics", '"soon"', "is 'soon'; it must be a time such as 14d (s, m, h, d, w or y)"),
        ("metrics", "14", "is 14; it must be a time"),
        ("metrics", '"0d"', "is '0d'; it must be a time"),
        ("metrics", '"101y"', "is '101y'; it must be a time such as 14d (s, m, h, d, w or y) of at most 100 years"),
        ("workload_logs", '"999999y"', "is '999999y'; it must be a time"),
        ("audit_events", '{ keep = "999999y", policy_id = "RP-7", adr = "ADR-1" }', "is '999999y'; it must be"),
        ("audit_events", '{ keep = "1y", policy_id = [1], adr = "ADR-1" }', "names policy_id '[1]' and adr 'ADR-1'"),
        ("metrics", '"not_stored"', "is 'not_stored'; it must be a time"),
        ("platform_logs", '"permanent"', "is 'permanent'; it must be a time"),
        ("traces", '"*"', "is '*'; it must be 'not_stored' or a time"),
        ("audit_events", '"400d"', "is '400d', which needs a decision; write { keep = \"400d\", policy_id = \"RP-…\""),
        ("audit_events", '{ keep = "400d" }', "names policy_id '' and adr ''; it takes keep, policy_id (such as RP-7)"),
        ("audit_events", '{ keep = "1d", policy_id = "*", adr = "ADR-1" }', "names policy_id '*' and adr 'ADR-1'"),
        ("audit_events", '{ keep = "x", policy_id = "RP-7", adr = "ADR-1" }', "is 'x'; it must be 'permanent' or a time"),
        ("traces", '{ keep = "1d", policy_id = "RP-7", adr = "ADR-1" }', "it must be 'not_stored' or a time"),
        ("workload_log", '"7d"', "holds 'retention.workload_log', which is no key of it; it takes retention.platform_logs"),
    ],
)  # fmt: skip
def test_a_value_that_says_nothing_is_refused(key: str, value: str, told: str, file: Path) -> None:
    """It shows the value and what may stand there; a misspelt key is not taken for a new one."""
    sentence = refusal(written(file, **{key: value}))
    assert told in sentence
    assert str(file) in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[retention", "is not valid TOML"), (b"\xff", "is not valid TOML"),
        (None, "cannot be read: No such file or directory"),
        (b"a = " + b"[" * 100_000, "is nested too deeply"), (b"a = " + b"1" * 5_000, "is not valid TOML"),
        (b"[retention]\nmetrics" + b".a" * 2_000 + b" = 1", "retention"),
    ],
)  # fmt: skip
def test_a_file_that_is_none_is_refused(content: bytes | None, told: str, file: Path) -> None:
    """Missing, damaged and binary files are one sentence each."""
    if content is not None:
        file.write_bytes(content)
    assert told in refusal(file)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_regular_file_is_never_waited_for(make: Callable[[Path], None], file: Path) -> None:
    """A pipe that nobody writes to is refused like a directory, instead of holding the start."""
    make(file)
    assert f"{str(file)!r} cannot be read: it is no regular file; name another with OBSLIB_RETENTION_POLICY" in refusal(file)


def test_the_policy_is_read_as_utf_8_whatever_the_locale(file: Path) -> None:
    """A start under LC_ALL=C reads the same file as one at a desk."""
    written(file)
    file.write_bytes("# aufbewahrt für Prüfer\n".encode() + file.read_bytes())
    code = (
        "import sys; from pathlib import Path; from obslib.catalog.platform import PLATFORM; "
        "from obslib.retention import Policy; Policy.load(Path(sys.argv[1]), catalog=PLATFORM)"
    )
    plain = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = subprocess.run([sys.executable, "-c", code, str(file)], env=plain, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_longest_time_still_has_a_horizon(file: Path) -> None:
    """A hundred years before now is a time that a purge can be given."""
    policy = Policy.load(written(file, workload_logs='"100y"'), catalog=PLATFORM)
    assert policy.horizon("retention.workload_logs", now=1_766_000_000.0) == 1_766_000_000.0 - 100 * 365 * 86_400


def test_everything_else_follows_from_the_policy(file: Path) -> None:
    """Horizons for purges, Prometheus' flags and what people are shown come from one file."""
    with observability("control-plane", retention_policy=str(written(file, metrics='"2w"'))) as obs:
        policy = obs.retention
    assert policy.prometheus_flags() == ("--storage.tsdb.retention.time=2w",)
    assert policy.horizon("retention.workload_logs", now=1_000_000.0) == 1_000_000.0 - 7 * 86_400
    assert policy.horizon("retention.traces", now=1_000_000.0) is None
    assert policy.horizon("retention.audit_events", now=1_000_000.0) is None
    assert policy.lines()[0] == {"key": "retention.platform_logs", "value": "14d", "source": str(file)}
    assert [line["key"] for line in policy.lines()] == KEYS


def test_a_decision_is_read_with_its_references(file: Path) -> None:
    """A time for the event log stands beside the policy and the ADR that decided it, and says whether that is accepted."""
    for status, is_accepted in (("accepted", True), ("proposed", False)):
        policy = Policy.load(written(file, audit_events=DECISION.replace("accepted", status)), catalog=PLATFORM)
        kept = policy["retention.audit_events"]
        assert (kept.text, kept.seconds) == ("400d", 400 * 86_400)
        assert kept.decided == Decided(policy_id="RP-7", adr="ADR-31", is_accepted=is_accepted)


def test_the_policies_that_ship_are_complete() -> None:
    """The tests' own and the miniplatform's give every key a value."""
    mini = Path(__file__).parents[2] / "examples" / "miniplatform" / "retention.toml"
    for path in (RETENTION_POLICY, mini):
        assert [line["key"] for line in Policy.load(path, catalog=PLATFORM).lines()] == KEYS


def test_doctor_prints_the_flag_to_start_prometheus_with(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever runs Prometheus copies it (RET-03); a component that keeps no records has none."""
    monkeypatch.setenv("OBSLIB_RETENTION_POLICY", str(written(file, metrics='"2w"')))
    assert doctor("control-plane", as_json=False) == 0
    assert "start Prometheus with --storage.tsdb.retention.time=2w\n" in capsys.readouterr().out
    assert doctor("control-plane", as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["prometheus_flags"] == ["--storage.tsdb.retention.time=2w"]
    doctor("scheduler", as_json=False)
    assert "Prometheus" not in capsys.readouterr().out
