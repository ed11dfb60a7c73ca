"""What the proven bounds come to: for a platform of a given size, against a lock file, and cheaper where they are passed.

A room beside ``render`` and ``ledger``: the proof itself is the catalog's and every process makes it when it starts;
sizes, quota files, lock files and hints are for whoever plans and reviews.
"""

from obslib.budget.platform import Bound, PlatformBudget, TargetBudget, platform_budget
from obslib.budget.quotas import Quotas
from obslib.budget.size import PlatformSize

__all__ = ["Bound", "PlatformBudget", "PlatformSize", "Quotas", "TargetBudget", "platform_budget"]
