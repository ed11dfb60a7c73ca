"""What ``obslib budget`` tells people: figures first, in columns, so that a narrow terminal breaks only what follows them."""

from __future__ import annotations

import math
import shutil
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path

from obslib.budget import Bound, Cost, Delta, Offence, PlatformBudget, cost_of
from obslib.catalog import Measure
from obslib.catalog.budget import FAMILY_BUDGET, PROCESS_BUDGET, BudgetExceeded, Budgets, FamilyBudget

__all__ = ["of_catalog", "of_deltas", "of_offences"]

_WIDEST = 128
_NARROWEST = 40
_LARGEST = 10
_LOCK_IT = "run it with --lock"


def of_catalog(
    budgets: Budgets, platform: PlatformBudget | None, bounds: Iterable[Bound], *, is_in_full: bool
) -> Iterator[str]:
    """Components, their families (all of them ``is_in_full``, else the largest), the platform if there is one, bounds."""
    yield from _wrapped(f"at worst, in series: at most {FAMILY_BUDGET} a family and {PROCESS_BUDGET} a process", "")
    yield from _row("proven", "naive", "one process of")
    for component, listed in budgets.items():
        proven, naive = sum(budget.series for budget in listed), sum(budget.naive for budget in listed)
        yield from _row(proven, naive, f"{component}, {len(listed)} families")
    yield ""
    every = [(component, budget) for component, listed in budgets.items() for budget in listed]
    shown = sorted(every, key=lambda each: (-each[1].series, each[1].family))[: None if is_in_full else _LARGEST]
    yield from _row("proven", "naive", "family, and what it is multiplied by")
    for component, budget in shown:
        where = "" if is_in_full else f" on {component}"
        yield from _row(budget.series, budget.naive, f"{budget.family}{where}{_multiplied(budget)}")
    if len(shown) < len(every):
        smaller = f"... and {len(every) - len(shown)} smaller; 'obslib budget COMPONENT' lists those of one component"
        yield from _wrapped(smaller, "")
    yield ""
    if platform is not None:
        yield from _of_platform(budgets, platform)
        yield ""
    yield "what the bounds rest on"
    for bound in bounds:
        folded = f", {bound.surplus} of them fold into _other" if bound.surplus else ""
        yield from _wrapped(f"{' x '.join(bound.labels)} at most {bound.at_most}: {_rests(bound)}{folded}", "  ")
        for part in bound.parts:
            yield from _wrapped(f"{part.labels[0]}: {_rests(part)}", "    ")


def of_offences(error: BudgetExceeded, found: Iterable[Offence]) -> Iterator[str]:
    """Each family that passes its budget, or has to be cut for its component's sake: the label to change, and how."""
    listed = list(found)
    yield from _wrapped(f"catalog {error.catalog!r} could pass its budget of series, so it is not built", "")
    if not listed:
        yield from _wrapped(str(error), "")
    cut = ""
    for offence in listed:
        if offence.total and offence.component != cut:
            cut = offence.component
            could = f"component {cut!r} could reach {offence.total} series, over the budget of {PROCESS_BUDGET}"
            yield from _wrapped(f"{could}; bring its largest families down", "")
        yield from _wrapped(_offends(offence), "  " if offence.total else "")
        for hint in offence.hints:
            yield from _wrapped(f"hint: {hint.change}, for {hint.series} series", "    " if offence.total else "  ")


def of_deltas(found: Iterable[Delta], path: Path) -> Iterator[str]:
    """Each family that differs from the lock file: by how much, where, and what caused it."""
    listed = list(found)
    for delta in listed:
        changed = ", ".join(f"{component} {before} -> {after}" for component, (before, after) in delta.series.items())
        yield from _wrapped(f"{delta.grown_by:+} {delta.family} ({changed}): {'; '.join(delta.causes)}", "")
    if not listed:
        yield from _wrapped(f"{path} holds the right figures, but not as they are written; {_LOCK_IT}", "")
        return
    differ, grown = "1 change" if len(listed) == 1 else f"{len(listed)} changes", sum(delta.grown_by for delta in listed)
    yield from _wrapped(f"{differ} since {path}, {grown:+} series with one process of each; if they are meant, {_LOCK_IT}", "")


