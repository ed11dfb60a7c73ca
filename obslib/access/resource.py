"""What is asked for, and the two ways of saying no."""

from __future__ import annotations

from dataclasses import dataclass

from obslib.access.scopes import OPERATOR_SCOPES, PLATFORM_SCOPES, Scope
from obslib.errors import AccessDenied, ErrorClass

__all__ = ["Resource", "forbidden", "not_found"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """A resource as the caller named it: nothing here has been looked up. ``id`` is empty for a collection."""

    type: str
    id: str = ""
    path: str = ""


def forbidden(scope: Scope) -> AccessDenied:
    """A refusal that may be explained, since it reveals nothing but the caller's own token (403).

    A token of an org may hold a scope that also administers the platform; there it is not enough, and the
    sentence says where the scope counts, rather than that the token lacks what ``whoami`` shows.
    """
    return AccessDenied(f"this needs the scope {str(scope)!r}{_where(scope)}", error_class=ErrorClass.FORBIDDEN)


def _where(scope: Scope) -> str:
    if scope in OPERATOR_SCOPES:
        return " on the platform, not on an org; ask an operator of the platform"
    if scope in PLATFORM_SCOPES:
        return (
            " where it was asked for, and the token does not have it there: what belongs to the whole platform needs it on"
            " the platform, not on an org, so ask an operator; for what is inside the org ask one of its owners"
        )
    return ", which the token does not have; ask an owner of the org for a token with it"


def not_found(resource: Resource) -> AccessDenied:
    """The one answer for what is missing and for what belongs to others (404): use it for a missing row as well.

    It repeats nothing the caller sent, so that two refusals differ in nothing but what the transport adds.
    """
    return AccessDenied(
        f"there is no such {resource.type} that this token can see; check the id or name, and the org and app it is under",
        error_class=ErrorClass.NOT_FOUND,
    )
