"""What of a component's own words a tenant may read.

A loop error of an agent or an edge can speak of anybody's instance or hostname. A tenant sees it whole
only when it speaks of the tenant's own env and of nobody else; otherwise only the class it starts with (``OSError: …``).
The scheduler's errors are the database's words, with files and tables in them: of those there is the class alone.
"""

from __future__ import annotations

import re

from obslib.debug.facts import Facts

__all__ = ["error_class", "visible_error"]

_ID = re.compile(r"\b[a-z]{2,5}_[0-9A-HJKMNP-TV-Z]{26}\b")
_HOSTNAME = re.compile(r"\b[a-z0-9-]+(?:\.[a-z0-9-]+)+\b", re.IGNORECASE)
_CLASS = re.compile(r"([a-zA-Z_]{1,40})(?::|\Z)")


def visible_error(text: str, facts: Facts) -> str:
    """``text``, or its class alone (``"OSError (details are for operators)"``), or empty when it is empty."""
    if not text:
        return ""
    own = _own(facts)
    named = set(_ID.findall(text)) | {name.lower() for name in _HOSTNAME.findall(text) if not _is_number(name)}
    return text if named and named <= own else error_class(text)


def error_class(text: str) -> str:
    """The class ``text`` starts with, as in ``"OSError (details are for operators)"``; empty when it is empty."""
    if not text:
        return ""
    kind = _CLASS.match(text)
    return f"{kind.group(1) if kind else 'error'} (details are for operators)"


def _own(facts: Facts) -> set[str]:
    env = facts.env
    ids = {env.env_id, env.app_id, env.org_id}
    ids |= {instance.instance_id for instance in facts.instances} | {instance.node_id for instance in facts.instances}
    return ids | {route.route_id for route in facts.routes} | {route.hostname.lower() for route in facts.routes}


def _is_number(name: str) -> bool:
    return name.replace(".", "").isdigit() and name.count(".") != 3
