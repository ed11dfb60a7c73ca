"""Every value of a YAML or a JSON text knows where it stands, and what is neither is refused in a sentence."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from obslib.lint.artifacts.document import Document, Malformed
from obslib.lint.artifacts.tree import Node, read_json, read_yaml

RULES = """\
groups:
  - name: 'é'
    rules:
      - expr: |
          sum(up) >
            rate(loops[5m])
      - expr: 'a{b=''c''}'
      - expr: "a{b=\\"d\\"}"
      - {expr: up, for: 5m}
"""


def place(node: Node, text: str) -> tuple[int, int, int]:
    """The line and the columns of the first ``text`` in a node."""
    at = node.text.index(text)
    found = node.place_of(at, at + len(text))
    return found.line, found.column, found.end_column


def test_a_word_in_a_yaml_scalar_is_found_in_every_style() -> None:
    """Block, single quotes, double quotes, plain: the caret is under the word, escapes before it or not."""
    group = next(read_yaml(Document("r", RULES)).items("groups"))
    rules = [rule.get("expr") for rule in group.items("rules")]
    assert [place(rule, word) for rule, word in zip(rules, ("loops", "c", "d", "up"), strict=True) if rule] == [
        (6, 18, 23), (7, 22, 23), (8, 22, 23), (9, 16, 18),
    ]  # fmt: skip


def test_a_word_in_a_json_string_is_found() -> None:
    """Escapes in the text before it do not move the caret, and the second of two is not taken for the first."""
    root = read_json(Document("d", '{"a": [1, null, true],\n "b": {"c": "b{x=\\"b\\"} + b"}}'))
    found = root.get("b", "c")
    assert found is not None
    assert found.text == 'b{x="b"} + b'
    assert [(found.place_of(at, at + 1).line, found.place_of(at, at + 1).column) for at in (0, 5, 11)] == [
        (2, 14), (2, 20), (2, 27),
    ]  # fmt: skip
    assert [item.value for item in root.items("a")] == ["1", None, "true"]


@pytest.mark.parametrize(
    ("text", "line", "sentence"),
    [
        ("", 1, "there is nothing in it"),
        ("# only this\n", 1, "there is nothing in it"),
        ("a: [\n", 2, "this is not YAML: did not find expected node content"),
        ("a: 1\nb: 2\na: 3\n", 3, "'a' is there twice; only one of them can be meant"),
        ("&a [*a]", 1, "it is nested without end"),
        ("a: 1\n---\nb: 1\n", 2, "this is not YAML: but found another document"),
        ("a:\tb\n\t- c\n", 2, "this is not YAML: found a tab character that violates indentation"),
    ],
)
def test_what_is_no_yaml_is_refused(text: str, line: int, sentence: str) -> None:
    """Empty, cut off, ambiguous, endless, two of them."""
    with pytest.raises(Malformed) as caught:
        read_yaml(Document("r", text))
    assert (caught.value.place.line, str(caught.value)) == (line, sentence)


@pytest.mark.parametrize(
    ("text", "column", "sentence"),
    [
        (" ", 1, "there is nothing in it"),
        ("{", 2, "this is not JSON: a name in quotes belongs here"),
        ("[1,]", 4, "this is not JSON: nothing follows the comma"),
        ('{"a" 1}', 6, "this is not JSON: ':' belongs here"),
        ('"a', 1, "this is not JSON: unterminated string starting at"),
        ("nope", 1, "this is not JSON: a value belongs here"),
        ("[1] 2", 5, "this is not JSON: something stands after the end of the value"),
        ("[" * 5_000, 102, "this is not JSON: it is nested without end"),
    ],
)
def test_what_is_no_json_is_refused(text: str, column: int, sentence: str) -> None:
    """Empty, cut off, two of them, endless."""
    with pytest.raises(Malformed) as caught:
        read_json(Document("d", text))
    assert (caught.value.place.column, str(caught.value)) == (column, sentence)


@pytest.mark.parametrize("text", ["[" * 5_000, "a: " + "{b: " * 3_000])
def test_a_yaml_that_is_nested_without_end_is_refused(text: str) -> None:
    """No depth takes the linter down."""
    with pytest.raises(Malformed):
        read_yaml(Document("r", text))


def plain(node: Node | None) -> object:
    """What a tree holds, without its places."""
    value = node.value if node is not None else None
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list) else value


VALUES = st.recursive(st.none() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12)


@given(VALUES)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_any_json_is_read_as_the_standard_library_reads_it(value: object) -> None:
    """Whatever it holds, indented or not, and each text is found again at its place."""
    for text in (json.dumps(value), json.dumps(value, indent=1, ensure_ascii=False)):
        if text.strip():
            assert plain(read_json(Document("d", text))) == value


@given(VALUES)
@settings(max_examples=60, deadline=None, derandomize=True, database=None)
def test_any_yaml_is_read_as_its_library_reads_it(value: object) -> None:
    """Whatever PyYAML writes."""
    text = yaml.safe_dump({"a": value}, allow_unicode=True)
    assert plain(read_yaml(Document("r", text))) == yaml.safe_load(text)
