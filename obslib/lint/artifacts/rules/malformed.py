"""OBS601: what was read is not of the format it should be."""

from __future__ import annotations

from collections.abc import Iterator

from obslib.lint.artifacts.document import Malformed
from obslib.lint.artifacts.names import Names
from obslib.lint.artifacts.rule import ArtifactRule, Fault, Form

__all__ = ["MalformedArtifact"]


class MalformedArtifact(ArtifactRule[Malformed]):
    """A scrape, a rule file or a dashboard is not of its format: binary, cut off, no YAML or JSON, without groups or panels.

    Why: whoever loads it refuses it as a whole, and a check that skipped it would call it well.

    Fix: write what Prometheus or Grafana reads; what cannot be read at all (missing, refused, too large) is exit code 2
    instead.
    """

    code = "OBS601"
    name = "malformed-artifact"
    form = Form.RULE_FILE
    good = ("groups: []\n", "groups:\n  - name: loops\n    rules:\n      - {record: loops, expr: sum(loop_healthy)}\n")
    bad = (
        "",
        "groups: [\n",
        "rules: []\n",
        "groups:\n  - rules: []\n",
        "groups:\n  - name: loops\n    rules:\n      - {alert: A, record: b, expr: up}\n",
        "groups:\n  - name: loops\n    rules:\n      - {alert: A}\n",
        "groups: []\n---\ngroups: []\n",
    )

    def check(self, malformed: Malformed, names: Names) -> Iterator[Fault]:
        """The one thing that is wrong with it first."""
        yield Fault(malformed.place, str(malformed))
