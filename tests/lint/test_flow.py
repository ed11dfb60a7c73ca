"""Where a name is less than all that is ever assigned to it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from obslib.lint.uses import LabelSet
from obslib.lint.value import Kind, Taint
from tests.lint.conftest import Source

Write = Callable[..., Source]

_HEAD = """
from enum import StrEnum
from typing import cast, get_args, Literal
from obslib import Observability
from obslib.catalog.platform import control_plane as cp
KNOWN = ("success", "failure")
TABLE = {"success": "x", "failure": "y"}
class Known(StrEnum):
    GOOD = "success"
    BAD = "failure"
def count(obs: Observability, request, given: str) -> None:
    append = obs.metrics[cp.EVENT_APPENDS].labels
"""

_BOUNDED = {
    "what was assigned last": "r = request.path\n    r = 'success'\n    append(result=r)",
    "what was assigned last in the same block": "for r in request.a:\n        r = 'success'\n        append(result=r)",
    "inside a test": "if given in KNOWN:\n        append(result=given)",
    "inside a test of two": "if given and given in KNOWN:\n        append(result=given)",
    "inside a comparison": "if given == 'success':\n        append(result=given)",
    "an attribute inside a test": "if request.method in KNOWN:\n        append(result=request.method)",
    "after leaving": "if given not in KNOWN:\n        return\n    append(result=given)",
    "after mending": "r = request.path\n    if r not in KNOWN:\n        r = 'failure'\n    append(result=r)",
    "in the other branch": "if given not in TABLE:\n        pass\n    else:\n        append(result=given)",
    "members of an enumeration": "if given in Known:\n        append(result=given)",
    "in an expression": "append(result=given if given in KNOWN else 'failure')",
    "in an expression, the other way round": "append(result='failure' if given not in KNOWN else given)",
    "a comprehension where it stands": "r = request.path\n    r = 'success'\n    [append(result=r) for _ in given]",
    "a claim of the type": "append(result=cast(Literal['success'], given))",
    "inside one of two comparisons": "if given == 'success' or given == 'failure':\n        append(result=given)",
    "inside a case": "match given:\n        case 'success' | 'failure':\n            append(result=given)",
    "inside a while": "while given in KNOWN:\n        append(result=given)",
    "after an assertion": "assert given in KNOWN\n    append(result=given)",
    "in a set made of two": "if given in (*KNOWN, 'success'):\n        append(result=given)",
    "in the arguments of a type": "if given in get_args(Literal['success']):\n        append(result=given)",
    "the keys of a table": "for r in TABLE:\n        append(result=r)",
}


@pytest.mark.parametrize("body", _BOUNDED.values(), ids=list(_BOUNDED))
def test_a_name_is_what_a_test_or_a_later_assignment_has_made_of_it(body: str, source: Write) -> None:
    """Code that folds a value before it uses it as a label has folded it."""
    looked = source(f"{_HEAD}    {body}\n")
    (use,) = [use for use in looked.uses(LabelSet) if isinstance(use, LabelSet)]
    value = looked.file.value(use.arguments.get("result"), use.scope)
    assert value.kind is Kind.TEXT
    assert value.texts is not None
    assert value.texts <= {"success", "failure"}


_STILL = {
    "a test of another name": "r = request.path\n    if given not in KNOWN:\n        r = 'failure'\n    append(result=r)",
    "before the test": "r = request.path\n    append(result=r)\n    if r not in KNOWN:\n        r = 'failure'",
    "a skip list": "r = request.path\n    if r in KNOWN:\n        return\n    append(result=r)",
    "what nobody knows the elements of": "r = request.path\n    if r in given:\n        append(result=r)",
    "mended with what is no better": "r = request.path\n    if r not in KNOWN:\n        r = request.url\n    append(result=r)",
    "assigned in one branch": "r = request.path\n    if given:\n        r = 'success'\n    append(result=r)",
    "assigned in a loop": "r = request.path\n    for _ in given:\n        r = 'success'\n    append(result=r)",
    "in a function that runs later": "r = request.path\n    if r in KNOWN:\n        pass\n    (lambda: append(result=r))()",
    "a case that matches anything": "r = request.path\n    match r:\n        case _:\n            append(result=r)",
    "assigned after the test": "if given in KNOWN:\n        given = request.path\n        append(result=given)",
    "a claim against what is known": "append(result=cast(Literal['success'], request.path))",
}


@pytest.mark.parametrize("body", _STILL.values(), ids=list(_STILL))
def test_a_name_that_was_not_folded_keeps_its_source(body: str, source: Write) -> None:
    """A test or an assignment that does not reach the label says nothing about it."""
    looked = source(f"{_HEAD}    {body}\n")
    (use,) = [use for use in looked.uses(LabelSet) if isinstance(use, LabelSet)]
    value = looked.file.value(use.arguments.get("result"), use.scope)
    assert (value.kind, value.taint) == (Kind.TAINTED, Taint.REQUEST)


def test_any_text_tested_against_what_nobody_knows_is_unknown(source: Write) -> None:
    """A test against a set that cannot be followed may have bounded what it tested, so that nothing is certain any more."""
    looked = source(f"{_HEAD}    if given not in obs.sets:\n        return\n    append(result=given)\n")
    (use,) = [use for use in looked.uses(LabelSet) if isinstance(use, LabelSet)]
    assert looked.file.value(use.arguments.get("result"), use.scope).kind is Kind.UNKNOWN
