"""``obslib lint`` over a scrape, rule files and dashboards: what is printed and with which exit code."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.cli.outcome import Run
from tests.lint.artifacts.fake_exporter import answering, response

RULES = """\
groups:
  - name: loops
    rules:
      - alert: LoopWedged
        expr: min(loop_healthy) == 0
"""
SCRAPE = '# TYPE loop_healthy gauge\nloop_healthy{component="scheduler",loop="scheduler"} 1\n'
DASHBOARD = json.dumps({"panels": [{"title": "P", "targets": [{"expr": "min(loop_healthy)"}]}]})
SHOP = """
from obslib.catalog import COMMON, Component, Plane

CATALOG = COMMON.extend("shop", components=[Component(name="shop", plane=Plane.COMMON)])
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with one file of each kind, and a Python file that is wrong."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "ops").mkdir()
    (tmp_path / "ops" / "loops.yml").write_text(RULES)
    (tmp_path / "ops" / "prometheus.yml").write_text("scrape_configs: []\n")
    (tmp_path / "ops" / "loops.json").write_text(DASHBOARD)
    (tmp_path / "ops" / "package.json").write_text("{}")
    (tmp_path / "scrape.txt").write_text(SCRAPE)
    (tmp_path / "broken.py").write_text("(\n")
    yield tmp_path
    sys.modules.pop("shop_signals", None)


@pytest.fixture
def run(project: Path, obslib: Run) -> Run:
    """Runs ``obslib lint`` with these words in the project."""
    return partial(obslib, "lint", "--no-cache")


def test_what_is_right_is_exit_0_and_no_python_is_looked_at(run: Run) -> None:
    """Files and folders; of a folder only what is of the kind; the broken Python file beside them was not asked for."""
    assert run("--metrics", "scrape.txt", "--rules", "ops", "--dashboards", "ops") == (0, "3 files, nothing found\n", "")


def test_what_is_wrong_is_exit_1_with_a_caret(run: Run, project: Path) -> None:
    """The line of the file, the word, why it hurts and how it is mended; paths of Python may be named too."""
    (project / "ops" / "loops.yml").write_text(RULES.replace("healthy", "helthy"))
    code, out, err = run("--rules", "ops", "broken.py")
    assert (code, err) == (1, "")
    assert out.startswith("broken.py:1:1 OBS901 ")
    assert (
        "ops/loops.yml:5:19 OBS622 alert 'LoopWedged' asks for 'loop_helthy', which no series can have; "
        "did you mean 'loop_healthy'?\n"
        "    expr: min(loop_helthy) == 0\n"
        "              ^^^^^^^^^^^\n"
        "  why: " in out
    )


def test_programs_get_them_like_any_other(run: Run, project: Path) -> None:
    """JSON with the page of the rule; rules can be selected and ignored, but not what cannot be understood."""
    (project / "scrape.txt").write_text(SCRAPE + 'jobs_total{component="scheduler",url="/"} 1\n')
    (project / "empty.yml").write_text("")
    code, out, _ = run("--metrics", "scrape.txt", "--rules", "empty.yml", "--format", "json", "--ignore", "OBS605,OBS601")
    found = json.loads(out)
    assert code == 1
    assert [(each["path"], each["code"]) for each in found["findings"]] == [("empty.yml", "OBS601"), ("scrape.txt", "OBS602")]
    assert found["rules"]["OBS602"]["why"]
    assert run("--metrics", "scrape.txt", "--select", "OBS62")[0] == 0


def test_another_products_catalog_can_be_named(run: Run, project: Path) -> None:
    """The same scrape is right for the platform and wrong for a shop that has no scheduler."""
    (project / "shop_signals.py").write_text(SHOP)
    code, out, _ = run("--metrics", "scrape.txt", "--catalog", "shop_signals:CATALOG")
    assert code == 1
    assert "component 'scheduler' is not in catalog 'shop', which has shop; add it there" in out


def test_a_scrape_is_read_from_a_process_or_a_pipe(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A URL and standard input; neither the credentials nor the query of the URL are printed."""
    with answering(response((SCRAPE + "nope 1\n").encode())) as url:
        code, out, _ = run("--metrics", url.replace("//", "//me:secret@") + "?token=secret")
    assert code == 1
    assert out.startswith(f"{url}?…:3:1 OBS602 metric 'nope' is not in catalog 'platform'; ")
    assert "secret" not in out
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(SCRAPE.encode())))
    assert run("--metrics", "-")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--metrics", "nope.txt"), "'nope.txt' cannot be read (No such file or directory); name a file that can"),
        (("--metrics", "ops"), "'ops' cannot be read (Is a directory); name a file that can"),
        (("--rules", "nope.yml"), "'nope.yml' cannot be read (No such file or directory); name a file that can"),
        (("--dashboards", "empty"), "there is no file ending in .json below 'empty'; name one"),
        (("--rules", "other"), "nothing below 'other' is of the kind asked for; name the file itself"),
        (("--metrics", "gopher://x/"), "a scrape is read over http or https, not 'gopher'; write http://HOST:PORT/metrics"),
        (("--metrics", "-", "-"), "standard input can be one thing only; name files for the others"),
        (
            ("--metrics", "scrape.txt", "--catalog", "nope"),
            "catalog 'nope' is not spelt MODULE:NAME, as in obslib.catalog.platform:PLATFORM",
        ),
    ],
)
def test_what_cannot_be_read_is_exit_2_and_one_sentence(
    run: Run, project: Path, arguments: tuple[str, ...], sentence: str
) -> None:
    """Missing, of another kind, unreachable: nothing was checked, and that is not the same as clean."""
    (project / "empty").mkdir()
    (project / "other").mkdir()
    (project / "other" / "compose.yml").write_text("services: {}\n")
    assert run(*arguments) == (2, "", f"obslib: {sentence}\n")


def test_without_the_extra_only_a_scrape_can_be_checked(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence says what to install."""
    for name in ("promql_parser", "yaml"):
        monkeypatch.setitem(sys.modules, name, None)
    assert run("--metrics", "scrape.txt")[0] == 0
    assert run("--rules", "ops") == (
        2, "", "obslib: rule files and dashboards cannot be read without 'yaml'; pip install 'platform-obslib[lint]'\n",
    )  # fmt: skip
