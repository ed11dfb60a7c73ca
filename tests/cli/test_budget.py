"""``obslib budget`` says what there can be at worst, what to change where that is too much, and what changed since."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from obslib.budget import PlatformSize, cost_of, offence, platform_budget, render_lock
from obslib.catalog import budget
from obslib.catalog.platform import PLATFORM
from tests.cli.outcome import Outcome, Run

ROOT = Path(__file__).parents[2]
SIZE = ("--nodes", "50", "--edges", "4", "--orgs", "500", "--envs", "2000")
SHOP = """
from typing import Annotated, Literal

from obslib.catalog import COMMON, Component, Label, Plane, counter

CUSTOMER = Label.budgeted("customer", {customers}, why="customers")
SIZE = Label.closed("size", "a", "b", "c")


@counter("orders_total", serves=("T",))
def ORDERS(*, customer: Annotated[str, CUSTOMER], size: Annotated[Literal["a", "b", "c"], SIZE]) -> None:
    \"\"\"Orders.\"\"\"


CATALOG = COMMON.extend("shop", components=[Component(name="shop", plane=Plane.COMMON)], signals=[ORDERS])
"""


@pytest.fixture
def obslib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, obslib: Run) -> Iterator[Run]:
    """Runs ``obslib budget`` in an empty directory of its own; nothing imported there stays."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "128")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def run(*arguments: str) -> Outcome:
        sys.modules.pop("budgeted_signals", None)
        return obslib("budget", *arguments)

    yield run
    sys.modules.pop("budgeted_signals", None)


def test_a_platform_of_a_size_has_a_total(obslib: Run) -> None:
    """Each component, what Prometheus writes itself, the total and the targets; exit 0."""
    done = obslib(*SIZE)
    held = platform_budget(PLATFORM, PlatformSize(nodes=50, edges=4, orgs=500, envs=2_000))
    assert (done.code, done.err) == (0, "")
    assert f"{held.series} " in done.out
    assert f"platform total in one Prometheus, 57 targets, {held.samples} samples a scrape" in done.out
    assert re.search(rf"{50 * PLATFORM.worst_case('agent')} +{PLATFORM.worst_case('agent')}  50 agent", done.out)
    assert "a platform of 1 node, 1 edge, 2 orgs" in obslib("--orgs", "2").out
    assert (
        "env_id x process_type at most 256: assumed, the groups that can be placed on one node\n    env_id: assumed" in done.out
    )
    assert "(no file with max_envs was named); up to 2000 at this size" in done.words
    assert "500 orgs, 2000 envs: no bound is narrower for it" in done.out


def test_a_platform_of_a_size_has_a_cost(obslib: Run) -> None:
    """Memory, samples, bytes, processors and the largest scrape follow the total, as text and for a program."""
    words, cost = obslib(*SIZE).words, json.loads(obslib(*SIZE, "--json").out)["platform"]["cost"]
    held = platform_budget(PLATFORM, PlatformSize(nodes=50, edges=4, orgs=500, envs=2_000))
    assert cost == asdict(cost_of(held))
    assert re.search(
        rf" what that costs one Prometheus, .* {cost['memory_bytes'] / 2**20:.0f} MiB memory at its largest; ", words
    )
    assert f" {held.series / 15:.0f}/s samples, at one scrape each 15 s " in words
    assert re.search(r" \d+ KiB \d+ ms largest scrape, control-plane, before compression and unless it is busy ", words)
    assert "what that costs" not in obslib().words
    assert " 640 processors, without rules and queries " in obslib("--nodes", "1000000").words


def test_each_family_stands_beside_its_naive_product(obslib: Run) -> None:
    """A component shows all its families, with what multiplies; a joint domain counts once."""
    done = obslib("agent")
    assert done.code == 0
    assert re.search(r" 257 +65065  agent_instance_memory_usage_bytes: env_id x process_type 257\n", done.out)
    assert all(f"  {proven.family}" in done.out for proven in PLATFORM.budget("agent"))
    assert "smaller" not in done.out
    assert "smaller; 'obslib budget COMPONENT' lists those of one component" in obslib().out


def test_a_component_is_shown_without_what_others_have(obslib: Run) -> None:
    """Its families, its processes, its bounds; the platform's total is not a part of it."""
    done = obslib("agent", "--nodes", "50")
    assert "50 agent" in done.out
    assert "env_id x process_type at most 256" in done.out
    for others in ("control-plane", "route_id at most", "platform total"):
        assert others not in done.out
    bounds = {tuple(bound["labels"]) for bound in json.loads(obslib("edge", "--json").out)["bounds"]}
    assert bounds == {("version",), ("route_id",), ("listener_port",)}


def test_more_nodes_than_a_label_has_room_for_are_folded_and_that_is_said(obslib: Run) -> None:
    """The command answers, and does not hide that some nodes have no series of their own."""
    done = obslib("--nodes", "100")
    assert done.code == 0
    assert "up to 101 at this size, 37 of them fold into _other" in done.words


