"""Redaction: the one room that knows what a secret looks like.

Logs, spans, labels, audit records and the command line all pass through a ``Redactor``; a ``Secret`` needs none.
"""

from __future__ import annotations

from obslib.redaction.redactor import Redactor
from obslib.redaction.secret import Secret

__all__ = ["Redactor", "Secret"]
