"""What obslib itself exposes is clean, however full it is; whatever is changed in it is found."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from obslib.catalog import Family
from obslib.catalog.platform import PLATFORM
from obslib.lint.artifacts import Document, check_artifacts, check_texts
from obslib.lint.artifacts.names import Names
from obslib.testing import NODE_ID
from tests.catalog.brim import Brim, a_registry

RECORDED = sorted((Path(__file__).parent / "recorded").iterdir())
OPENMETRICS = "application/openmetrics-text;version=1.0.0"


def full(component: str, accept: str = "") -> str:
    """The exposition of a process of ``component`` whose every domain is full and has overflown."""
    constant = {"node_id": NODE_ID} if PLATFORM.component(component).has_node else {}
    registry = a_registry(PLATFORM, component, **constant)
    Brim(PLATFORM, component).fill(registry)
    return registry.exposition(accept)[0].decode()


def said_about(text: str) -> list[tuple[int, str, str]]:
    """The line, the code and the sentence of everything that is reported."""
    return [
        (each.place.line, each.code, each.message) for each in check_texts(PLATFORM, metrics=[Document("m", text)]).findings
    ]


@pytest.mark.parametrize(("component", "accept"), [("scheduler", ""), ("edge", OPENMETRICS)])
def test_a_process_that_is_full_to_the_brim_is_clean(component: str, accept: str) -> None:
    """Whatever obslib folds and exposes keeps to its catalog, in both formats."""
    assert said_about(full(component, accept)) == []


def test_a_pair_more_than_the_catalog_has_is_over_budget() -> None:
    """A family is paired with its own labels only, so two names that do not belong together are one pair too many."""
    lines = full("scheduler").splitlines()
    last = max(number for number, line in enumerate(lines) if line.startswith("metric_label_overflow_total{"))
    lines.insert(last + 1, 'metric_label_overflow_total{component="scheduler",metric="loop_healthy",label="result"} 0')
    assert said_about("\n".join(lines) + "\n") == [
        (
            last + 2, "OBS609",
            f"{of}'metric_label_overflow_total' has more than the {most} for 'scheduler'; "
            "expose it through obslib, which folds the rest",
        )
        for of, most in (("", "40 series that are proven"), ("metric x label of ", "39 values of its domain"))
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("component", PLATFORM.components)
def test_every_component_that_is_full_to_the_brim_is_clean(component: str) -> None:
    """The same for the largest ones."""
    assert said_about(full(component)) == []


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.name)
def test_what_was_recorded_of_the_miniplatform_is_clean(path: Path) -> None:
    """A real scrape, packed as it came (``curl --compressed -H 'Accept: …' $ADMIN/metrics``), is what the catalog declares."""
    assert check_artifacts(PLATFORM, metrics=[str(path)]).findings == ()


def broken(text: str) -> Iterator[tuple[str, str]]:
    """What somebody could do to an exposition, with the code it must be reported under: to some samples, always the same."""
    lines = text.splitlines()
    samples = [number for number, line in enumerate(lines) if re.match(r"[a-z]\w*\{", line)]
    for number in random.Random(6).sample(samples, 5):

        def changed(line: str, at: int = number) -> str:
            return "\n".join([*lines[:at], line, *lines[at + 1 :]]) + "\n"

        line = lines[number]
        yield "OBS602", changed("x" + line)
        yield "OBS604", changed(line.replace("{", '{shard="1",', 1))
        yield "OBS605", changed(line.replace("{", '{user_id="1",', 1))
        yield "OBS606", changed(re.sub(r'component="[^"]*",?', "", line, count=1))
        yield "OBS608", changed(line.replace("{", '{shard="10.1.2.3",', 1))
        yield "OBS610", changed(re.sub(r'component="[^"]*"', 'component="billing"', line, count=1))
        yield "OBS611", changed(f"{line}\n{line}")


def passed(text: str) -> Iterator[str]:
    """The changes that nobody notices."""
    return (code for code, changed in broken(text) if code not in {found for _, found, _ in said_about(changed)})


def small(component: str) -> str:
    """An exposition with some of the families that are there from the start."""
    registry = a_registry(PLATFORM, component)
    for family in PLATFORM.of(Family, component)[::6]:
        registry[family]
    return registry.exposition()[0].decode()


def test_whatever_is_changed_in_an_exposition_is_found() -> None:
    """Another name, a label too many or too few, a forbidden one, an address, a foreign component, a series twice."""
    assert list(passed(small("scheduler"))) == []


MUTANTS: dict[str, tuple[str, Any]] = {
    "an undeclared name is taken for a declared one": ("declared", lambda self, name: next(iter(self.catalog.of(Family)))),
    "every label is allowed": ("exposed", lambda self, known: type("All", (), {"__contains__": lambda *_: True})()),
    "nothing is known": ("find", lambda self, name: None),
}


@pytest.mark.parametrize("mutant", MUTANTS)
def test_mutant_a_check_that_lets_a_change_pass_is_found(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With any of these broken look-ups some change goes unnoticed, so the test above can fail."""
    monkeypatch.setattr(Names, *MUTANTS[mutant])
    assert next(passed(small("scheduler")), "")
