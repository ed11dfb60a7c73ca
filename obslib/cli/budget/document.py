"""What ``obslib budget --json`` prints."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict

from obslib.budget import Bound, Delta, Offence, PlatformBudget, cost_of
from obslib.catalog import Catalog, Measure
from obslib.catalog.budget import FAMILY_BUDGET, PROCESS_BUDGET, BudgetExceeded, Budgets, FamilyBudget

__all__ = ["of_catalog", "of_deltas", "of_offences"]


def of_catalog(
    catalog: Catalog, budgets: Budgets, platform: PlatformBudget | None, bounds: Iterable[Bound]
) -> dict[str, object]:
    """Everything that is proven, the platform if there is one, and every bound with what it rests on."""
    return {
        **_of_budgets(catalog.name, budgets),
        "platform": _of_platform(platform) if platform else None,
        "bounds": [{**asdict(bound), "surplus": bound.surplus} for bound in bounds],
        "offences": [],
        "message": "",
    }


def of_offences(error: BudgetExceeded, found: Iterable[Offence]) -> dict[str, object]:
    """What was measured of a catalog that is not built, and what to change."""
    return {
        **_of_budgets(error.catalog, error.budgets), "platform": None, "bounds": [],
        "offences": [asdict(offence) for offence in found], "message": str(error),
    }  # fmt: skip


def of_deltas(found: Iterable[Delta]) -> list[dict[str, object]]:
    """What differs from a lock file."""
    return [
        {
            "family": delta.family, "grown_by": delta.grown_by, "causes": delta.causes,
            "series": {name: {"before": before, "after": after} for name, (before, after) in delta.series.items()},
        }
        for delta in found
    ]  # fmt: skip


def _of_budgets(catalog: str, budgets: Budgets) -> dict[str, object]:
    return {
        "catalog": catalog,
        "budget": {"family": FAMILY_BUDGET, "process": PROCESS_BUDGET},
        "components": [
            {
                "component": component, "series": sum(budget.series for budget in listed),
                "naive": sum(budget.naive for budget in listed), "families": [_of_family(budget) for budget in listed],
            }
            for component, listed in budgets.items()
        ],
    }  # fmt: skip


def _of_family(budget: FamilyBudget) -> dict[str, object]:
    return {
        "family": budget.family, "series": budget.series, "naive": budget.naive,
        "samples_per_series": budget.samples_per_series, "by": [asdict(factor) for factor in budget.factors],
    }  # fmt: skip


def _of_platform(platform: PlatformBudget) -> dict[str, object]:
    return {
        "size": {measure.value: platform.size.of(measure) for measure in Measure},
        "idle": [measure.value for measure in platform.idle],
        "targets": [
            {
                "component": target.component, "processes": target.processes, "series": target.series,
                "samples": target.samples, "ceiling": target.ceiling,
            }
            for target in platform.targets
        ],
        "alert_series": platform.alert_series, "target_count": platform.target_count, "samples": platform.samples,
        "series": platform.series, "ceiling": platform.ceiling, "cost": asdict(cost_of(platform)),
    }  # fmt: skip
