"""Slots are held once per series and freed by the last one."""

from __future__ import annotations

from obslib.catalog import Joint, Label
from obslib.metrics.domains import Domains, Slots, Ties


def test_a_place_is_free_again_after_its_last_holder() -> None:
    """Two series of one value need two releases before another value finds room."""
    slots = Slots(1)
    slots.take(("a",))
    slots.take(("a",))
    slots.release(("a",))
    assert (slots.has_room(("a",)), slots.has_room(("b",)), len(slots)) == (True, False, 1)
    slots.release(("a",))
    assert (slots.has_room(("b",)), len(slots)) == (True, 0)


def test_a_reserved_key_needs_no_place() -> None:
    """A reserved combination is admitted however full the domain is, and takes nothing from it."""
    slots = Slots(1, frozenset({("GET", "unmatched")}))
    slots.take(("GET", "unmatched"))
    assert slots.has_room(("GET", "/a"))
    slots.take(("GET", "/a"))
    assert (slots.has_room(("GET", "unmatched")), slots.has_room(("GET", "/b"))) == (True, False)


def test_a_tie_lasts_as_long_as_a_series_that_made_it() -> None:
    """What determines a value keeps it until the last series is gone, and may then be tied anew."""
    ties = Ties()
    key = ("env_id", "e1", "org_id")
    ties.take(key, "o1")
    ties.take(key, "o1")
    ties.release(key)
    assert ties.tied(key) == "o1"
    ties.release(key)
    assert ties.tied(key) is None


def test_one_domain_per_label_and_per_joint() -> None:
    """Families that share a label share its places."""
    label = Label.budgeted("shelf", 3, why="shelves")
    joint = Joint(name="spots", labels=("row", "shelf"), at_most=2, why="spots")
    domains = Domains()
    assert domains.of(label) is domains.of(label)
    assert domains.of(joint) is not domains.of(label)
