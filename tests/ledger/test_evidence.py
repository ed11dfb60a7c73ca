"""Only a test that can run and can fail is evidence."""

from __future__ import annotations

import ast
import textwrap

import pytest

from obslib.ledger import suite as suite_module
from tests.ledger.shop import Shop

CLAIMS_NOTHING = {
    "a constant": "assert True",
    "a constant that is a word": "assert 'stock'",
    "a comparison of constants": "assert 1 == 1, 'stock'",
    "a pair, which is always true": "assert (stock(), 'stock')",
    "or true": "assert stock() or True",
    "after a return": "return\nassert stock()",
    "after a raise": "raise ValueError\nassert stock()",
    "after a skip in an if that always holds": "if True:\n    return\nassert stock()",
    "in a branch that is never taken": "if False:\n    assert stock()",
    "in the other branch": "if True:\n    pass\nelse:\n    assert stock()",
    "in a loop that never begins": "while 0:\n    assert stock()",
    "after a break": "for shelf in stock():\n    break\n    assert shelf",
    "in a function that is never called": "def check():\n    assert stock()",
    "in a function that only calls itself": "def check():\n    assert stock()\n    check()",
    "expects an exception of nothing": "pytest.raises(ValueError)\nstock()",
    "names what would fail": "pytest.fail\nstock()",
}
NEVER_RUNS = {
    "skips itself always": "if True:\n    pytest.skip('later')\nassert stock()",
    "skips itself": "pytest.skip('later')\nassert stock()",
    "skips itself by a bare name": "skip('later')\nassert stock()",
}
NEVER_RUNS_BY_MARK = ["skip", "skip(reason='later')", "xfail", "skipif(True, reason='later')", "skipif(1 == 1, reason='later')",
    "skipif(condition=True, reason='later')", "parametrize('shelf', [])"]  # fmt: skip
CLAIMS = {
    "an assertion": "assert stock() == 1",
    "of what a condition decides": "if stock():\n    assert stock() == 1\nelse:\n    return",
    "after an if that returns in some cases": "if stock():\n    return\nassert stock() == 0",
    "in a function that is called": "def check():\n    assert stock()\ncheck()",
    "in a function that a call hands on": "def check():\n    assert stock()\nrun(then=check)",
    "in a function that a decorator uses": "@app.get\ndef check():\n    assert stock()",
    "in a method of a fake": "class Till:\n    def open(self):\n        assert stock()\nrun(Till())",
    "an exception": "with pytest.raises(ValueError):\n    stock()",
    "an exception, among others": "with open('x'), pytest.raises(ValueError) as caught:\n    stock()",
    "an exception of a call": "pytest.raises(ValueError, stock)",
    "a failure": "if not stock():\n    pytest.fail('none')",
    "a skip where something is missing": "if not stock():\n    pytest.skip('none here')\nassert stock() == 1",
    "waits for it": "wait_for(lambda: stock())",
}


def wrong_with(shop: Shop, body: str, *, mark: str = "") -> list[str]:
    """What is wrong with row 1 when it cites a test with this body."""
    lines = [f"@pytest.mark.{mark}" if mark else "", "def test_planted(alert):", textwrap.indent(body, "    ")]
    with (shop.root / "tests/test_shop.py").open("a") as file:
        file.write("\n".join(["", *lines, ""]))
    shop.row(1)["tests"] = ["tests/test_shop.py::test_planted"]
    return [sentence for about, sentence in shop.wrong() if about == "SHOP-01"]


@pytest.mark.parametrize("planted", CLAIMS_NOTHING)
def test_mutant_what_cannot_fail_claims_nothing(shop: Shop, planted: str) -> None:
    """An assertion that always holds, or that nothing reaches, is none."""
    told = wrong_with(shop, CLAIMS_NOTHING[planted])
    assert "test 'test_planted' in 'tests/test_shop.py' asserts nothing" in told


@pytest.mark.parametrize(("body", "mark"), [*((body, "") for body in NEVER_RUNS.values()), *(
    ("assert stock()", mark) for mark in NEVER_RUNS_BY_MARK)])  # fmt: skip
def test_mutant_what_is_skipped_everywhere_never_runs(shop: Shop, body: str, mark: str) -> None:
    """By a mark, by a condition that is a constant, or by itself."""
    told = wrong_with(shop, body, mark=mark)
    assert "test 'test_planted' in 'tests/test_shop.py' never runs, because it is skipped or expected to fail" in told


@pytest.mark.parametrize("good", CLAIMS)
def test_what_can_fail_is_evidence(shop: Shop, good: str) -> None:
    """Each way to claim something that our own tests use is believed."""
    assert wrong_with(shop, CLAIMS[good]) == []


def test_a_test_that_is_skipped_in_some_places_is_evidence(shop: Shop) -> None:
    """A condition that depends on something is one that may not hold."""
    assert wrong_with(shop, "assert stock()", mark="skipif(not has_cgroups(), reason='none here')") == []


def test_mutant_code_that_cannot_run_speaks_of_nothing(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name after a return is not what the test is about; a reading that walks everything would believe it."""
    told = "none of its tests speaks of 'stock' (metrics); cite one that does"
    assert told in wrong_with(shop, "assert alert.is_on()\nreturn\nassert NAMES['stock']")
    monkeypatch.setattr(suite_module, "running", ast.walk)
    assert told not in [sentence for _, sentence in shop.wrong()]
