"""The rules about Python source, one file each; whatever stands in this folder is a rule."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from obslib.lint.listing import rules_in
from obslib.lint.rule import Rule

__all__ = ["RULES"]

RULES: Mapping[str, type[Rule[Any]]] = rules_in(sys.modules[__name__], Rule)
"""Every rule by its code."""
