"""How findings are told: to people, to programs, and to those who review a change."""

from __future__ import annotations

from obslib.lint.reports.github import github
from obslib.lint.reports.json import json_document
from obslib.lint.reports.sarif import sarif
from obslib.lint.reports.text import Text

__all__ = ["Text", "github", "json_document", "sarif"]
