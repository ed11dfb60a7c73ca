"""What is desired, what runs, what routes to what, and why it does not converge.

A control plane implements ``Views`` over its materialized views; the reasoning here is pure, over
records, and gives JSON-able dicts. What does not answer is shown as unknown with its age, never as fine.
"""

from obslib.debug.chain import Finding, Link, State
from obslib.debug.changes import Change, History, Window, changes, describe_changes
from obslib.debug.convergence import convergence_description, describe_convergence
from obslib.debug.edges import describe_edges, edge_description
from obslib.debug.env import describe_env, env_description, env_status, status_of_env
from obslib.debug.facts import Facts, gather
from obslib.debug.instance import describe_instance, instance_description
from obslib.debug.route import describe_route, route_description
from obslib.debug.verdict import Judgement, VerdictName, judge
from obslib.debug.views import Views
from obslib.debug.why import explanation, why_env

__all__ = [
    "Change", "Facts", "Finding", "History", "Judgement", "Link", "State", "VerdictName", "Views", "Window", "changes",
    "convergence_description", "describe_changes", "describe_convergence", "describe_edges", "describe_env",
    "describe_instance", "describe_route", "edge_description", "env_description", "env_status", "explanation", "gather",
    "instance_description", "judge", "route_description", "status_of_env", "why_env",
]  # fmt: skip
