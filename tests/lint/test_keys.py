"""Label values that go in as keys of a mapping."""

from __future__ import annotations

import ast
from collections.abc import Callable

import pytest

from obslib.lint.uses import LabelSet
from tests.lint.conftest import Source

Write = Callable[..., Source]

_HEAD = """
from obslib import Observability
from obslib.catalog.platform import control_plane as cp, data_plane as s, resources as r
def read() -> dict[str, float]:
    return {"ready": 1.0}
class Node:
    def read(self):
        return {"ready": 1.0}
def wire(obs: Observability, instances) -> None:
    states, usage = obs.metrics[s.AGENT_INSTANCES], obs.metrics[r.AGENT_INSTANCE_MEMORY_USAGE]
"""

_KEYS = {
    "a mapping": ("states.replace({'ready': 1.0})", "state='ready'"),
    "a mapping by name": ("found = {'ready': 1.0}\n    states.replace(found)", "state='ready'"),
    "a comprehension": ("states.replace({each.state: 1.0 for each in instances})", "state=each.state"),
    "a comprehension by name": ("found = {each: 1 for each in 'ab'}\n    states.replace(found)", "state=each"),
    "a lambda": ("states.callback(lambda: {'ready': 1.0})", "state='ready'"),
    "a function": ("states.callback(read)", "state='ready'"),
    "a method": ("states.callback(Node().read)", "state='ready'"),
    "a nested function": ("def now():\n        return {'ready': 1.0}\n    states.callback(now)", "state='ready'"),
    "one of two": ("states.callback(lambda: {'ready': 1} if instances else {})", "state='ready'"),
    "one inside another": ("states.replace({**{'ready': 1.0}})", "state='ready'"),
    "a tuple": ("usage.replace({(each.env_id, 'web'): 1 for each in instances})", "env_id=each.env_id, process_type='web'"),
    "values by position": ("usage.at(('env_1', 'web')).set(1)", "env_id='env_1', process_type='web'"),
    "a label that is forgotten": ("usage.forget('env_id', 'env_1')", "env_id='env_1'"),
    "a mirrored total": (
        "obs.metrics[cp.EVENT_APPENDS].mirror(lambda: {'success': 1})",
        "result='success'",
    ),
}


@pytest.mark.parametrize(("body", "labels"), _KEYS.values(), ids=list(_KEYS))
def test_a_key_is_a_set_of_labels(body: str, labels: str, source: Write) -> None:
    """Whatever door a label value goes in by, rules see it under its label's name."""
    looked = source(f"{_HEAD}    {body}\n")
    (use,) = [use for use in looked.uses(LabelSet) if isinstance(use, LabelSet)]
    assert ", ".join(f"{name}={ast.unparse(node)}" for name, node in use.arguments.named) == labels


def test_a_key_of_the_wrong_width_keeps_its_values_without_names(source: Write) -> None:
    """A key that does not fit the family is not forced onto its labels."""
    looked = source(f"{_HEAD}    usage.replace({{'env_1': 1.0}})\n")
    (use,) = [use for use in looked.uses(LabelSet) if isinstance(use, LabelSet)]
    assert use.arguments.named == ()
    assert len(use.arguments.positional) == 1


def test_attributes_of_opentelemetry_are_labels(source: Write) -> None:
    """What another library calls attributes makes series as well."""
    looked = source(
        "from opentelemetry import metrics\n"
        "sold = metrics.get_meter('shop').create_counter('sold')\n"
        "kind = {'kind': 'a'}\n"
        "sold.add(1, {**kind, 'user.id': 'b'})\n"
    )
    (use,) = [use for use in looked.uses(LabelSet) if isinstance(use, LabelSet)]
    assert [name for name, _ in use.arguments.named] == ["kind", "user.id"]
