"""The rules about scrapes, rule files and dashboards, one file each; whatever stands in this folder is a rule."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from obslib.lint.artifacts.rule import ArtifactRule
from obslib.lint.listing import rules_in

__all__ = ["ARTIFACT_RULES"]

ARTIFACT_RULES: Mapping[str, type[ArtifactRule[Any]]] = rules_in(sys.modules[__name__], ArtifactRule)
"""Every rule about artifacts by its code."""
