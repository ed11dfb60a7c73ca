"""A linter that has lost one of its senses is noticed by the examples of a rule."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from obslib.lint import (
    RULES,
    Project,
    binding,
    bounds,
    calls,
    check,
    declaring,
    keys,
    members,
    narrowing,
    parameter,
    reading,
    walk,
)
from obslib.lint.calls import Arguments
from obslib.lint.evaluation import Evaluation
from obslib.lint.reading import _Reader
from obslib.lint.rules import direct_metric, forbidden_label, metric_name
from obslib.lint.uses import File
from obslib.lint.value import UNKNOWN

Break = Callable[[pytest.MonkeyPatch], object]


def _without(owner: Any, name: str, instead: object) -> Break:
    return lambda monkeypatch: monkeypatch.setattr(owner, name, instead)


def _says(answer: object) -> Callable[..., object]:
    return lambda *_, **__: answer


_MISSES: dict[str, tuple[Break, str]] = {
    "names are not followed": (_without(binding, "_expressed", _says(UNKNOWN)), "OBS106"),
    "returns are not followed": (_without(Evaluation, "returned", _says(UNKNOWN)), "OBS110"),
    "arguments of private functions are not followed": (_without(parameter, "_handed", _says(UNKNOWN)), "OBS108"),
    "requests are like anything else": (_without(members, "of_request", _says(UNKNOWN)), "OBS106"),
    "URLs are like anything else": (_without(calls, "_of_url", _says(UNKNOWN)), "OBS107"),
    "** is not taken apart": (_without(calls, "_pairs", _says([])), "OBS104"),
    "keys of mappings are not read": (_without(reading, "KEYED", frozenset()), "OBS104"),
    "comprehensions and lambdas are not read": (_without(keys, "_keys", _says(())), "OBS106"),
    "no value is in doubt": (_without(bounds, "doubt", _says(None)), "OBS109"),
    "an id is not known by its name": (_without(bounds, "_by_name", _says(None)), "OBS108"),
    "nothing is forbidden": (_without(forbidden_label, "FORBIDDEN", frozenset()), "OBS105"),
    "label names of other libraries are not read": (_without(File, "label_names", _says(())), "OBS112"),
    "every unit is right": (_without(metric_name, "require_unit", _says(None)), "OBS114"),
    "declarations have no labels": (_without(declaring, "_shape", _says(None)), "OBS112"),
    "every metric is included": (_without(direct_metric, "_is_included", _says(True)), "OBS113"),
    "arguments are not read": (_without(_Reader, "_given", _says(Arguments())), "OBS104"),
    "parameters are not read": (_without(binding, "of_parameter", _says(UNKNOWN)), "OBS111"),
}

_CRIES_WOLF: dict[str, tuple[Break, str]] = {
    "an if narrows nothing": (_without(walk, "regions", _says(())), "OBS106"),
    "an expression narrows nothing": (_without(narrowing, "narrowed_by", _says(())), "OBS107"),
    "included collectors are not seen": (_without(direct_metric, "_is_included", _says(False)), "OBS113"),
    "what a partial has bound is forgotten": (_without(_Reader, "_bound", _says(Arguments())), "OBS103"),
    "annotations tell nothing": (_without(Evaluation, "annotation", _says(UNKNOWN)), "OBS102"),
    "one's own exceptions are like any other": (_without(members, "_of_instance", _says(UNKNOWN)), "OBS109"),
    "a label's own id is like any other": (_without(bounds, "_is_own", _says(False)), "OBS108"),
}


def _wrong(code: str, kind: str, directory: Path) -> list[int]:
    """The examples of a rule that it judges wrongly."""
    rule = RULES[code]
    found = [bool(check(directory / "example.py", source, Project(), [rule]).findings) for source in getattr(rule, kind)]
    return [place for place, is_found in enumerate(found) if is_found != (kind == "bad")]


@pytest.mark.parametrize(("broken", "code"), _MISSES.values(), ids=list(_MISSES))
def test_a_sense_that_is_lost_misses_a_fault(broken: Break, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each way of seeing a fault is needed by a bad example of its rule."""
    assert _wrong(code, "bad", tmp_path) == []
    broken(monkeypatch)
    assert _wrong(code, "bad", tmp_path) != []


@pytest.mark.parametrize(("broken", "code"), _CRIES_WOLF.values(), ids=list(_CRIES_WOLF))
def test_a_sense_that_is_lost_reports_what_is_sound(
    broken: Break, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each way of seeing that code is sound is needed by a good example of its rule."""
    assert _wrong(code, "good", tmp_path) == []
    broken(monkeypatch)
    assert _wrong(code, "good", tmp_path) != []
