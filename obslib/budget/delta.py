"""What has changed since the lock file was written, family by family, and which part of the declaration changed it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from obslib.budget.lock import TOGETHER, Entry, Locked

__all__ = ["Delta", "deltas"]

_WITHOUT_BUCKETS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """One family whose bounds are others than those on record: by component, series ``before`` and ``after``; and why."""

    family: str
    causes: tuple[str, ...]
    series: dict[str, tuple[int, int]]

    @property
    def grown_by(self) -> int:
        """Series that all its components together may hold more than before, one process of each."""
        return sum(after - before for before, after in self.series.values())


def deltas(before: Locked, after: Locked) -> tuple[Delta, ...]:
    """Every change, what grew most first; a change that several components share is one, and so is a whole component."""
    found: dict[tuple[str, tuple[str, ...]], Delta] = {}
    for component in sorted({*before, *after}):
        old, new = before.get(component, {}), after.get(component, {})
        if component not in before or component not in after:
            causes: tuple[str, ...] = (f"component is {'new' if component in after else 'gone'}",)
            found[component, causes] = Delta(
                family="all families", causes=causes, series={component: (_total(old), _total(new))}
            )
            continue
        for family in sorted({*old, *new}):
            if causes := tuple(_causes(old.get(family), new.get(family))):
                delta = found.setdefault((family, causes), Delta(family=family, causes=causes, series={}))
                delta.series[component] = (_series(old, family), _series(new, family))
    return tuple(sorted(found.values(), key=lambda delta: (-delta.grown_by, delta.family)))


def _total(families: Mapping[str, Entry]) -> int:
    return sum(entry.series for entry in families.values())


def _series(families: Mapping[str, Entry], family: str) -> int:
    return families[family].series if family in families else 0


def _causes(old: Entry | None, new: Entry | None) -> Iterator[str]:
    if old is None or new is None:
        yield "family is new" if new else "family is gone"
        return
    yield from _of_labels(old, new)
    for labels, bound in new.by.items():
        was = old.by.get(labels)
        if was is not None and was != bound:
            yield f"{_named(labels)} {'widened' if bound > was else 'narrowed'} from {was} to {bound}"
    if more := new.samples - old.samples:
        what = "bucket" if min(old.samples, new.samples) > _WITHOUT_BUCKETS else "sample of each combination"
        yield f"{abs(more)} {what}{'s' if abs(more) > 1 and what == 'bucket' else ''} {'added' if more > 0 else 'dropped'}"


def _of_labels(old: Entry, new: Entry) -> Iterator[str]:
    """Labels that came and went, and those that are multiplied in another company."""
    had, has = ({label for labels in entry.by for label in labels.split(TOGETHER)} for entry in (old, new))
    for labels, bound in new.by.items():
        if added := [label for label in labels.split(TOGETHER) if label not in had]:
            together = f" to joint {labels!r}" if TOGETHER in labels else ""
            yield f"{_named(TOGETHER.join(added))} added{together}, times {bound}"
        elif labels not in old.by:
            yield f"{_named(labels)} counted {'jointly' if TOGETHER in labels else 'by itself'} now, times {bound}"
    for labels in old.by:
        if gone := [label for label in labels.split(TOGETHER) if label not in has]:
            yield f"{_named(TOGETHER.join(gone))} dropped"


def _named(labels: str) -> str:
    return f"labels {labels!r}" if TOGETHER in labels else f"label {labels!r}"
