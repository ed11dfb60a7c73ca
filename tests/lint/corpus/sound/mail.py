"""A component that does everything right, in every way people write it."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Literal

import structlog
from obslib import ErrorClass, Observability, Verdict, start
from obslib.catalog import Counter as CounterDeclaration
from opentelemetry import trace

from . import signals as s

if TYPE_CHECKING:
    from starlette.requests import Request

log = structlog.get_logger()
logger = logging.getLogger(__name__)
tracer = trace.get_tracer(__name__)
tracer.start_span("mail.boot").end()


class Queue(StrEnum):
    MAIL = "mail"
    WEBHOOK = "webhook"


QUEUES = {"m": "mail", "w": "webhook"}


@dataclass(frozen=True)
class Sent:
    queue: Literal["mail", "webhook", "export"]
    env_id: str
    org_id: str


class Mailer:
    def __init__(self, obs: Observability) -> None:
        self._obs = obs
        self._sent = {queue: obs.metrics[s.SENT].labels(queue=queue) for queue in Queue}
        self._by_queue = obs.metrics[s.SENT].labels
        self._failures = obs.metrics[s.FAILURES]
        self._waiting = obs.metrics[s.WAITING]
        self._span = obs.span(s.SEND)

    def sent(self, message: Sent, which: Queue, short: str) -> None:
        self._by_queue(queue=message.queue).inc()
        self._by_queue(queue=which).inc()
        self._by_queue(queue=which.value).inc()
        self._by_queue(queue="mail" if short else "export").inc()
        self._by_queue(queue=QUEUES[short]).inc()
        self._by_queue(queue=QUEUES.get(short, "export")).inc()
        self._by_queue(**{"queue": "mail"}).inc()
        self._waiting.labels(env_id=message.env_id, org_id=message.org_id).set(1)
        given = dict(env_id=message.env_id, org_id=message.org_id)
        self._waiting.labels(**given).set(2)
        for queue in ("mail", "webhook"):
            self._by_queue(queue=queue).inc()
        by_mail = partial(self._by_queue, queue="mail")
        by_mail().inc()
        self._by_queue(queue=self._queue_of(short)).inc()

    def _queue_of(self, short: str) -> str:
        if short == "m":
            return "mail"
        return "export"

    def send(self, attempt: int) -> None:
        try:
            with self._span(attempt=attempt) as span:
                span.set(attempt=attempt + 1)
                self._deliver()
        except TimeoutError as error:
            self._failures.labels(queue="mail", error_class=ErrorClass.TIMEOUT).inc()
            self._obs.log.error("not sent", error=error, attempt=attempt)
        except OSError:
            self._failures.labels(queue="mail", error_class=self._class_of(attempt)).inc()
            self._obs.log.exception("not sent")
            log.error("not sent", exc_info=True)
            logger.exception("not sent after %d tries", attempt)
        else:
            self._obs.log.event(s.MAIL_SENT, message_size_bytes=3)
            self._obs.log.event(s.MAIL_SENT, message_size_bytes=3, attempt=attempt)
            self._obs.log.info("sent", attempt=attempt, token_count=3, key_id="k1")
            log.info("sent", attempt=attempt)
            logger.info("sent after %d tries", attempt)
            logger.info("sent " "at last")
            log.info(f"sent")

    def _class_of(self, attempt: int) -> ErrorClass:
        return ErrorClass.TIMEOUT if attempt else ErrorClass.UNAVAILABLE

    def _deliver(self) -> None: ...

    async def get(self, request: Request) -> None:
        self._by_queue(queue="mail").inc()
        with self._span(attempt=1):
            self._obs.log.info("asked", path=request.url.path)
        with tracer.start_as_current_span("mail.get") as span:
            span.set_attribute("attempt", 1)


def wire(obs: Observability, families: tuple[CounterDeclaration[...], ...]) -> None:
    for family in families:
        obs.metrics[family]
    by_name = {family.name: obs.metrics[family] for family in (s.SENT, s.FAILURES)}
    assert by_name

    @obs.check(s.SMTP_OK)
    def smtp() -> Verdict:
        return Verdict.ok()

    @obs.check(s.SPOOL_OK, every=5, deadline=0.2)
    def spool() -> Verdict:
        return Verdict.ok()


def livez(request: Request) -> dict[str, str]:
    return {"status": "ok"}


def main() -> None:
    with start("agent") as obs:
        Mailer(obs).send(1)
