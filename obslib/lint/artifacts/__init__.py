"""Scrapes, rule files and dashboards held against the catalog: every name and label in them must be one that exists.

``check_artifacts`` reads and checks; ``ARTIFACT_RULES`` are the rules, each with its manual page. Needs the extra ``lint``.
"""

from obslib.lint.artifacts.check import Checked, check_artifacts, check_texts
from obslib.lint.artifacts.document import Document
from obslib.lint.artifacts.rule import ArtifactRule, Form
from obslib.lint.artifacts.rules import ARTIFACT_RULES

__all__ = ["ARTIFACT_RULES", "ArtifactRule", "Checked", "Form", "Document", "check_artifacts", "check_texts"]
