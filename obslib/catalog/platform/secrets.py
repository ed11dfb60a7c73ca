"""Signals of the delivery of secrets into a guest: how often, how long, and why not; never a word of what they are."""

from __future__ import annotations

from typing import Annotated, Literal

from obslib.catalog import common as c
from obslib.catalog.declaration import Plane, Stability
from obslib.catalog.families import counter, histogram
from obslib.catalog.platform import terms as t
from obslib.catalog.signals import Level, Operation, log_event, span_kind

_PLANE = Plane.DATA_PLANE
_ON_AGENT = ("agent",)
_NEW = Stability.EXPERIMENTAL

DeliveryReason = Annotated[Literal["none", t.SecretsReasonName], c.REASON]


@counter(
    "agent_secrets_deliveries_total", serves=("EXT-02",), plane=_PLANE, components=_ON_AGENT, stability=_NEW,
    joints=(t.SECRETS_REASONS.outcomes,),
)  # fmt: skip
def AGENT_SECRETS_DELIVERIES(*, result: c.Outcome, reason: DeliveryReason) -> None:
    """Deliveries of an env's secrets into a guest, by result, and by reason where they failed."""


@histogram(
    "agent_secrets_delivery_duration_seconds", serves=("EXT-02",), plane=_PLANE, components=_ON_AGENT, stability=_NEW,
)  # fmt: skip
def AGENT_SECRETS_DELIVERY_DURATION(*, result: c.Outcome) -> None:
    """Time from fetching the secrets until the guest has written them, or until that failed."""


@span_kind("agent.secrets_delivery", serves=("EXT-02",), plane=_PLANE, components=_ON_AGENT, stability=_NEW)
def AGENT_SECRETS_DELIVERY_SPAN(*, secret_version_id: t.SecretVersionId = "") -> None:
    """Delivery of secrets, inside the boot that needs them."""


@log_event("secrets.delivered", serves=("EXT-02",), plane=_PLANE, components=_ON_AGENT, stability=_NEW)
def SECRETS_DELIVERED(*, secret_version_id: t.SecretVersionId, duration_seconds: c.DurationSeconds) -> None:
    """The guest has its secrets."""


@log_event("secrets.delivery_failed", serves=("EXT-02",), level=Level.ERROR, plane=_PLANE, components=_ON_AGENT, stability=_NEW)
def SECRETS_DELIVERY_FAILED(
    *, duration_seconds: c.DurationSeconds, reason: c.Reason, secret_version_id: t.SecretVersionId = ""
) -> None:
    """The guest did not get its secrets."""


SECRETS_DELIVERY = Operation(
    name="agent.secrets_delivery", help="Brings an env's secrets into a guest.", plane=_PLANE, components=_ON_AGENT,
    serves=("EXT-02",), stability=_NEW, span=AGENT_SECRETS_DELIVERY_SPAN, duration=AGENT_SECRETS_DELIVERY_DURATION,
    outcomes=(AGENT_SECRETS_DELIVERIES,), reasons=t.SECRETS_REASONS, failed=SECRETS_DELIVERY_FAILED,
)  # fmt: skip
