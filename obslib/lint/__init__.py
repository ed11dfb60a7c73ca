"""The linter: whether code, before it runs, uses telemetry the way the catalog declares it.

A file is parsed and walked once (``scope``), names are followed to what they stand for (``evaluation``), what is done with
telemetry becomes a list of uses (``reading``), and each rule looks at the uses of one kind (``rules``). Nothing of the
linted project is run or imported.
"""

from obslib.lint.check import Checked, check
from obslib.lint.finding import Edit, Finding, Place
from obslib.lint.module import Project
from obslib.lint.rule import Page, Problem, Repair, Rule
from obslib.lint.rules import RULES

__all__ = ["RULES", "Checked", "Edit", "Finding", "Page", "Place", "Problem", "Project", "Repair", "Rule", "check"]