def test_a_bound_is_enforced_by_a_file_or_assumed(obslib: Run, tmp_path: Path) -> None:
    """A quota that the control plane enforces names file, key and value; any other bound is an assumption."""
    quotas = tmp_path / "quotas.toml"
    quotas.write_text("[per_org]\nmax_routes = 50\n")
    without, given = obslib("--orgs", "3"), obslib("--orgs", "3", "--quotas", str(quotas))
    assert "route_id at most 500: assumed, max_routes quota (no file with max_routes was named)" in without.words
    assert f"route_id at most 500: enforced by {quotas} per_org.max_routes = 50 an org; up to 150 at this size" in given.words
    assert "env_id: assumed, max_envs quota; on a node, the instances that fit (no file with max_envs was named)" in given.words
    assert "instance_id at most 256: assumed, the cap of agent_instance_memory_usage_ratio (no file" in given.words
    assert without.out != given.out


def test_json_holds_all_of_it(obslib: Run) -> None:
    """The figures of the text, for a program, and nothing else on the output."""
    held = json.loads(obslib(*SIZE, "--json").out)
    assert (
        held["platform"]["series"]
        == sum(t["series"] * t["processes"] for t in held["platform"]["targets"]) + (held["platform"]["alert_series"])
    )
    assert (held["platform"]["target_count"], held["platform"]["idle"]) == (57, ["orgs", "envs"])
    assert {each["component"]: each["series"] for each in held["components"]} == {
        name: PLATFORM.worst_case(name) for name in PLATFORM.components
    }
    assert {tuple(bound["labels"]) for bound in held["bounds"]} >= {("node_id",), ("env_id", "process_type")}
    assert json.loads(obslib("--json").out)["platform"] is None


@pytest.mark.parametrize("flags", [[], ["--lock"], ["--check"], ["--nodes", "3"]])
def test_a_family_made_to_overflow_is_exit_1_with_the_label_to_change(obslib: Run, tmp_path: Path, flags: list[str]) -> None:
    """The catalog does not even build; still there is an answer, with hints and their figures, and no traceback."""
    (tmp_path / "budgeted_signals.py").write_text(SHOP.format(customers=5_000))
    done = obslib("--catalog", "budgeted_signals:CATALOG", *flags)
    assert (done.code, done.err) == (1, "")
    assert done.out.splitlines() == [
        "catalog 'shop' could pass its budget of series, so it is not built",
        "metric 'orders_total' could reach 20004 series on 'shop', over the budget of 2000; change label 'customer'",
        "  hint: narrow label 'customer' from 5000 to 499 values, for 2000 series",
        "  hint: move 'customer' to a field of the log event, or declare an InstanceMetric with a quota and a cap, "
        "for 4 series",
    ]
    (tmp_path / "budgeted_signals.py").write_text(SHOP.format(customers=499))
    assert obslib("--catalog", "budgeted_signals:CATALOG").code == 0


def test_an_overflow_is_json_too(obslib: Run, tmp_path: Path) -> None:
    """What was measured, and what to change."""
    (tmp_path / "budgeted_signals.py").write_text(SHOP.format(customers=5_000))
    done = obslib("--catalog", "budgeted_signals:CATALOG", "--json")
    held = json.loads(done.out)
    assert (done.code, held["catalog"]) == (1, "shop")
    assert [(each["family"], each["label"], each["series"]) for each in held["offences"]] == [
        ("orders_total", "customer", 20_004)
    ]
    assert held["offences"][0]["hints"][0]["series"] == 2_000


