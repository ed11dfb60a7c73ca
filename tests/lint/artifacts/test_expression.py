"""A query is read with the place of every name in it."""

from __future__ import annotations

import pytest

from obslib.lint.artifacts.expression import Expression, QueryError, parse
from obslib.lint.artifacts.tokens import Written

QUERY = """sum by (loop, le) (  # of all nodes
  rate(loops_bucket{result=~"a|b", "le"='1.0', x="}{"}[5m] offset 1m)
) / on (loop) group_left (version) build_info{} > bool 0"""


def words(expression: Expression) -> list[str]:
    """What stands at the place of every selector, label and value."""
    text = expression.text
    spans = [
        span
        for each in expression.selectors
        for span in (each.span, *(span for m in each.matchers for span in (m.span, m.value_span)))
    ]
    return [text[start:end] for start, end in spans]


def test_every_name_of_a_query_is_found_where_it_stands() -> None:
    """Over several lines, with comments, quotes of every kind and braces in them."""
    found = parse(QUERY)
    assert words(found) == ["loops_bucket", "result", "a|b", '"le"', "1.0", "x", "}{", "build_info"]
    assert [QUERY[slice(*found.grouping_span(label))] for label in ("loop", "le", "version")] == ["loop", "le", "version"]
    assert [each.function for each in found.selectors] == ["rate", ""]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("up", ["up"]),
        ('{__name__="up", job="a"}', ["up"]),
        ('{__name__=~"up.*"}', [""]),
        ('{"up"}', ["up"]),
        ("a and on (x) b or c unless d", ["a", "b", "c", "d"]),
        ("topk(3, a) + Sum(b) BY (c) # d", ["a", "b"]),
        ("max_over_time(rate(a[5m])[1h:1m])", ["a"]),
        ('label_replace(up, "a", "$1", "b", "(.*)")', ["up"]),
        ("-a ^ b atan2 c", ["a", "b", "c"]),
        ("a offset -5m @ end() > Inf", ["a"]),
        ("job:loops:rate5m", ["job:loops:rate5m"]),
        ("count(up) by (job) == 0", ["up"]),
        ("vector(time() - 5e3)", []),
        ("quantile by (a) (scalar(b), c)", ["b", "c"]),
    ],
)
def test_the_tokens_agree_with_the_parser(query: str, names: list[str]) -> None:
    """Whatever the parser takes for a selector has a place of its own."""
    found = parse(query)
    assert [each.name for each in found.selectors] == names
    assert all(each.span != (0, len(query)) or query == each.name for each in found.selectors)


def test_where_they_do_not_agree_all_of_the_query_is_pointed_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that is not understood costs the caret, not the finding."""
    monkeypatch.setattr(Written, "_step", lambda self: setattr(self, "_at", self._at + 1))
    found = parse('sum(up{job="a"})')
    assert [(each.name, each.span, each.matchers[0].value_span) for each in found.selectors] == [("up", (0, 16), (0, 16))]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("", "there is no query"),
        ("sum(", "unclosed left parenthesis"),
        ("rate(up)", "expected type matrix in call to function 'rate', got vector"),
        ("no_such(up)", "unknown function with name 'no_such'"),
        ("up{a=~'['}", "illegal regex for ["),
        ("(" * 300 + "up" + ")" * 300, "it is longer than 10000 characters or nested deeper than 200"),
        ("up or " * 5_000 + "up", "it is longer than 10000 characters or nested deeper than 200"),
    ],
)
def test_what_is_no_query_says_why(query: str, sentence: str) -> None:
    """The parser's own words, and a bound on what is given to it."""
    with pytest.raises(QueryError) as caught:
        parse(query)
    assert str(caught.value) == sentence


def test_a_chain_of_operators_is_deep_and_has_a_bound() -> None:
    """Each further term of a chain stands one level deeper; no chain takes the linter down."""
    assert len(parse(" or ".join(["up"] * 200)).selectors) == 200
    with pytest.raises(QueryError, match="nested deeper than 200"):
        parse(" or ".join(["up"] * 300))
