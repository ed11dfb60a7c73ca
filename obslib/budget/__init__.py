"""What the proven bounds come to: for a platform of a given size, against a lock file, and cheaper where they are passed.

A room beside ``render`` and ``ledger``: the proof itself is the catalog's and every process makes it when it starts;
sizes, costs, quota files, lock files and hints are for whoever plans and reviews.
"""

from obslib.budget.bound import Bound
from obslib.budget.cost import INTERVAL_S, Cost, Scrape, cost_of
from obslib.budget.delta import Delta, deltas
from obslib.budget.hint import Hint, hints
from obslib.budget.lock import locked, read_lock, render_lock
from obslib.budget.offence import Offence, offences
from obslib.budget.platform import PlatformBudget, TargetBudget, platform_budget
from obslib.budget.quotas import Quotas
from obslib.budget.size import MOST, PlatformSize

__all__ = [
    "INTERVAL_S", "MOST", "Bound", "Cost", "Delta", "Hint", "Offence", "PlatformBudget", "PlatformSize", "Quotas", "Scrape",
    "TargetBudget", "cost_of", "deltas", "hints", "locked", "offences", "platform_budget", "read_lock", "render_lock",
]  # fmt: skip
