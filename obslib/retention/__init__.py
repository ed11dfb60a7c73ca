"""How long records are kept, and what may never be shortened."""

from __future__ import annotations

from obslib.retention.append_only import append_only

__all__ = ["append_only"]
