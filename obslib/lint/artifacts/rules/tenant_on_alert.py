"""OBS629: an alert fires once for each tenant."""

from __future__ import annotations

from collections.abc import Iterator

from obslib.lint.artifacts.names import Names
from obslib.lint.artifacts.question import Question
from obslib.lint.artifacts.rule import Fault, Form, QueryRule

__all__ = ["TenantOnAlert"]

_OF_TENANTS = ("org_id", "env_id", "instance_id")


class TenantOnAlert(QueryRule):
    """The result of an alert carries an org, an env or an instance.

    Why: one incident becomes an alert for each of a thousand envs, the pager is muted, and the next one is missed
    (CARD-03, CARD-04).

    Fix: aggregate the label away; which tenants are hit is what ``platform why`` and a dashboard are for.
    """

    code = "OBS629"
    name = "tenant-on-alert"
    form = Form.RULE_FILE
    good = (
        """\
groups:
  - name: agents
    rules:
      - alert: InstancesWithoutMemory
        expr: max by (node_id) (agent_instance_memory_usage_ratio) > 0.95
""",
        """\
groups:
  - name: agents
    rules:
      - record: env:memory:max
        expr: max by (instance_id) (agent_instance_memory_usage_ratio)
""",
    )
    bad = (
        """\
groups:
  - name: agents
    rules:
      - alert: InstancesWithoutMemory
        expr: agent_instance_memory_usage_ratio > 0.95
""",
        """\
groups:
  - name: agents
    rules:
      - record: env:memory:max
        expr: max by (instance_id) (agent_instance_memory_usage_ratio)
      - alert: InstancesWithoutMemory
        expr: env:memory:max > 0.95
""",
        """\
groups:
  - name: agents
    rules:
      - alert: InstancesWithoutMemory
        expr: max(agent_instance_memory_usage_ratio) > 0.95
        labels: {org_id: acme}
""",
    )

    def check(self, question: Question, names: Names) -> Iterator[Fault]:
        """Each such label of the result or of the alert itself."""
        if not question.is_alert:
            return
        found = question.carried(names).labels | question.own_labels
        for label in _OF_TENANTS:
            if label in found:
                yield Fault(question.place(), f"{question.where} would fire once for each {label}; aggregate that label away")
