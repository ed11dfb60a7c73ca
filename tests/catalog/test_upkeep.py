"""An alert that is declared is about metrics that exist, and carries no label of a tenant or of a target."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any

import pytest

from obslib.catalog import (
    Alert,
    Catalog,
    Dashboard,
    ExternalMetric,
    Family,
    Panel,
    Plane,
    Rule,
    Runbook,
    Scene,
    Series,
    Severity,
    Variable,
    gauge,
    query,
)
from obslib.catalog.common import UP
from obslib.catalog.platform import PLATFORM, alerts, data_plane, edge
from obslib.catalog.platform.terms import ORG_ID
from obslib.catalog.promql import Metric, Query
from obslib.errors import CatalogError, LabelNotAllowed

ALLOWED = {"severity", "component", "runbook", "node_id", "projection", "reason", "kind"}
NOTHING = Scene((), minutes=1)


def rule(asked: Query, severity: Severity = Severity.TICKET, reason: str = "") -> Rule:
    """A rule with nothing special about it."""
    return Rule(severity=severity, query=asked, for_s=60, summary="It is so.", fires=NOTHING, quiet=NOTHING, reason=reason)


def alert(*rules: Rule, runbook: Runbook | None = None, components: tuple[str, ...] = ("scheduler",)) -> Alert:
    """An alert of these rules."""
    return Alert(
        name="Some", help="Some.", plane=Plane.CONTROL_PLANE, components=components, serves=("T",), rules=rules, runbook=runbook
    )


def test_the_eleven_baseline_alerts_are_there() -> None:
    """ALR-01 to ALR-11 each have the alert the requirements name, with its runbook."""
    found = {alert.serves[0]: (alert.name, alert.runbook.name if alert.runbook else "") for alert in PLATFORM.of(Alert)}
    assert {row: found[row] for row in sorted(found) if row.startswith("ALR-")} == {
        "ALR-01": ("ControlPlaneApiDown", "control-plane-down"),
        "ALR-02": ("PostgresDown", "postgres-failover"),
        "ALR-03": ("PostgresReplicationBroken", "postgres-failover"),
        "ALR-04": ("EventAppendErrorSpike", "control-plane-down"),
        "ALR-05": ("ProjectionLagHigh", "projection-lag"),
        "ALR-06": ("SchedulerLoopStalled", "scheduler-stalled"),
        "ALR-07": ("EdgeConfigApplyFailing", "edge-partial-outage"),
        "ALR-08": ("EdgeCannotReachBackends", "wireguard-partition"),
        "ALR-09": ("AgentHeartbeatMissing", "host-degraded"),
        "ALR-10": ("HostDiskPressureHigh", "host-degraded"),
        "ALR-11": ("BackupFailures", "backup-restore"),
    }


def test_a_firing_alert_carries_only_the_labels_allowed() -> None:
    """Own labels and those of the result together stay in the narrow set of requirements §2."""
    for found in PLATFORM.of(Alert):
        for each in found.rules:
            assert set(found.labels(each)) | each.query.labels <= ALLOWED, found
            assert each.for_s > 0, found
            assert set(each.fires.labels) <= each.query.labels, found


@gauge("quota_used_ratio", serves=("T",))
def QUOTA_USED(*, org_id: Annotated[str, ORG_ID]) -> None:
    """A figure per tenant."""


@pytest.mark.parametrize(("metric", "label"), [(QUOTA_USED, "org_id"), (UP, "job"), (QUOTA_USED, "component")])
def test_a_label_of_a_tenant_is_refused(metric: Metric, label: str) -> None:
    """Grouping by an org would page someone once for each customer."""
    with pytest.raises(LabelNotAllowed) as caught:
        alert(rule(query(f"max by ({label}) ($metric) > 0", metric=metric)))
    assert str(caught.value) == (
        f"alert 'Some' would carry label {label!r}; group by kind, node_id, projection, reason or by nothing"
    )


def test_a_label_of_the_target_is_refused() -> None:
    """An unaggregated metric would bring instance and job along."""
    with pytest.raises(LabelNotAllowed) as caught:
        alert(rule(query("$up == 0", up=UP)))
    assert str(caught.value) == (
        "alert 'Some' would carry every label of 'up', its target's among them; aggregate it, as in max by (node_id) (...)"
    )


def test_what_pages_has_a_runbook_and_one_component() -> None:
    """Nobody is woken without being told where to look and what to do."""
    down = query("sum($up) == 0", up=UP)
    with pytest.raises(CatalogError, match="alert 'Some' pages, so it needs a runbook"):
        alert(rule(down, Severity.PAGE))
    with pytest.raises(CatalogError, match="name the one component to look at first"):
        alert(rule(down), components=())
    with pytest.raises(CatalogError, match="two rules of one severity; give each its reason="):
        alert(rule(down), rule(down))
    assert alert(rule(down), rule(down, reason="other")).rules


def test_a_name_is_spelt_as_prometheus_spells_alerts() -> None:
    """CamelCase, so that an alert is not mistaken for a metric."""
    with pytest.raises(CatalogError, match="Alert name 'some' must be in CamelCase, as Prometheus alerts are"):
        replace(alert(), name="some")


def test_a_scene_has_only_series_that_can_exist() -> None:
    """An example over a label that the metric lacks would prove nothing."""
    with pytest.raises(LabelNotAllowed, match="series of 'edge_backends': label 'state' of 'edge_backends' is never 'dead'"):
        Series(edge.EDGE_BACKENDS, "1x3", {"state": "dead"})
    with pytest.raises(LabelNotAllowed, match="'agent_disk_free_bytes' has no label 'projection'"):
        Series(data_plane.AGENT_DISK_FREE, "1x3", {"projection": "envs"})


@pytest.mark.parametrize("kind", [Alert, Dashboard])
def test_mutant_an_alert_or_a_dashboard_over_a_renamed_metric_cannot_be_built(kind: type[Alert] | type[Dashboard]) -> None:
    """Rename any metric under an alert or a panel and the catalog does not build."""
    others = [signal for signal in PLATFORM.signals if isinstance(signal, (Family, ExternalMetric, Runbook))]
    for signal in PLATFORM.of(kind):
        for metric in signal.metrics:
            renamed = [replace(other, name=f"new_{other.name}") if other is metric else other for other in others]
            with pytest.raises(CatalogError) as caught:
                Catalog("renamed", components=PLATFORM.components.values(), signals=[*renamed, signal])
            assert str(caught.value) == (
                f"{signal!r} refers to {metric!r}, which is not in catalog 'renamed'; add it with signals=[...]"
            )


def test_no_alert_and_no_dashboard_depends_on_a_tenants_signal() -> None:
    """What workloads send, or stop sending, wakes nobody (TEN-02)."""
    for signal in (*PLATFORM.of(Alert), *PLATFORM.of(Dashboard)):
        assert signal.plane is not Plane.TENANT
        assert all(metric.plane is not Plane.TENANT for metric in signal.metrics), signal


EMPTY_POOL = Panel(
    title="Pool", query=query("max($pool)", pool=data_plane.AGENT_DISK_FREE), legend="pool", unit="s", help="It is so."
)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"panels": (replace(EMPTY_POOL, legend="{{kind}}"),)},
            "dashboard 'board': the legend of 'Pool' shows 'kind', which its query does not group by; "
            "write by (kind), or leave it out",
        ),
        (
            {"panels": (replace(EMPTY_POOL, query=query('max($pool{node_id=~"${node}"})', pool=data_plane.AGENT_DISK_FREE)),)},
            "dashboard 'board' asks for variable 'node', which is not declared; add it to variables=(...)",
        ),
        (
            {"variables": (Variable(name="node", metric=data_plane.AGENT_DISK_FREE, label="node_id"),)},
            "dashboard 'board' declares variable 'node', which no query uses; leave it out",
        ),
    ],
)
def test_a_dashboard_that_could_not_be_read_is_refused(changed: dict[str, Any], message: str) -> None:
    """A legend without its label, a choice that nobody offers, an offer that nobody takes."""
    board = Dashboard(
        name="board", help="It is so.", plane=Plane.DATA_PLANE, serves=("T",), uid="b", title="B", version=1,
        panels=(EMPTY_POOL,),
    )  # fmt: skip
    with pytest.raises(CatalogError) as caught:
        replace(board, **changed)
    assert str(caught.value) == message


def test_a_variable_is_of_a_label_that_its_metric_has() -> None:
    """Otherwise there would be nothing to choose from."""
    with pytest.raises(LabelNotAllowed) as caught:
        Variable(name="org", metric=data_plane.AGENT_DISK_FREE, label="org_id")
    assert str(caught.value) == "variable 'org': 'agent_disk_free_bytes' has no label 'org_id'"


@pytest.mark.parametrize("label", ["org_id", "env_id", "instance_id"])
def test_no_panel_is_about_a_tenant(label: str) -> None:
    """One tenant's state is a question for ``platform describe env``, one instance's for ``platform describe instance``."""
    grouped = {name for board in PLATFORM.of(Dashboard) for panel in board.panels for name in panel.query.labels}
    assert label not in grouped


def test_the_two_thresholds_of_a_condition_are_one_alert() -> None:
    """A ticket and a page of one name, so that the page can silence the ticket."""
    severities = [each.severity for each in alerts.HOST_DISK_PRESSURE_HIGH.rules]
    assert severities == [Severity.TICKET, Severity.PAGE]