def test_the_platforms_own_catalog_is_judged_as_well(obslib: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant: with a smaller budget the platform's widest families are named, and what they are to come to."""
    for module in [name for name in sys.modules if name.startswith("obslib.catalog.platform")]:
        monkeypatch.delitem(sys.modules, module)
    for module in (budget, offence):
        monkeypatch.setattr(module, "FAMILY_BUDGET", 1_338)
    done = obslib()
    assert done.code == 1
    assert "metric 'http_request_duration_seconds' could reach 1339 series on 'control-plane'" in done.out
    assert "hint: drop 1 of its 10 buckets, for 1236 series" in done.out


def test_what_was_locked_is_not_different(obslib: Run) -> None:
    """A check after a lock is clean, wherever the file is."""
    families = sum(len(PLATFORM.budget(name)) for name in PLATFORM.components)
    assert obslib("--lock", "--lock-file", "my.lock").out == f"{families} families written, in my.lock\n"
    done = obslib("--check", "--lock-file", "my.lock")
    assert (done.code, done.out, done.err) == (0, "every bound is as agreed on, in my.lock\n", "")
    assert json.loads(obslib("--check", "--lock-file", "my.lock", "--json").out)["is_same"]


def test_a_wider_bound_is_exit_1_with_its_cause(obslib: Run, tmp_path: Path) -> None:
    """Per family: how much, where, and which label; the last line says how to agree."""
    (tmp_path / "budgeted_signals.py").write_text(SHOP.format(customers=100))
    shop = ("--catalog", "budgeted_signals:CATALOG", "--lock-file", "shop.lock")
    assert obslib(*shop, "--lock").code == 0
    (tmp_path / "budgeted_signals.py").write_text(SHOP.format(customers=1_00 + 50))
    done = obslib(*shop, "--check")
    assert (done.code, done.err) == (1, "")
    assert done.out.splitlines() == [
        "+200 orders_total (shop 404 -> 604): label 'customer' widened from 101 to 151",
        "1 change since shop.lock, +200 series with one process of each; if they are meant, run it with --lock",
    ]
    told = json.loads(obslib(*shop, "--check", "--json").out)
    assert told["deltas"] == [{
        "family": "orders_total", "grown_by": 200, "causes": ["label 'customer' widened from 101 to 151"],
        "series": {"shop": {"before": 404, "after": 604}},
    }]  # fmt: skip


def test_a_lock_file_that_was_edited_is_exit_1(obslib: Run) -> None:
    """The right figures in another order would be another diff for the next reviewer."""
    Path("my.lock").write_text(render_lock(PLATFORM) + "\n")
    done = obslib("--check", "--lock-file", "my.lock")
    assert done.code == 1
    assert done.out.startswith("my.lock holds the right figures, but not as they are written; run it with --lock")


def test_the_repositorys_lock_file_is_as_agreed_on() -> None:
    """What ``make check`` compares."""
    assert (ROOT / "specs" / "budget.lock").read_text() == render_lock(PLATFORM)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--nodes", "0"], "argument --nodes: '0' is no whole number from 1 to 1000000"),
        (["--nodes", "-3"], "argument --nodes: '-3' is no whole number from 1 to 1000000"),
        (["--envs", "nan"], "argument --envs: 'nan' is no whole number from 1 to 1000000"),
        (["--routes", "1e3"], "argument --routes: '1e3' is no whole number from 1 to 1000000"),
        (["--orgs", "9" * 5_000], f"argument --orgs: '{'9' * 5_000}' is no whole number from 1 to 1000000"),
        (["--orgs", "٣"], "argument --orgs: '٣' is no whole number from 1 to 1000000"),
        (["--processes", "3"], "argument --processes: '3' is not spelt COMPONENT=N, as in control-plane=2"),
        (["--processes", "control-plane=0"], "argument --processes: '0' is no whole number from 1 to 1000000"),
        (["--processes", "x=2"], "component 'x' is not in catalog 'platform' (it has: control-plane"),
        (["agnet"], "component 'agnet' is not in catalog 'platform' (it has: control-plane"),
        (["--quotas", "none.toml"], "the quotas file 'none.toml' cannot be read: No such file or directory; name another"),
        (["--quotas", "broken.toml"], "the quotas file 'broken.toml' is not valid TOML"),
        (["--check"], "the lock file 'specs/budget.lock' cannot be read: No such file or directory; write it with --lock"),
        (["--check", "--lock-file", "broken.toml"], "the lock file 'broken.toml' is not valid TOML"),
        (["--lock"], "the lock file 'specs/budget.lock' cannot be written: No such file or directory; name another with"),
        (["--lock", "--lock-file", "."], "the lock file '.' cannot be written"),
        (["--lock", "--nodes", "3"], "a lock file is about all bounds and about no size; leave out --nodes"),
        (["agent", "--check"], "a lock file is about all bounds and about no size; leave out agent"),
        (["--lock-file", "my.lock"], "--lock-file says which file to write or to compare with; add --lock or --check"),
        (["--lock", "--check"], "argument --check: not allowed with argument --lock"),
        (["--catalog", "nowhere:CATALOG"], "catalog 'nowhere:CATALOG' cannot be imported"),
    ],
)
def test_what_cannot_be_answered_is_exit_2_in_a_sentence(
    obslib: Run, tmp_path: Path, arguments: list[str], sentence: str
) -> None:
    """Nothing on the output, no traceback, and the file or the flag by its name."""
    (tmp_path / "broken.toml").write_text("a = ")
    done = obslib(*arguments)
    assert (done.code, done.out) == (2, "")
    assert sentence in done.err
    assert "Traceback" not in done.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken.toml"]


@pytest.mark.parametrize("columns", ["1", "40", "80", "100000"])
def test_any_terminal_can_show_it(obslib: Run, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    """No line is wider than the terminal, from 40 columns to a page, but for a name that cannot be broken."""
    monkeypatch.setenv("COLUMNS", columns)
    for line in obslib(*SIZE).out.splitlines():
        assert len(line) <= max(40, min(128, int(columns))) or len(line.split()) <= 3


def test_what_is_no_lock_file_is_not_replaced_by_one(obslib: Run, tmp_path: Path) -> None:
    """A pipe or a device stays what it is, and a link goes on leading to the file it led to."""
    pipe, link, kept = tmp_path / "pipe", tmp_path / "link", tmp_path / "kept"
    os.mkfifo(pipe)
    done = obslib("--lock", "--lock-file", str(pipe))
    sentence = f"the lock file {str(pipe)!r} cannot be written: it is no regular file; name another with --lock-file"
    assert (done.code, done.err) == (2, f"obslib: {sentence}\n")
    assert pipe.is_fifo()
    link.symlink_to(kept)
    assert obslib("--lock", "--lock-file", str(link)).code == 0
    assert (link.is_symlink(), kept.is_file()) == (True, True)
