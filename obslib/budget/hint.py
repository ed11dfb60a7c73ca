"""Cheaper declarations: what to change about a family that does not fit, and what it would then come to.

A hint is arithmetic, not advice: each says one change after which the family fits, with the figure. Which one keeps what
somebody needs to know is for the author.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations, permutations

from obslib.catalog import Domain, Family, Histogram, InstanceMetric, Joint, Label
from obslib.catalog.budget import Factor, FamilyBudget

__all__ = ["Hint", "hints"]

_ALWAYS_THERE = 3  # +Inf, the sum and the count
_OTHER = 1
_WORTH_IT = 20  # a domain narrowed to less than a twentieth is another label


@dataclass(frozen=True, slots=True, kw_only=True)
class Hint:
    """One change, the labels it is about (none for buckets), and the family's worst case after it."""

    change: str
    labels: tuple[str, ...]
    series: int


def hints(budget: FamilyBudget, most: int) -> tuple[Hint, ...]:
    """Changes that bring a family to at most ``most`` series, those first that give up least; empty when there is none."""
    if not isinstance(budget.declaration, Family):
        return ()
    by_dependence = (*_determining(budget), *_joining(budget, most))
    offered = (*by_dependence, *_narrowing(budget, most), *_dropping(budget, most), *_moving(budget, most))
    return tuple(hint for hint in offered if hint.series <= min(most, budget.series - 1))


def _determining(budget: FamilyBudget) -> Iterator[Hint]:
    """Two labels that hold ids: where each of the one belongs to one of the other, the other costs nothing."""
    labels = _labels(budget)
    ids = [factor for factor in _single(budget) if labels[factor.labels[0]].id_prefix and factor.bound > 1]
    for one, other in permutations(ids, 2):
        if one.bound >= other.bound:
            (name,), (follows,) = one.labels, other.labels
            yield Hint(
                change=f"let {name!r} determine {follows!r} with determines=({follows!r},), if one {name} is in one {follows}",
                labels=(name, follows),
                series=budget.series // other.bound,
            )


def _joining(budget: FamilyBudget, most: int) -> Iterator[Hint]:
    """Two labels whose pairs are fewer than the product: as many pairs as fit, if that is one for each value at least."""
    for one, other in combinations(sorted(_single(budget), key=lambda factor: -factor.bound), 2):
        rest = budget.series // (one.bound * other.bound)
        pairs = most // rest - _OTHER
        if other.bound > _OTHER and one.bound - _OTHER <= pairs < (one.bound - _OTHER) * (other.bound - _OTHER):
            labels = one.labels + other.labels
            yield Hint(
                change=f"declare {_listed(labels)} jointly, with a Joint of at_most={pairs}",
                labels=labels,
                series=(pairs + _OTHER) * rest,
            )
            return


def _narrowing(budget: FamilyBudget, most: int) -> Iterator[Hint]:
    """The widest domain that is somebody's choice, as wide as fits."""
    labels = _labels(budget)
    for factor in sorted(budget.factors, key=lambda factor: -factor.bound):
        rest = budget.series // factor.bound
        if _is_capped(budget):
            change, left, other = f"lower max_series from {factor.bound} to {most // rest}", most // rest, 0
        elif (joint := _joint(budget, factor)) and joint.at_most:
            left, other = most // rest - _OTHER - len(joint.reserved), _OTHER + len(joint.reserved)
            change = f"narrow joint {joint.name!r} ({' x '.join(joint.labels)}) from {joint.at_most} to {left} combinations"
        elif joint or labels[factor.labels[0]].source is not None:
            continue
        else:
            left, other = most // rest - _OTHER, _OTHER
            change = f"narrow label {factor.labels[0]!r} from {factor.bound - other} to {left} values"
        if left * _WORTH_IT >= factor.bound:
            yield Hint(change=change, labels=factor.labels, series=(left + other) * rest)
        return


def _dropping(budget: FamilyBudget, most: int) -> Iterator[Hint]:
    """As few buckets of a histogram as it takes, if any are left."""
    if isinstance(budget.declaration, Histogram):
        combinations_held = budget.series // budget.samples_per_series
        have = len(budget.declaration.buckets)
        left = min(have, most // combinations_held - _ALWAYS_THERE)
        if left >= 1:
            change = f"drop {have - left} of its {have} buckets"
            yield Hint(change=change, labels=(), series=combinations_held * (left + _ALWAYS_THERE))


def _moving(budget: FamilyBudget, most: int) -> Iterator[Hint]:
    """Labels out of the metric, the widest first, until the rest fits; with each goes what it determines."""
    labels, moved, series = _labels(budget), list[str](), budget.series
    for factor in sorted(budget.factors, key=lambda factor: -factor.bound):
        if series <= most or factor.bound == 1:
            break
        followers = [name for label in factor.labels for name in labels[label].determines if name in labels]
        moved += [name for name in (*factor.labels, *followers) if name not in moved]
        series //= factor.bound
    if moved:
        is_open = any(labels[name].domain is Domain.BUDGETED for name in moved)
        instead = ", or declare an InstanceMetric with a quota and a cap" if is_open and not _is_capped(budget) else ""
        fields = f"{_listed(moved)} to {'fields' if moved[1:] else 'a field'} of the log event"
        yield Hint(change=f"move {fields}{instead}", labels=tuple(moved), series=series)


def _listed(names: Iterable[str]) -> str:
    return " and ".join(map(repr, names))


def _is_capped(budget: FamilyBudget) -> bool:
    return isinstance(budget.declaration, InstanceMetric)


def _single(budget: FamilyBudget) -> list[Factor]:
    labels = _labels(budget)
    return [factor for factor in budget.factors if len(factor.labels) == 1 and labels[factor.labels[0]].source is None]


def _labels(budget: FamilyBudget) -> dict[str, Label]:
    return {use.name: use.label for use in budget.declaration.labels} if isinstance(budget.declaration, Family) else {}


def _joint(budget: FamilyBudget, factor: Factor) -> Joint | None:
    joints = budget.declaration.joints if isinstance(budget.declaration, Family) else ()
    return next((joint for joint in joints if joint.labels == factor.labels), None)
