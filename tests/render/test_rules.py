"""The rendered rules are what the catalog says, and a real promtool agrees about when each fires."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from obslib.catalog import Alert, Catalog, Plane, Rule, Scene, Series, Severity, query
from obslib.catalog.common import UP
from obslib.catalog.platform import PLATFORM
from obslib.render import rule_file, scrape_config
from obslib.render.rules import quoted

RULES = [(alert, rule) for alert in PLATFORM.of(Alert) for rule in alert.rules]


def test_a_rule_carries_its_labels_and_its_summary() -> None:
    """One rule, whole: name, expression, wait, labels and annotations."""
    assert """\
      - alert: SchedulerLoopStalled
        expr: '(sum(increase(scheduler_loop_runs_total{result="success"}[5m])) or vector(0)) == 0'
        for: 1m
        labels:
          severity: 'page'
          component: 'scheduler'
          runbook: 'specs/runbooks/scheduler-stalled.md'
        annotations:
          summary: 'The scheduler has finished no pass in 5 minutes: nothing is placed, replaced or moved.'
          description: 'The scheduler finishes no pass.'
""" in rule_file(PLATFORM)


def test_an_address_pool_above_four_fifths_is_a_ticket() -> None:
    """AddressPoolNearlyFull comes while there still are addresses, by pool (EXT-03)."""
    assert """\
      - alert: AddressPoolNearlyFull
        expr: 'max by (kind) (ipam_pool_used_ratio) > 0.8'
        for: 10m
        labels:
          severity: 'ticket'
          component: 'control-plane'
""" in rule_file(PLATFORM)


def test_one_factor_shortens_every_window_age_and_wait() -> None:
    """Shortened 60 times, 5 minutes are 5 seconds wherever they stand, and no other figure moves."""
    text = rule_file(PLATFORM, shorten=60)
    assert 'increase(scheduler_loop_runs_total{result="success"}[5s])' in text
    assert "time() - max by (node_id) (node_last_heartbeat_timestamp_seconds) > 1" in text
    assert "max by (projection) (projection_lag_events) > 5000" in text
    assert text.count("for: ") == len(RULES)
    assert "m]" not in text


def test_rendering_is_deterministic() -> None:
    """Twice the same bytes."""
    assert rule_file(PLATFORM) == rule_file(PLATFORM)
    assert scrape_config(PLATFORM, rule_files=("a",)) == scrape_config(PLATFORM, rule_files=("a",))


def test_a_scrape_may_bring_no_more_than_is_proven() -> None:
    """Each component has its job, with its worst case as the limit of samples."""
    text = scrape_config(PLATFORM, rule_files=("alerts.rules.yml",))
    for component in PLATFORM.components:
        assert f"  - job_name: {component}\n    sample_limit: {PLATFORM.worst_case(component)}\n" in text


@pytest.mark.slow
def test_promtool_accepts_rules_and_scrape_config(need: Callable[[str], str], tmp_path: Path) -> None:
    """``promtool check rules`` finds nothing to say, and neither a duplicate rule nor a query it cannot parse."""
    promtool = need("promtool")
    (tmp_path / "alerts.rules.yml").write_text(rule_file(PLATFORM))
    (tmp_path / "prometheus.yml").write_text(scrape_config(PLATFORM, rule_files=("alerts.rules.yml",)))
    for component in PLATFORM.components:
        (tmp_path / "targets").mkdir(exist_ok=True)
        (tmp_path / "targets" / f"{component}.json").write_text("[]")
    done = run(promtool, "check", "rules", "--lint=all", "--lint-fatal", str(tmp_path / "alerts.rules.yml"))
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    assert f"SUCCESS: {len(RULES)} rules found" in done.stdout
    done = run(promtool, "check", "config", str(tmp_path / "prometheus.yml"))
    assert (done.returncode, done.stderr, "WARNING" in done.stdout) == (0, "", False), done.stdout + done.stderr


@pytest.mark.slow
def test_every_rule_fires_stays_quiet_and_knows_absence(need: Callable[[str], str], tmp_path: Path) -> None:
    """For each alert's rules: its example fires with exactly its labels, its near miss does not, and a
    Prometheus that holds no series at all makes it fire only where absence is the alarm.
    """
    tests = [write_test(tmp_path / str(number), alert, rule) for number, (alert, rule) in enumerate(RULES)]
    done = run(need("promtool"), "test", "rules", *map(str, tests))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("SUCCESS") == len(RULES)


@pytest.mark.parametrize(
    ("text", "for_s"),
    [("sum($up) == 5", 60.0), ("sum($up) == 0", 3_600.0), ("vector(1)", 60.0)],
    ids=["dead", "late", "always"],
)
def test_mutant_a_dead_late_or_restless_rule_is_found(
    need: Callable[[str], str], tmp_path: Path, text: str, for_s: float
) -> None:
    """The proof above can fail: a rule that never fires, fires too late or always fires is named by promtool."""
    holes = {"up": UP} if "$up" in text else {}
    down, up = (Scene((Series(UP, values, {"job": "edge"}),), minutes=5) for values in ("0x10", "1x10"))
    rule = Rule(severity=Severity.TICKET, query=query(text, **holes), for_s=for_s, summary="x", fires=down, quiet=up)
    alert = Alert(name="Some", help="x", plane=Plane.COMMON, components=("edge",), serves=("T",), rules=(rule,))
    done = run(need("promtool"), "test", "rules", str(write_test(tmp_path / "one", alert, rule)))
    assert done.returncode != 0
    assert "FAILED" in done.stdout + done.stderr


def write_test(directory: Path, alert: Alert, rule: Rule) -> Path:
    """A promtool unit test of one rule: its examples, and a Prometheus without any series."""
    directory.mkdir()
    single = replace(alert, rules=(rule,))
    beside = [single.runbook] if single.runbook else []
    alone = Catalog("alone", components=PLATFORM.components.values(), signals=[*single.metrics, *beside, single])
    (directory / "rules.yml").write_text(rule_file(alone))
    nothing = Scene((), minutes=max(rule.fires.minutes, rule.quiet.minutes))
    cases = [(rule.fires, True), (rule.quiet, False), (nothing, rule.fires_when_absent)]
    lines = ["rule_files: [rules.yml]", "evaluation_interval: 1m", "tests:"]
    for scene, fires in cases:
        lines += ["  - interval: 1m", f"    input_series:{'' if scene.series else ' []'}"]
        for series in scene.series:
            labels = ",".join(f'{name}="{value}"' for name, value in series.labels.items())
            lines += [
                f"      - series: {quoted(f'{series.metric.name}{{{labels}}}')}",
                f"        values: {quoted(series.values)}",
            ]
        lines += [
            "    alert_rule_test:",
            f"      - eval_time: {scene.minutes}m",
            f"        alertname: {alert.name}",
        ]
        if fires:
            expected = {**alert.labels(rule), **scene.labels}
            lines += ["        exp_alerts:", "          - exp_labels:"]
            lines += [f"              {name}: {quoted(value)}" for name, value in expected.items()]
            lines += ["            exp_annotations:", f"              summary: {quoted(rule.summary)}"]
            lines += [f"              description: {quoted(alert.help)}"]
    path = directory / "test.yml"
    path.write_text("\n".join(lines) + "\n")
    return path


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