def _of_platform(budgets: Budgets, platform: PlatformBudget) -> Iterator[str]:
    counts = [(measure.value, count) for measure in Measure if (count := platform.size.of(measure)) is not None]
    known = (f"{count} {name if count > 1 else name.removesuffix('s')}" for name, count in counts)
    yield from _wrapped(f"a platform of {', '.join(known)}", "")
    yield from _row("all", "each", "processes")
    for target in platform.targets:
        if target.component in budgets:
            yield from _row(target.series * target.processes, target.series, f"{target.processes} {target.component}")
    if len(budgets) < len(platform.targets):
        return
    yield from _row(platform.alert_series, "", "ALERTS and ALERTS_FOR_STATE, written by Prometheus")
    yield from _row(
        platform.series,
        "",
        f"platform total in one Prometheus, {platform.target_count} targets, {platform.samples} samples a scrape",
    )
    yield from _row(platform.ceiling, "", "the same, whatever the labels hold: no process admits more")
    if platform.idle:
        idle = ", ".join(f"{platform.size.of(measure)} {measure.value}" for measure in platform.idle)
        yield from _wrapped(f"{idle}: no bound is narrower for it", "")
    yield ""
    yield from _of_cost(cost_of(platform))


def _of_cost(cost: Cost) -> Iterator[str]:
    yield from _wrapped("what that costs one Prometheus, estimated from what one series was measured to cost", "")
    yield from _row(_size(cost.memory_bytes), "", "memory at its largest; series that have gone stay in it for up to 3 hours")
    yield from _row(f"{cost.samples_per_second:.0f}/s", "", f"samples, at one scrape each {cost.interval_s:g} s")
    yield from _row(f"{_size(cost.bytes_per_second)}/s", "", "to read, before compression")
    yield from _row(_rough(cost.processors), "", "processors, without rules and queries")
    largest = cost.largest_scrape
    took = f"{largest.duration_s * 1_000:.0f} ms"
    yield from _row(
        _size(largest.bytes), took, f"largest scrape, {largest.component}, before compression and unless it is busy"
    )


def _offends(offence: Offence) -> str:
    change = f"change label {offence.label!r}" if offence.label else "change what it is made of"
    if offence.total:
        return f"metric {offence.family!r}, {offence.series} series, to at most {offence.most}: {change}"
    could = f"metric {offence.family!r} could reach {offence.series} series on {offence.component!r}"
    return f"{could}, over the budget of {offence.most}; {change}"


def _multiplied(budget: FamilyBudget) -> str:
    parts = [f"{' x '.join(factor.labels)} {factor.bound}" for factor in budget.factors if factor.bound > 1]
    parts += [f"{budget.samples_per_series} samples"] if budget.samples_per_series > 1 else []
    return f": {', '.join(parts)}" if parts else ""


def _rests(bound: Bound) -> str:
    if bound.enforced:
        ground = f"enforced by {bound.enforced} an org"
    else:
        ground = f"assumed, {bound.why}" + (f" (no file with {bound.quota} was named)" if bound.quota else "")
    return ground if bound.there_are is None else f"{ground}; up to {bound.there_are} at this size"


def _row(first: int | str, second: int | str, rest: str) -> Iterator[str]:
    head = f"{first:>9} {second:>12}  "
    yield from _wrapped(rest, head, " " * len(head))


def _wrapped(line: str, indent: str, hanging: str | None = None) -> list[str]:
    width = max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size((_WIDEST, 0)).columns))
    inner = indent + "  " if hanging is None else hanging
    return textwrap.wrap(
        line, width, initial_indent=indent, subsequent_indent=inner, break_long_words=False, break_on_hyphens=False
    )


def _rough(count: float) -> str:
    """Two figures that count, in digits: 0.061, 870."""
    return f"{float(f'{count:.2g}'):g}"


def _size(count: float) -> str:
    """Bytes in the unit that leaves three figures before the point at most."""
    units = ("B", "KiB", "MiB", "GiB", "TiB")
    power = min(len(units) - 1, int(math.log(max(1, count), 1024)))
    scaled = count / 1024**power
    return f"{scaled:.{0 if scaled >= 10 else 1}f} {units[power]}"
