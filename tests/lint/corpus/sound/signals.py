"""Declarations as they should be, near the edge of what is not."""

from typing import Annotated, Literal

from obslib.catalog import Check, Component, Field, Importance, Label, Plane, counter, gauge, histogram, instance_gauge, log_event, span_kind
from obslib.catalog.platform.terms import EnvId
from obslib.errors import ErrorClass

QUEUE = Label.closed("queue", at_most=4)
ENV = Label.budgeted("env_id", 100, why="environments of a node", id_prefix="env", determines=("org_id",))
ORG = Label.budgeted("org_id", 50, why="customers of a node", id_prefix="org")
WORKER = Label(name="instance_id", domain="budgeted", at_most=64, why="workers of a node", is_per_instance=True)
CODE = Label.closed("error_class", at_most=12)

Queue = Annotated[Literal["mail", "webhook", "export"], QUEUE]


@counter("mail_sent_total", serves=("MAIL-1",))
def SENT(*, queue: Queue) -> None:
    """Messages sent."""


@counter("mail_failures_total", serves=("MAIL-2",))
def FAILURES(*, queue: Queue, error_class: Annotated[ErrorClass, CODE]) -> None:
    """Messages not sent."""


@gauge("mail_waiting", serves=("MAIL-3",))
def WAITING(*, env_id: Annotated[str, ENV], org_id: Annotated[str, ORG]) -> None:
    """Messages waiting."""


@gauge("mail_oldest_timestamp_seconds", serves=("MAIL-4",))
def OLDEST() -> None:
    """When the oldest waiting message came."""


@histogram("mail_send_duration_seconds", serves=("MAIL-5",), buckets=(0.1, 1.0, 10.0))
def SEND_SECONDS(*, queue: Queue) -> None:
    """How long sending takes."""


@instance_gauge("mail_worker_load_ratio", quota="max_workers", max_series=64, aggregate=OLDEST, serves=("MAIL-6",))
def WORKER_LOAD(*, instance_id: Annotated[str, WORKER]) -> None:
    """Load of each worker."""


MESSAGE = Field(name="message_size_bytes", help="Size.")
ATTEMPT = Field(name="attempt", help="Try.")


@log_event("mail.sent", serves=("MAIL-7",))
def MAIL_SENT(*, message_size_bytes: Annotated[int, MESSAGE], attempt: Annotated[int, ATTEMPT] = 1) -> None:
    """Message sent."""


@span_kind("mail.send", serves=("MAIL-8",))
def SEND(*, attempt: Annotated[int, ATTEMPT]) -> None:
    """Send one message."""


SMTP_OK = Check(
    name="smtp", help="The relay answers.", plane=Plane.COMMON, serves=("MAIL-9",), importance=Importance.REQUIRED, deadline_s=0.5
)
SPOOL_OK = Check(name="spool", help="The spool is writable.", plane=Plane.COMMON, serves=("MAIL-10",), importance=Importance.REQUIRED)
