"""Who may read or change what, decided in one place.

Isolation is a type: what touches a tenant's data takes a ``Grant``, and the only way to get one is
``authorize``, which checks the scope and the org before anything is looked up (WLG-09, WLG-11).
"""

from obslib.access.actor import Actor, ActorType
from obslib.access.authorize import authorize
from obslib.access.decision import Decision, decide
from obslib.access.delegation import delegable
from obslib.access.grant import Grant
from obslib.access.resource import Resource, forbidden, not_found
from obslib.access.scopes import PLATFORM_SCOPES, ROLE_SCOPES, Role, Scope

__all__ = [
    "PLATFORM_SCOPES", "ROLE_SCOPES", "Actor", "ActorType", "Decision", "Grant", "Resource", "Role", "Scope",
    "authorize", "decide", "delegable", "forbidden", "not_found",
]  # fmt: skip
