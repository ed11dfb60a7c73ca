"""The compiled ``labels`` function finds known combinations and hands everything else on."""

from __future__ import annotations

from obslib.metrics.signature import MISSING, labels_function


def test_known_combinations_are_found_and_others_handed_on() -> None:
    """Only what is in the dict is answered from it; names are matched, not positions."""
    asked: list[object] = []

    def born(values: tuple[object, ...], has_nameless: bool, unknown: object) -> str:
        asked.append((values, has_nameless, unknown))
        return "born"

    labels = labels_function(("row", "shelf"), {("a", "b"): "known"}, born)
    assert labels(shelf="b", row="a") == "known"
    assert [labels(row="a", shelf="c"), labels(row="a"), labels("a", shelf="b"), labels(row="a", shelf="b", shelve="x")] == [
        "born"
    ] * 4
    assert asked == [
        (("a", "c"), False, {}),
        (("a", MISSING), False, {}),
        ((MISSING, "b"), True, {}),
        (("a", "b"), False, {"shelve": "x"}),
    ]


def test_unhashable_values_are_handed_on() -> None:
    """A list where text belongs reaches the slow path instead of raising."""
    labels = labels_function(("row",), {}, lambda values, *_: values)
    assert labels(row=["x"]) == (["x"],)
