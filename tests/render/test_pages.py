"""A page keeps what people wrote, and holds what the catalog says between its markers."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from obslib.catalog import (
    Alert,
    Catalog,
    Check,
    Dashboard,
    Deprecated,
    Family,
    LogEvent,
    Loop,
    Retention,
    Runbook,
    Stability,
)
from obslib.catalog.platform import PLATFORM
from obslib.errors import SpecError
from obslib.lint.rulebook import rulebook
from obslib.render import fill, grafana, missing_sections, tables
from obslib.settings import SETTINGS

EDGE = PLATFORM.component("edge")
PARTS = {"one": "| a |\n|---|\n", "two": "2\n"}


def test_only_what_stands_between_markers_is_replaced() -> None:
    """Prose around a part stays as it was, and filling twice changes nothing."""
    page = "# Page\n\nWhy.\n\n<!-- generated: one -->\nold\n<!-- end -->\n\nMore.\n"
    filled = fill(page, PARTS, where="page.md")
    assert filled == "# Page\n\nWhy.\n\n<!-- generated: one -->\n\n| a |\n|---|\n\n<!-- end -->\n\nMore.\n"
    assert fill(filled, PARTS, where="page.md") == filled
    assert fill("no part\n", PARTS, where="page.md") == "no part\n"


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("<!-- generated: three -->\n<!-- end -->\n", "page.md asks for a part 'three'; there are one, two"),
        (
            "<!-- generated: one -->\n",
            "page.md has a marker without its other half; a generated part ends with '<!-- end -->'",
        ),
        ("<!-- end -->\n", "page.md has a marker without its other half; a generated part ends with '<!-- end -->'"),
    ],
)
def test_a_marker_that_cannot_be_filled_is_refused(page: str, message: str) -> None:
    """A part nobody renders would stay as it was written for ever."""
    with pytest.raises(SpecError) as caught:
        fill(page, PARTS, where="page.md")
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("part", "kind"),
    [
        ("alerts", Alert), ("checks", Check), ("loops", Loop), ("metrics", Family), ("log-events", LogEvent),
        ("runbooks", Runbook), ("retention", Retention),
    ],
)  # fmt: skip
def test_a_table_names_everything_of_its_kind(part: str, kind: type) -> None:
    """No declaration is missing from the page that documents its kind."""
    table = tables(PLATFORM, SETTINGS)[part]
    for signal in PLATFORM.of(kind):
        assert (signal.key if isinstance(signal, Retention) else signal.name) in table, signal


def test_every_rule_of_the_linter_is_in_its_table() -> None:
    """With its name, so that a reader of a suppression finds it."""
    table = tables(PLATFORM, SETTINGS, rulebook().values())["lint-rules"]
    assert [line.split(" | ")[:2] for line in table.splitlines()[2:]] == [
        [f"| {rule.code}", f"`{rule.name}`"] for rule in rulebook().values()
    ]


def test_a_table_says_what_is_not_stable() -> None:
    """An experimental signal is marked as such, a deprecated one names its successor, and a stable one has no mark."""
    first, second, third, *_ = PLATFORM.of(Family, "edge")
    signals = [first, replace(second, stability=Stability.EXPERIMENTAL), replace(third, stability=Deprecated(first.name))]
    table = tables(Catalog("marked", components=[EDGE], signals=signals), SETTINGS)["metrics"]
    cells = {line.split("`")[1]: line.split(" | ")[4] for line in table.splitlines() if line.startswith("| `")}
    assert cells == {
        first.name: first.help,
        second.name: f"{second.help} *Experimental.*",
        third.name: f"{third.help} *Deprecated: use `{first.name}`.*",
    }


def test_a_table_is_a_table_whatever_its_cells_hold() -> None:
    """Every row has as many cells as its head, bars inside cells escaped."""
    for name, table in tables(PLATFORM, SETTINGS, rulebook().values()).items():
        width = 0
        for line in table.splitlines():
            if line.startswith("|"):
                cells = line.replace("\\|", "").count("|")
                width = width or cells
                assert cells == width, (name, line)
            else:
                width = 0


def test_the_dashboard_is_what_grafana_imports() -> None:
    """Stable uid, one panel a question, places that do not overlap, and a datasource that can be chosen."""
    [board] = [board for board in PLATFORM.of(Dashboard) if board.name == "projections"]
    content = json.loads(grafana(board))
    assert (content["uid"], content["version"]) == ("obs-projections", 1)
    assert "id" not in content, "Grafana numbers dashboards itself"
    assert [panel["title"] for panel in content["panels"]] == [
        "Lag", "Lag in time", "Last applied event", "Processing time, 95th percentile", "Errors",
    ]  # fmt: skip
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in content["panels"]}
    assert len(places) == len({panel["id"] for panel in content["panels"]}) == len(content["panels"])
    assert all(target["expr"] and target["legendFormat"] for panel in content["panels"] for target in panel["targets"])
    assert content["templating"]["list"][0]["type"] == "datasource"


def test_what_is_chosen_is_asked_of_the_metric_that_has_it() -> None:
    """The drilldown offers the nodes there are, and each of its queries is about the chosen one."""
    [board] = [board for board in PLATFORM.of(Dashboard) if board.name == "node"]
    content = json.loads(grafana(board))
    _, node = content["templating"]["list"]
    assert (node["name"], node["type"], node["query"]) == ("node", "query", "label_values(agent_instances_desired, node_id)")
    assert all('{node_id=~"${node}"}' in target["expr"] for panel in content["panels"] for target in panel["targets"])


def test_the_dashboards_of_the_requirements_are_there() -> None:
    """One of each that the spec names, every uid and every file its own, in the folder of its plane (EXT-12)."""
    found = {board.uid: (board.plane.value, board.title) for board in PLATFORM.of(Dashboard)}
    assert found == {
        "obs-projections": ("control_plane", "Projection lag"),
        "obs-control-plane": ("control_plane", "Control plane overview"),
        "obs-scheduler": ("control_plane", "Scheduler health"),
        "obs-storage": ("control_plane", "Storage and backups"),
        "obs-access": ("control_plane", "Secrets and auth"),
        "obs-objectives": ("common", "Objectives"),
        "obs-nodes": ("data_plane", "Node fleet"),
        "obs-node": ("data_plane", "Node drilldown"),
        "obs-edge": ("edge", "Edge ingress"),
    }
    assert len(found) == len(PLATFORM.of(Dashboard))


def digest(board: Dashboard) -> str:
    """Twelve characters that change with any panel."""
    return hashlib.sha256(json.dumps(json.loads(grafana(board))["panels"]).encode()).hexdigest()[:12]


def test_a_dashboard_that_changes_has_a_new_version() -> None:
    """An import replaces an older copy only when the version has grown: after a change, raise it and note the new digest."""
    released = {
        ("obs-projections", 1): "0ccf9c28ad78",
        ("obs-control-plane", 1): "16f85ee98e06",
        ("obs-scheduler", 1): "b638fe225be0",
        ("obs-storage", 1): "5e80993862ff",
        ("obs-access", 1): "66bc8a2fb68e",
        ("obs-objectives", 1): "447cca959028",
        ("obs-nodes", 1): "c62476209d22",
        ("obs-node", 1): "dd61d6ceb1e4",
        ("obs-edge", 1): "52d03d48fd56",
    }
    assert {(board.uid, board.version): digest(board) for board in PLATFORM.of(Dashboard)} == released


def test_mutant_a_changed_panel_of_the_same_version_is_found() -> None:
    """One word in one panel gives another digest."""
    board = PLATFORM.of(Dashboard)[0]
    first, *others = board.panels
    assert digest(replace(board, panels=(replace(first, title="Delay"), *others))) != digest(board)


def test_a_runbook_lacks_what_is_missing_or_empty() -> None:
    """Six sections, each with something under it."""
    whole = "# X\n" + "".join(f"\n## {section}\n\nText.\n" for section in Runbook.SECTIONS)
    assert missing_sections(whole) == ()
    assert missing_sections(whole.replace("## Escalation\n\nText.\n", "## Escalation\n")) == ("Escalation",)
    assert missing_sections("# X\n") == Runbook.SECTIONS
